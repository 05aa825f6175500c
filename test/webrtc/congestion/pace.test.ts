import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PacketResult } from '../../../src/webrtc/congestion/index.js';
import { Pace } from '../../../src/webrtc/congestion/pace.js';
import { NetworkRun } from '../../helpers/network-run.js';

const MBIT = 1_000_000;

const results = (count: number, lost: number): PacketResult[] =>
  Array.from({ length: count }, (_, index) => ({ sizeBytes: 1_200, sentMs: index, arrivedMs: index < lost ? undefined : index + 20 }));

describe('the pace', () => {
  it('is 2.5 × the estimate, and less than it where a queue has grown', () => {
    const pace = new Pace();
    assert.deepEqual(
      [0, 30, 80, 300].map((queueMs) => pace.bps(MBIT, queueMs) / MBIT),
      [2.5, 2.5, 0.85, 0.85],
    );
  });

  it('is slowed down by packets that are lost together, once for each feedback of before, and is back in minutes', () => {
    const pace = new Pace();
    assert.equal(pace.onFeedback(results(40, 10), 50, 0), true);
    assert.equal(pace.onFeedback(results(40, 10), 50, 100), false);
    for (let nowMs = 1_000; nowMs < 10_000; nowMs += 1_000) pace.onFeedback(results(40, 10), 50, nowMs);
    assert.ok(Math.abs(pace.bps(MBIT, 0) / MBIT - 1.15) < 0.01);
    for (let nowMs = 10_000; nowMs < 130_000; nowMs += 100) pace.onFeedback(results(10, 0), 100, nowMs);
    assert.equal(pace.bps(MBIT, 0) / MBIT, 2.5);
  });

  it('is not slowed down by what a wireless link loses', () => {
    const pace = new Pace();
    for (const lost of [1, 2, 3]) assert.equal(pace.onFeedback(results(10, lost), 50, lost * 1_000), false);
    assert.equal(pace.onFeedback(results(60, 8), 50, 9_000), false);
    assert.equal(pace.bps(MBIT, 0) / MBIT, 2.5);
  });
});

describe('a viewer behind a queue of 20 or 50 ms, which has no room for a keyframe at once', () => {
  for (const [mbit, queueLimitMs] of [
    [1.5, 50],
    [3, 50],
    [3.5, 20],
    [4, 20],
  ] as const) {
    it(`of ${mbit} Mbit/s and ${queueLimitMs} ms has its picture all the time`, () => {
      for (const seed of [1, 2, 3]) {
        const run = new NetworkRun({ rateBps: mbit * MBIT, queueLimitMs, seed }, [{ bufferMs: 100 }]).runTo(40_000);
        const frozenMs = run.freezes(12_000).reduce((sum, ms) => sum + ms, 0);
        assert.ok(frozenMs <= 280, `${frozenMs} ms of 28 s (seed ${seed})`);
      }
    });
  }
});
