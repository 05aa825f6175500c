import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import { DetectionFeed, type FrameDetections } from '../../src/media/index.js';
import { StandingReaders } from '../../src/pipeline/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** Sources that can be ended and refused; counts what is held. */
class FakeSources {
  readonly feeds = new Map<string, DetectionFeed>();
  readonly refused = new Set<string>();
  opened = 0;
  held = 0;

  openDetections(sourceId: string): { feed: DetectionFeed; release: () => void } {
    this.opened++;
    if (this.refused.has(sourceId)) throw new MediaPeerError('SOURCE_NOT_FOUND', 'gone');
    const feed = new DetectionFeed(sourceId);
    this.feeds.set(sourceId, feed);
    this.held++;
    let isHeld = true;
    return { feed, release: () => (isHeld ? (this.held--, (isHeld = false)) : undefined) };
  }
}

const detections = (sourceId: string, frame: number): FrameDetections => ({
  sourceId,
  frame,
  mediaTimeMs: 0,
  widthPx: 2,
  heightPx: 2,
  inferenceMs: 1,
  objects: [],
  scene: undefined,
});

function rig(): { sources: FakeSources; clock: FakeClock; wanted: string[]; read: string[]; readers: StandingReaders } {
  const sources = new FakeSources();
  const clock = new FakeClock();
  const wanted: string[] = [];
  const read: string[] = [];
  const readers = new StandingReaders({
    pipelines: sources,
    clock,
    logger: silentLogger,
    wanted: () => wanted,
    onDetections: ({ sourceId, frame }) => void read.push(`${sourceId} ${frame}`),
  });
  return { sources, clock, wanted, read, readers };
}

describe('StandingReaders', () => {
  it('read exactly the sources that are wanted', () => {
    const { sources, clock, wanted, read, readers } = rig();
    wanted.push('a', 'b');
    readers.sync();
    readers.sync();
    assert.deepEqual([sources.opened, sources.held], [2, 2]);
    sources.feeds.get('a')?.publish(detections('a', 7));
    wanted.splice(0, 1);
    readers.sync();
    assert.deepEqual([readers.sources, sources.held], [['b'], 1]);
    sources.feeds.get('a')?.publish(detections('a', 8));
    assert.deepEqual(read, ['a 7']);
    readers.close();
    assert.deepEqual([sources.held, clock.pendingTimers], [0, 0]);
  });

  it('read a source again that ended or cannot be read, after growing delays, until it is no longer wanted', async () => {
    const { sources, clock, wanted, read, readers } = rig();
    wanted.push('a');
    readers.sync();
    sources.refused.add('a');
    sources.feeds.get('a')?.close('source-ended');
    assert.deepEqual([sources.held, clock.pendingTimers], [0, 1]);
    await clock.advance(60_000);
    assert.ok(sources.opened >= 6 && sources.opened <= 20, `${sources.opened} attempts in a minute`);
    sources.refused.clear();
    await clock.advance(10_000);
    sources.feeds.get('a')?.publish(detections('a', 1));
    assert.deepEqual(read, ['a 1']);
    sources.feeds.get('a')?.close('source-ended');
    wanted.length = 0;
    readers.sync();
    assert.equal(clock.pendingTimers, 0);
    readers.close();
  });
});
