import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import { DetectionFeed, type FrameDetections } from '../../src/media/index.js';
import { StandingLeases } from '../../src/pipeline/index.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

interface FakeSource {
  openDetections(): { readonly feed: DetectionFeed; release(): void };
}

/** Sources that can be ended, refused and kept waiting; counts what is held. */
class FakeSources {
  readonly feeds = new Map<string, DetectionFeed>();
  readonly refused = new Set<string>();
  /** Awaited before a source is opened. */
  gate: Promise<void> = Promise.resolve();
  opened = 0;
  held = 0;

  async open(sourceId: string): Promise<FakeSource> {
    this.opened++;
    await this.gate;
    if (this.refused.has(sourceId)) throw new MediaPeerError('SOURCE_NOT_FOUND', 'gone');
    return { openDetections: () => this.#lease(sourceId) };
  }

  #lease(sourceId: string): ReturnType<FakeSource['openDetections']> {
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

function rig(): { sources: FakeSources; clock: FakeClock; wanted: string[]; read: string[]; leases: StandingLeases<FakeSource> } {
  const sources = new FakeSources();
  const clock = new FakeClock();
  const wanted: string[] = [];
  const read: string[] = [];
  const leases = new StandingLeases<FakeSource>({
    open: (sourceId) => sources.open(sourceId),
    clock,
    logger: silentLogger,
    purpose: 'test',
    wanted: () => wanted,
    lease: (source) => {
      const { feed, ...lease } = source.openDetections();
      feed.subscribe(({ sourceId, frame }) => void read.push(`${sourceId} ${frame}`));
      return { onClosed: (listener) => feed.onClosed(listener), release: () => lease.release() };
    },
  });
  return { sources, clock, wanted, read, leases };
}

const held = (sources: FakeSources, count: number): Promise<unknown> => eventually(() => sources.held === count, 1000, `${count} leases`);

describe('StandingLeases', () => {
  it('hold exactly the sources that are wanted', async () => {
    const { sources, clock, wanted, read, leases } = rig();
    wanted.push('a', 'b');
    leases.sync();
    leases.sync();
    await held(sources, 2);
    assert.equal(sources.opened, 2);
    sources.feeds.get('a')?.publish(detections('a', 7));
    wanted.splice(0, 1);
    leases.sync();
    assert.deepEqual([leases.sources, sources.held], [['b'], 1]);
    assert.deepEqual(read, ['a 7']);
    leases.close();
    assert.deepEqual([sources.held, clock.pendingTimers], [0, 0]);
  });

  it('open a source again that ended or cannot be opened, after growing delays, until it is no longer wanted', async () => {
    const { sources, clock, wanted, read, leases } = rig();
    wanted.push('a');
    leases.sync();
    await held(sources, 1);
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
    leases.sync();
    assert.equal(clock.pendingTimers, 0);
    leases.close();
  });

  it('lease nothing of a source that became unwanted, or of a server that closed, while it was being opened', async () => {
    const { sources, clock, wanted, leases } = rig();
    let open = (): void => undefined;
    sources.gate = new Promise((resolve) => (open = resolve));
    wanted.push('a', 'b');
    leases.sync();
    wanted.splice(0, 1);
    leases.sync();
    leases.close();
    open();
    await sources.gate;
    await new Promise(setImmediate);
    assert.deepEqual([sources.opened, sources.held, clock.pendingTimers], [2, 0, 0]);
  });
});
