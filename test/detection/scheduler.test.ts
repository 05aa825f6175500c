import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DetectionScheduler } from '../../src/detection/index.js';
import type { DetectionResult } from '../../src/detection/index.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import { VideoFrame } from '../../src/media/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A detector that works on one picture until told to go on. */
class FakeDetector {
  state: 'ready' | 'restarting' | 'closed' = 'ready';
  readonly seen: number[] = [];
  #finish: ((error?: Error) => void) | undefined;
  get isBusy(): boolean {
    return this.#finish !== undefined;
  }
  detect(picture: VideoFrame): Promise<DetectionResult> {
    this.seen.push(picture.mediaTimeMs);
    return new Promise((resolve, reject) => {
      this.#finish = (error) => {
        this.#finish = undefined;
        if (error) reject(error);
        else resolve({ detections: [], mediaTimeMs: picture.mediaTimeMs, inferenceMs: 1 });
      };
    });
  }
  async finish(error?: Error): Promise<void> {
    this.#finish?.(error);
    await new Promise(setImmediate);
  }
}

function setUp() {
  const detector = new FakeDetector();
  const clock = new FakeClock();
  const scheduler = new DetectionScheduler({ detector, clock, logger: silentLogger });
  return { detector, scheduler, clock };
}

let held = 0;
function picture(mediaTimeMs: number): VideoFrame {
  held++;
  return new VideoFrame({ data: Buffer.alloc(6), widthPx: 2, heightPx: 2, mediaTimeMs }, () => held--);
}

/** Offers a picture as the pipeline does: it holds its own reference for the time of the call. */
function offer(registration: { offer(picture: VideoFrame): void }, mediaTimeMs: number): void {
  const frame = picture(mediaTimeMs);
  registration.offer(frame);
  frame.release();
}

describe('DetectionScheduler', () => {
  it('takes the newest picture when the detector is free and gives the others back', async () => {
    const { detector, scheduler } = setUp();
    const results: number[] = [];
    const registration = scheduler.register('a', { maxFps: 60, onResult: ({ mediaTimeMs }) => results.push(mediaTimeMs) });
    for (const t of [0, 33, 66, 100]) offer(registration, t);
    assert.deepEqual(detector.seen, [0]);
    await detector.finish();
    assert.deepEqual(detector.seen, [0, 100]);
    await detector.finish();
    assert.deepEqual(results, [0, 100]);
    assert.deepEqual([registration.framesDetected, registration.framesSkipped], [2, 2]);
    registration.close();
    assert.equal(held, 0);
  });

  it('counts as latency what a picture waits for its turn, too', async () => {
    const { detector, scheduler, clock } = setUp();
    const first = scheduler.register('a', { maxFps: 60, onResult: () => undefined });
    const second = scheduler.register('b', { maxFps: 60, onResult: () => undefined });
    offer(first, 0);
    offer(second, 0);
    await clock.advance(40);
    await detector.finish();
    await clock.advance(10);
    await detector.finish();
    assert.deepEqual([first.latencyMs, second.latencyMs], [40, 50]);
    first.close();
    second.close();
  });

  it('looks at a source no more often than its limit', async () => {
    const { detector, scheduler } = setUp();
    const registration = scheduler.register('a', { maxFps: 15, onResult: () => undefined });
    for (let i = 0; i < 30; i++) {
      offer(registration, (i * 1000) / 30);
      await detector.finish();
    }
    assert.equal(detector.seen.length, 15);
    registration.close();
  });

  it('lets sources take turns', async () => {
    const { detector, scheduler } = setUp();
    const a = scheduler.register('a', { maxFps: 60, onResult: () => undefined });
    const b = scheduler.register('b', { maxFps: 60, onResult: () => undefined });
    for (let t = 0; t < 10; t++) {
      offer(a, t * 33);
      offer(b, 10_000 + t * 33);
      await detector.finish();
    }
    assert.ok(Math.abs(detector.seen.filter((t) => t >= 10_000).length - 5) <= 1, detector.seen.join());
    a.close();
    b.close();
    assert.equal(held, 0);
  });

  it('counts failures, goes on after them and delivers nothing after close', async () => {
    const { detector, scheduler } = setUp();
    let results = 0;
    const registration = scheduler.register('a', { maxFps: 60, onResult: () => results++ });
    offer(registration, 0);
    await detector.finish(new MediaPeerError('DETECTOR_FAILED', 'crashed'));
    assert.equal(registration.failures, 1);
    detector.state = 'restarting';
    offer(registration, 33);
    assert.equal(detector.seen.length, 1);
    detector.state = 'ready';
    offer(registration, 66);
    registration.close();
    await detector.finish();
    assert.equal(results, 0);
    assert.equal(held, 0);
  });
});
