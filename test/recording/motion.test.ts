/** Motion in recordings that no detector looked at. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { FlvParser } from '../../src/ffmpeg/index.js';
import { MotionLog } from '../../src/recording/motion-log.js';
import type { RecordedSegment, SegmentChange } from '../../src/recording/index.js';
import { openSegmentReader } from '../../src/recording/segment-reader.js';
import { StreamMotion, type CodedPicture, type MotionMinute } from '../../src/recording/stream-motion.js';
import type { SeenEntry } from '../../src/store/index.js';
import { eventually } from '../helpers/deadline.js';
import { openWriter } from '../helpers/recorded-clips.js';

const T = 1_796_061_600_000;
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-motion-'));
after(() => rmSync(folder, { recursive: true }));

/** Ten pictures a second, a keyframe every two. @param bytesIn of the pictures of a second */
async function* stream(seconds: number, bytesIn: (second: number) => number, fromMs = T): AsyncGenerator<CodedPicture> {
  for (let n = 0; n < seconds * 10; n++) {
    const keyframe = n % 20 === 0;
    yield await Promise.resolve({ wallMs: fromMs + n * 100, bytes: keyframe ? 50_000 : bytesIn(Math.floor(n / 10)), keyframe });
  }
}

describe('motion of a stream', () => {
  it('is the share of the seconds of a minute that need more than usual, keyframes left out', async () => {
    const motion = new StreamMotion();
    const noise = (second: number): number => 1000 + 300 * (((second * 7) % 3) - 1);
    assert.deepEqual(await motion.minutesOf(stream(60, noise)), [{ atMs: T, motion: 0 }]);
    // Somebody walks by for twelve seconds in the minute that follows.
    const walking = await motion.minutesOf(stream(120, (second) => (second >= 20 && second < 32 ? 4000 : noise(second)), T + 60_000));
    assert.deepEqual(walking, [
      { atMs: T + 60_000, motion: 0.2 },
      { atMs: T + 120_000, motion: 0 },
    ]);
  });

  it('grows used to a scene that stays as it has become, and at once to a quieter one', async () => {
    const motion = new StreamMotion();
    await motion.minutesOf(stream(60, () => 1000));
    const night = await motion.minutesOf(stream(1800, () => 2500, T + 60_000));
    assert.deepEqual([night[0]?.motion, night.at(-1)?.motion], [1, 0]);
    await motion.minutesOf(stream(60, () => 500, T + 2_000_000));
    assert.deepEqual(await motion.minutesOf(stream(60, () => 2500, T + 2_100_000)), [
      { atMs: Math.floor((T + 2_100_000) / 60_000) * 60_000, motion: 1 },
    ]);
  });

  it('is nothing where a picture that does not change needs a few bytes more, and unknown where there are keyframes alone', async () => {
    const motion = new StreamMotion();
    assert.deepEqual(await motion.minutesOf(stream(60, (second) => (second % 2 === 0 ? 20 : 90))), [{ atMs: T, motion: 0 }]);
    const still = (async function* () {
      for await (const each of stream(10, () => 1)) if (each.keyframe) yield each;
    })();
    assert.deepEqual(await motion.minutesOf(still), []);
  });

  it('is found in the files of a recording while they become whole, without their pictures', async () => {
    // A street of noise that stands still for 20 s, is crossed for 10 s, and stands still again.
    const moving = "overlay=x='if(between(t,20,30),(t-20)*32,-100)':y=60:eval=frame";
    const filter = `[0]noise=alls=2:allf=t[street];testsrc2=size=80x60:rate=15[car];[street][car]${moving}`;
    const flv = execFileSync(
      'ffmpeg',
      [
        ...[
          '-nostdin',
          '-v',
          'error',
          '-f',
          'lavfi',
          '-i',
          'testsrc=size=320x180:rate=15:duration=50,select=eq(n\\,0),loop=-1:1,trim=duration=50',
        ],
        ...[
          '-filter_complex',
          filter,
          '-t',
          '50',
          '-c:v',
          'libx264',
          '-preset',
          'superfast',
          '-crf',
          '28',
          '-pix_fmt',
          'yuv420p',
          '-bf',
          '0',
        ],
        ...['-g', '30', '-f', 'flv', 'pipe:1'],
      ],
      { maxBuffer: 64 << 20 },
    );
    const { writer, finished } = openWriter(folder, { hasSound: false });
    let count = 0;
    new FlvParser((frame) => writer.write('video', { ...frame, mediaTimeMs: (count++ * 1000) / 15 }, 'h264')).push(flv);
    await writer.close();
    assert.equal(finished.length, 1);
    const reader = await openSegmentReader(finished[0]?.file ?? '');
    const minutes: MotionMinute[] = await new StreamMotion().minutesOf(reader.pictures());
    await reader.close();
    const seconds = minutes.reduce((sum, { motion }) => sum + motion, 0);
    assert.ok(minutes.length > 0 && seconds > 0.14 && seconds < 0.3, JSON.stringify(minutes));
  });
});

describe('a log of motion', () => {
  it('looks at each segment once it is whole, one after the other, and goes on where one cannot be read', async () => {
    const kept: SeenEntry[] = [];
    let tell: (change: SegmentChange) => void = () => undefined;
    let running = 0;
    const segment = (id: number, more: Partial<RecordedSegment> = {}): RecordedSegment => ({
      ...{ id, run: 1, sourceId: 'gate', file: `${id}.mp4`, bytes: 1, isTranscoded: false, isOpen: false },
      ...{ fromMs: T + id * 60_000, toMs: T + id * 60_000 + 60_000 },
      format: { video: { codec: 'h264', widthPx: 640, heightPx: 360, codecs: 'avc1.64001f' }, hasSound: false },
      ...more,
    });
    const log = new MotionLog({
      archive: { onChange: (listener) => ((tell = listener), () => (tell = () => undefined)) },
      picturesOf: async function* ({ id, fromMs }) {
        assert.equal(++running, 1);
        try {
          if (id === 2) throw new Error('it is gone');
          yield* stream(60, () => (id === 3 ? 5000 : 1000), fromMs);
        } finally {
          running--;
        }
      },
      keep: (entry) => void kept.push(entry),
      logger: silentLogger,
    });
    for (const id of [1, 2, 3]) {
      tell({ kind: 'begun', segment: segment(id) });
      tell({ kind: 'finished', segment: segment(id) });
    }
    tell({ kind: 'finished', segment: segment(4) });
    tell({ kind: 'removed', segment: segment(4) });
    // Another size is not compared with what was.
    const { video } = segment(5).format;
    tell({ kind: 'finished', segment: segment(5, { format: { video: video && { ...video, widthPx: 1920 }, hasSound: false } }) });
    tell({ kind: 'finished', segment: segment(6, { format: { video: undefined, hasSound: true } }) });
    await eventually(() => kept.length === 3, 5000, 'three minutes');
    await log.close();
    assert.deepEqual(
      kept.map((entry) => (entry.kind === 'seen-motion' ? [(entry.atMs - T) / 60_000, entry.motion] : [])),
      [
        [1, 0],
        [3, 1],
        [5, 0],
      ],
    );
  });
});
