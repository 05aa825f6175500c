/** Sound and picture of clips: flashes and beeps that were recorded together are together. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Clips, PlaybackEncodes, type ClipRequest } from '../../src/recording/index.js';
import { within } from '../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';
import { beepsOf, FLASHING, flashesOf, NOTICED_S, run } from '../helpers/flashes.js';
import { contentOf, MemoryArchive, segmentOf, type Content, type MemorySegment } from './archive-rig.js';

const T = 1_796_061_600_000;
const { widthPx: WIDTH, heightPx: HEIGHT } = FLASHING;

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-sync-'));
after(() => rmSync(folder, { recursive: true }));
const ffmpeg = realDeps();

describe('sound and picture of a clip', () => {
  let content: Content;
  const segment = (id: number, atS: number, isSilent = false): MemorySegment =>
    segmentOf(isSilent ? { ...content, audio: [] } : content, id, T + atS * 1000);

  before(() => {
    const file = path.join(folder, 'flashes.mp4');
    // 0.1 s of light and sound in each second, from its middle on; a keyframe every two.
    const isOn = (time: string): string => `between(mod(${time}\\,1)\\,0.5\\,0.6)`;
    run(
      'ffmpeg',
      ...[
        '-nostdin',
        '-f',
        'lavfi',
        '-i',
        `color=black:size=${WIDTH}x${HEIGHT}:rate=30:duration=4,drawbox=color=white:t=fill:enable=${isOn('t')}`,
      ],
      ...['-f', 'lavfi', '-i', `aevalsrc=${isOn('t')}*sin(2*PI*1000*t):s=48000:d=4`, '-c:v', 'libx264', '-preset', 'superfast', '-bf', '0'],
      ...['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file],
    );
    content = contentOf(file, 'h264', true);
  });

  for (const [name, segments, request, seconds] of [
    ['that is copied', () => [segment(1, 0), segment(2, 4)], { fromMs: T + 2000, toMs: T + 8000 }, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]],
    [
      'over a gap',
      () => [segment(1, 0), segment(2, 60), segment(3, 90)],
      { fromMs: T, toMs: T + 94_000 },
      Array.from({ length: 12 }, (_, at) => at + 0.5),
    ],
    [
      'that begins with the very frame',
      () => [segment(1, 0), segment(2, 4)],
      { fromMs: T + 1250, toMs: T + 6000, isExact: true },
      [0.25, 1.25, 2.25, 3.25, 4.25],
    ],
    [
      'that is annotated',
      () => [segment(1, 0), segment(2, 60)],
      { fromMs: T + 250, toMs: T + 62_000, isExact: true, isAnnotated: true },
      [0.25, 1.25, 2.25, 3.25, 4.25, 5.25],
    ],
  ] as const)
    it(`are together in one ${name}`, async () => {
      const { flashes, beeps } = await clipped(segments(), request);
      assert.equal(flashes.length, seconds.length, `it flashes at ${flashes.join()}`);
      assert.equal(beeps.length, seconds.length, `it beeps at ${beeps.join()}`);
      const first = (flashes[0] ?? NaN) - seconds[0];
      assert.ok(Math.abs(first) < NOTICED_S, `the first flash is at ${flashes[0]}`);
      for (const [at, flash] of flashes.entries()) {
        assert.ok(Math.abs(flash - first - (seconds[at] ?? NaN)) < 0.01, `flash ${at} is at ${flash}`);
        assert.ok(Math.abs(flash - (beeps[at] ?? NaN)) < NOTICED_S, `flash ${at} is at ${flash}, its beep at ${beeps[at]}`);
      }
    });

  it('stay together behind a segment that has no sound', async () => {
    const { flashes, beeps } = await clipped([segment(1, 0), segment(2, 4, true), segment(3, 8)], { fromMs: T, toMs: T + 12_000 });
    assert.equal(flashes.length, 12);
    assert.equal(beeps.length, 8, `it beeps at ${beeps.join()}`);
    for (const beep of beeps)
      assert.ok(
        flashes.some((flash) => Math.abs(flash - beep) < NOTICED_S),
        `it beeps at ${beep}, and flashes at ${flashes.join()}`,
      );
  });

  async function clipped(
    segments: readonly MemorySegment[],
    request: Pick<ClipRequest, 'fromMs' | 'toMs'> & Partial<ClipRequest>,
  ): Promise<{ readonly flashes: number[]; readonly beeps: number[] }> {
    const archive = new MemoryArchive(segments);
    const openDraw = () => Promise.resolve(() => undefined);
    const clips = new Clips({ archive, ffmpeg, encodes: new PlaybackEncodes(1), openDraw });
    const file = path.join(folder, 'clip.mp4');
    const asked = { sourceId: 'gate', isExact: false, isAnnotated: false, ...request };
    const { stream } = await within(clips.open(asked, new AbortController().signal), 20_000, 'the clip');
    writeFileSync(file, await within(buffer(stream), 60_000, 'all of the clip'));
    await clips.close();
    assertNothingHeld(ffmpeg);
    return { flashes: flashesOf(file), beeps: beepsOf(file) };
  }
});
