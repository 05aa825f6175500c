import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { PacketLog } from '../../../src/ffmpeg/packets.js';
import { straighten } from '../../../src/ffmpeg/straighten.js';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile, play, steps } from '../../helpers/file-feed.js';
import { makeNumberedClip } from '../../helpers/numbered-clip.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-clock-jumps-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

/** Twenty pictures of a numbered clip from `first` on, with sound, as a recorder writes them. */
async function part(name: string, first: number, ...args: readonly string[]): Promise<Buffer> {
  const pictures = at(`${name}.mp4`);
  await makeNumberedClip(pictures, { widthPx: 160, heightPx: 96, fps: 10, seconds: 2, firstNumber: first });
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-c:a', 'aac'];
  return readFileSync(
    makeFile(at(name), '-i', pictures, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2', ...codec, ...args),
  );
}

const [first, second, reordered, hours, wrapping, flv, flvAgain] = await Promise.all([
  part('first.ts', 0),
  part('second.ts', 20),
  part('reordered.ts', 20, '-bf', '2'),
  part('hours.ts', 20, '-output_ts_offset', '7200'),
  part('wrapping.ts', 0, '-output_ts_offset', '95442.5'),
  part('first.flv', 0),
  part('second.flv', 20),
]);
const file = (name: string, ...parts: readonly Buffer[]): string => {
  writeFileSync(at(name), Buffer.concat(parts));
  return at(name);
};
/** Header and size of the tag before it. */
const FLV_HEADER_BYTES = 13;

const FILES: [string, string, number][] = [
  ['a clock that restarts', file('restarts.ts', first, second), 40],
  ['a clock that restarts, with B-frames behind', file('restarts-reordered.ts', first, reordered), 40],
  ['a clock that jumps forward by hours, and back', file('jumps.ts', first, hours, first), 60],
  ['a 33-bit clock that wraps around', at('wrapping.ts'), 20],
  ['tags whose clock restarts', file('restarts.flv', flv, flvAgain.subarray(FLV_HEADER_BYTES)), 40],
];
assert.ok(wrapping.length > 0);

for (const [which, tools] of [
  ['the ffmpeg that was found', realDeps().tools],
  ['the bundled ffmpeg', await bundledTools()],
] as const) {
  test(
    `everything is shown, in order and with its sound, by ${which}`,
    { skip: tools === undefined && 'no bundled ffmpeg for this platform', concurrency: 2 },
    async (t) => {
      const whole = ([name, recording, count]: (typeof FILES)[number]): Promise<void> =>
        t.test(name, async () => {
          const deps = { ...realDeps(), ...(tools && { tools }) };
          const description = await describeFile(deps, recording);
          assert.ok(Math.abs((description.durationS ?? 0) - count / 10) < 0.15, `lasts ${description.durationS} s`);
          const { feed, got } = play(description, deps);
          try {
            await eventually(() => got.video.length > count + 3, 30_000, 'more than a pass');
            if (description.delivery === 'transcode')
              assert.deepEqual(got.numbers.slice(0, count + 2), [...Array.from({ length: count }, (_unused, i) => i % 40), 0, 1]);
            assert.ok(
              Math.max(...steps(got.video)) < 190 && Math.min(...steps(got.video)) > 40,
              `pictures step by ${Math.min(...steps(got.video))} to ${Math.max(...steps(got.video))} ms`,
            );
            assert.ok(Math.max(...steps(got.audio)) < 100, `sound steps by up to ${Math.max(...steps(got.audio))} ms`);
            assert.ok(Math.abs((got.audio.at(-1) ?? 0) - (got.video.at(-1) ?? 0)) < 400, 'sound and pictures stay together');
            const early = got.video.map((timeMs, i) => timeMs - (got.video[0] ?? 0) - ((got.arrivedMs[i] ?? 0) - (got.arrivedMs[0] ?? 0)));
            assert.ok(Math.max(...early) < 300, `nothing comes in a burst: ${Math.max(...early)} ms early`);
            assert.equal(feed.restarts, 0);
          } finally {
            await feed.close();
          }
          assertNothingHeld(deps);
        });
      await Promise.all(FILES.map(whole));
    },
  );
}

/** A stream of packets at these times, a line each. */
function logOf(timesS: readonly number[], stepS: number): PacketLog {
  const log = new PacketLog();
  timesS.forEach((timeS, i) => {
    log.shownS.push(timeS);
    log.decodedS.push(timeS);
    log.durationS.push(stepS);
    log.isKey.push(true);
    log.isShown.push(true);
    log.line.push(i);
  });
  return log;
}

test('parts of pictures and sound move by the same time, and none over the end of the one before', () => {
  const [pictures, sound] = [logOf([10, 11, 12, 0, 1, 2], 1), logOf([10.5, 11.5, 12.5, 13.5, 0.2, 1.2], 1)];
  assert.deepEqual(
    straighten([pictures, sound], 'mpegts').map((jumps) => jumps?.shiftsS),
    [[14.3], [14.3]],
  );
  assert.deepEqual(
    pictures.shownS.map((timeS) => Math.round(timeS * 10) / 10),
    [10, 11, 12, 14.3, 15.3, 16.3],
  );
  assert.deepEqual(
    sound.shownS.map((timeS) => Math.round(timeS * 10) / 10),
    [10.5, 11.5, 12.5, 13.5, 14.5, 15.5],
  );
});

test('a picture that stands is no jump: while sound goes on, at the pace of the others, or for less than that', () => {
  const stands = [0, 1, 2, 100, 101];
  assert.deepEqual(
    straighten(
      [
        logOf(stands, 1),
        logOf(
          Array.from({ length: 101 }, (_unused, i) => i),
          1,
        ),
      ],
      'mpegts',
    ),
    [undefined, undefined],
  );
  assert.deepEqual(straighten([logOf([0, 30, 60, 90, 190], 30)], 'mpegts'), [undefined]);
  assert.deepEqual(straighten([logOf([0, 1, 2, 50, 51], 1)], 'matroska,webm'), [undefined]);
  assert.deepEqual(
    straighten([logOf(stands, 1)], 'matroska,webm').map((jumps) => jumps?.shiftsS),
    [[-97]],
  );
});
