import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { BT601, DetectionFeed, FramePool, i420Size, type FrameDetections, type VideoFrame } from '../../src/media/index.js';
import type { DetectedFrame } from '../../src/pipeline/frame-detection.js';
import { FrameNumbers } from '../../src/pipeline/frame-numbers.js';
import { StoredDetection } from '../../src/pipeline/stored-detection.js';
import { objectIn } from '../helpers/fake-archive.js';

const SIZE = { widthPx: 16, heightPx: 16 };

function open() {
  const feed = new DetectionFeed('street');
  const published: FrameDetections[] = [];
  feed.subscribe((detections) => published.push(detections));
  const wanted: boolean[] = [];
  const pictureTakers = new Set<(seen: DetectedFrame) => void>();
  const detection = new StoredDetection({
    feed,
    frameNumbers: new FrameNumbers(),
    pictureTakers,
    want: (isWanted) => wanted.push(isWanted),
    logger: silentLogger,
  });
  const pool = new FramePool(i420Size(16, 16));
  const picture = (mediaTimeMs: number): VideoFrame => pool.frame({ data: pool.take(), ...SIZE, mediaTimeMs, colour: BT601 });
  return { detection, published, wanted, pictureTakers, picture };
}

const message = (number: number, mediaTimeMs: number): FrameDetections => ({
  sourceId: 'street',
  frame: number,
  mediaTimeMs,
  ...SIZE,
  inferenceMs: 1,
  objects: [objectIn(number)],
  scene: undefined,
});

describe('the detections of a recording', () => {
  it('give each picture the objects that were in it, however late it is decoded', () => {
    const { detection, picture } = open();
    for (let i = 0; i < 40; i++) detection.seen({ mediaTimeMs: i * 33, objects: [objectIn(i)], message: undefined });
    for (let i = 0; i < 40; i++) {
      const decoded = picture(i * 33);
      detection.consume(decoded);
      assert.deepEqual(detection.objects, [objectIn(i)]);
      decoded.release();
    }
    const unknown = picture(5_000);
    detection.consume(unknown);
    assert.deepEqual(detection.objects, [], 'nothing is drawn where nothing is known');
    unknown.release();
    detection.close();
  });

  it('publish what was published then, and nothing of other frames', () => {
    const { detection, published } = open();
    detection.seen({ mediaTimeMs: 0, objects: [objectIn(0)], message: message(0, 0) });
    detection.seen({ mediaTimeMs: 33, objects: [objectIn(1)], message: undefined });
    assert.deepEqual(
      published.map(({ frame }) => frame),
      [0],
    );
    assert.equal(detection.activity.framesDetected, 1);
    detection.close();
  });

  it('forget frames that never come out of the decoder', () => {
    const { detection, picture } = open();
    for (let i = 0; i < 2_000; i++) detection.seen({ mediaTimeMs: i, objects: [objectIn(i)], message: undefined });
    const oldest = picture(100);
    detection.consume(oldest);
    assert.deepEqual(detection.objects, []);
    oldest.release();
    detection.close();
  });

  it('ask the source for them as long as somebody wants them, and hand pictures to whoever waits for one', () => {
    const { detection, wanted, pictureTakers, picture } = open();
    const taken: DetectedFrame[] = [];
    pictureTakers.add((seen) => taken.push(seen));
    detection.seen({ mediaTimeMs: 7, objects: [objectIn(3)], message: undefined });
    const decoded = picture(7);
    detection.consume(decoded);
    assert.deepEqual(taken[0]?.objects, [objectIn(3)]);
    assert.equal(pictureTakers.size, 0);
    taken[0].picture.release();
    decoded.release();
    detection.close();
    assert.deepEqual(wanted, [true, false]);
  });
});
