import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listSegments, mendSegment, sourceFolder } from '../../src/recording/index.js';
import { within } from '../helpers/deadline.js';
import { seededRandom } from '../helpers/random.js';
import { decodeWarnings, probePackets } from '../helpers/recorded-clips.js';

const script = fileURLToPath(new URL('../helpers/record-until-killed.js', import.meta.url));
const KILLS = 10;
let recordDir: string;
before(() => (recordDir = mkdtempSync(path.join(tmpdir(), 'sightline-killed-'))));
after(() => rmSync(recordDir, { recursive: true, force: true }));

/** Kills a recording process once it was given so much. @returns UTC of the newest frame that it was given */
async function recordUntil(lengthMs: number): Promise<number> {
  const child = spawn(process.execPath, [script, recordDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  const closed = once(child.stdout, 'close');
  try {
    await within(
      new Promise<void>((resolve) =>
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const lines = text.split('\n');
          if (Number(lines.at(-2)) - Number(lines[0]) >= lengthMs) resolve();
        }),
      ),
      30_000,
      'frames',
    );
  } finally {
    child.kill('SIGKILL');
    await Promise.all([exited, closed]);
  }
  assert.doesNotMatch(text, /failed/);
  return Number(text.split('\n').at(-2));
}

describe('a recording whose process is killed', () => {
  it(`loses at most a second each of ${KILLS} times, and leaves no segment that does not play`, async () => {
    const random = seededRandom(9);
    for (let kill = 0; kill < KILLS; kill++) {
      const newestMs = await recordUntil(1200 + random() * 1200);
      const file = (await listSegments(sourceFolder(recordDir, 'cam1'))).at(-1)!;
      const mended = await mendSegment(file);
      assert.ok(mended);
      assert.ok(newestMs - mended.toMs <= 1000, `kill ${kill} lost ${newestMs - mended.toMs} ms`);
      assert.equal(decodeWarnings(file), '');
      const packets = probePackets(file);
      const [video, audio] = [0, 1].map((stream) => packets.filter((each) => each.stream === stream).map(({ timeS }) => timeS));
      // Both begin and end together: one clock, and one fragment for both.
      assert.ok(Math.abs(video![0]! - audio![0]!) < 0.045, `${video![0]} ${audio![0]}`);
      assert.ok(Math.abs(video!.at(-1)! - audio!.at(-1)!) < 0.06, `${video!.at(-1)} ${audio!.at(-1)}`);
    }
    assert.equal((await listSegments(sourceFolder(recordDir, 'cam1'))).length, KILLS);
  });
});
