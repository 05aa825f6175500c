/** Which sources the broker gets pictures of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import type { FrameDetections, TrackedObject } from '../../src/media/index.js';
import { Snapshots } from '../../src/mqtt/snapshots.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A frame in which something is at a place. */
function frame(sourceId: string, x: number): FrameDetections {
  const object = { objectId: 1, box: [x, 0, 10, 10], isObserved: true } as unknown as TrackedObject;
  return { sourceId, objects: [object], widthPx: 320 } as unknown as FrameDetections;
}

describe('snapshots for the broker', () => {
  it('are of sources that are there: not of one whose last frame is looked at after it has gone', async (t) => {
    const clock = new FakeClock();
    const made: string[] = [];
    const taking: (() => void)[] = [];
    const snapshots = new Snapshots({
      take: (sourceId, isAnnotated) =>
        new Promise((resolve) => taking.push(() => resolve(Buffer.from(`${sourceId}${isAnnotated ? ' with boxes' : ''}`)))),
      onSnapshot: (_sourceId, jpeg) => made.push(String(jpeg)),
      isWanted: () => true,
      clock,
      logger: silentLogger,
    });
    t.after(() => snapshots.close());
    const settle = async (): Promise<void> => {
      await clock.advance(2000);
      for (const finish of taking.splice(0)) finish();
      await clock.advance(0);
    };
    snapshots.becameLive('gate');
    await settle();
    snapshots.saw(frame('gate', 0));
    await settle();
    assert.deepEqual(made.splice(0), ['gate', 'gate with boxes']);

    snapshots.forget('gate');
    snapshots.saw(frame('gate', 100));
    await settle();
    assert.deepEqual(made, []);

    // One that was being made when the source went is not that of the next source of its name.
    snapshots.becameLive('gate');
    await clock.advance(0);
    snapshots.forget('gate');
    snapshots.becameLive('gate');
    await settle();
    assert.equal(made.length, 1);
  });
});
