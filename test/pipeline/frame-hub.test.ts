import assert from 'node:assert/strict';
import { it } from 'node:test';
import { i420Size, VideoFrame, type EncodedFrame } from '../../src/media/index.js';
import type { PipelineDeps } from '../../src/pipeline/deps.js';
import { FrameHub } from '../../src/pipeline/frame-hub.js';
import { FakeClock } from '../helpers/fake-clock.js';

const MIB = 1024 * 1024;

/** Without a consumer nothing is decoded, so nothing of the dependencies is used. */
function hub(): FrameHub {
  return new FrameHub({ name: 'gate', format: { codec: 'h264', widthPx: 16, heightPx: 16, fps: 30 }, deps: {} as PipelineDeps });
}

function frame(number: number, sizeBytes: number): EncodedFrame {
  return { data: Buffer.alloc(sizeBytes), mediaTimeMs: number * 33, keyframe: number === 0 };
}

it('a group of pictures that is too large for a decoder to begin with is let go until the next keyframe', () => {
  const pictures = hub();
  for (let i = 0; i < 10; i++) pictures.encoded(frame(i, MIB));
  assert.equal(pictures.openGroup.length, 10);
  for (let i = 10; i < 20; i++) pictures.encoded(frame(i, MIB));
  assert.equal(pictures.openGroup.length, 0, 'whoever publishes does not decide how much memory is taken');
  pictures.encoded(frame(0, MIB));
  assert.equal(pictures.openGroup.length, 1);
});

it('a group of too many frames is let go, too', () => {
  const pictures = hub();
  for (let i = 0; i < 600; i++) pictures.encoded(frame(i, 1));
  assert.equal(pictures.openGroup.length, 600);
  pictures.encoded(frame(600, 1));
  assert.equal(pictures.openGroup.length, 0);
});

it('whoever comes while a picture stands gets that one, at the time of now, and only once', async () => {
  const clock = new FakeClock();
  const pictures = new FrameHub({
    name: 'lapse',
    format: { codec: 'h264', widthPx: 16, heightPx: 16, fps: 1, longestFrameS: 60 },
    mediaTime: () => 30_000,
    deps: { clock } as unknown as PipelineDeps,
  });
  const give = (mediaTimeMs: number): void => {
    const picture = new VideoFrame({ data: Buffer.alloc(i420Size(16, 16), mediaTimeMs / 1000), widthPx: 16, heightPx: 16, mediaTimeMs });
    pictures.picture(picture);
    picture.release();
  };
  const seen: (readonly [number, number | undefined])[] = [];
  const late: number[] = [];
  pictures.add(({ mediaTimeMs, data }) => seen.push([mediaTimeMs, data[0]]));
  give(7000);
  await clock.advance(10_000);
  assert.deepEqual(seen, [[7000, 7]]);
  pictures.add(({ mediaTimeMs }) => late.push(mediaTimeMs));
  await clock.advance(10_000);
  assert.deepEqual(
    [seen, late],
    [
      [
        [7000, 7],
        [30_000, 7],
      ],
      [30_000],
    ],
  );
  pictures.repeatSoon();
  give(40_000);
  await clock.advance(10_000);
  assert.deepEqual(late, [30_000, 40_000]);
  await pictures.close();
});
