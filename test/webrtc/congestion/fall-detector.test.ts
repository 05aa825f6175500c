import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FallDetector } from '../../../src/webrtc/congestion/fall-detector.js';
import type { PacketResult } from '../../../src/webrtc/congestion/index.js';

const MBIT = 1_000_000;
const BYTES = 1_200;

/** Packets of a rate on a way of another, from a moment on at which nothing waits. @param burst packets that leave at once */
function packets(count: number, sentBps: number, wayBps: number, burst = 1): PacketResult[] {
  let freeMs = 0;
  return Array.from({ length: count }, (_, index) => {
    const sentMs = (Math.floor(index / burst) * burst * BYTES * 8_000) / sentBps;
    freeMs = Math.max(freeMs, sentMs) + (BYTES * 8_000) / wayBps;
    return { sizeBytes: BYTES, sentMs, arrivedMs: 7_000 + freeMs };
  });
}

const waitedMs = (results: readonly PacketResult[]): number => results.at(-1)!.arrivedMs! - 7_000 - results.at(-1)!.sentMs;

/** What it says of packets that are told of in two feedbacks. */
function told(results: readonly PacketResult[], mediaBps: number): number | undefined {
  const detector = new FallDetector();
  const half = results.length >> 1;
  const first = detector.add(results.slice(0, half), { newestMs: waitedMs(results.slice(0, half)), mediaBps }, 100);
  return first ?? detector.add(results.slice(half), { newestMs: waitedMs(results), mediaBps }, 175);
}

describe('a way that becomes much slower at once', () => {
  it('is seen by the packets of two feedbacks, with the rate that is left', () => {
    const bps = told(packets(20, 2.5 * MBIT, MBIT, 9), 2.5 * MBIT);
    assert.ok(bps !== undefined && Math.abs(bps / MBIT - 1) < 0.1, `${bps}`);
  });

  it('is seen at once where so little passes that few packets tell of it', () => {
    const bps = told(packets(10, 1.1 * MBIT, 0.3 * MBIT), 1.1 * MBIT);
    assert.ok(bps !== undefined && Math.abs(bps / (0.3 * MBIT) - 1) < 0.1, `${bps}`);
  });

  it('is confirmed by the next feedback where half passes and few packets tell of it: another flow has its moments', () => {
    const results = packets(33, 1.1 * MBIT, 0.64 * MBIT);
    /** What the last of three feedbacks makes of it. @param waitedMs by each */
    const third = (waitedMs: readonly [number, number, number]): number | undefined => {
      const detector = new FallDetector();
      return waitedMs
        .map((ms, i) => detector.add(results.slice(11 * i, 11 * (i + 1)), { newestMs: ms, mediaBps: 1.1 * MBIT }, 100 + 160 * i))
        .at(-1);
    };
    const bps = third([90, 140, 190]);
    assert.ok(bps !== undefined && Math.abs(bps / (0.64 * MBIT) - 1) < 0.1, `${bps}`);
    assert.equal(third([90, 90, 140]), undefined, 'once');
    assert.equal(third([90, 140, 130]), undefined, 'what waits gets less');
  });

  it('is none that carries most of it, a large frame that is over soon, or one of which few packets tell', () => {
    assert.equal(told(packets(40, 2.5 * MBIT, 2 * MBIT), 2.5 * MBIT), undefined);
    assert.equal(told(packets(40, 8 * MBIT, 3 * MBIT), 2.5 * MBIT), undefined);
    assert.equal(told(packets(7, 1.1 * MBIT, 0.1 * MBIT), 1.1 * MBIT), undefined);
  });

  it('is none where a receiver was busy: what waited longest was sent first', () => {
    const results = packets(30, 2.5 * MBIT, 8 * MBIT).map((packet) => ({ ...packet, arrivedMs: 7_250 }));
    assert.equal(told(results, 2.5 * MBIT), undefined);
  });

  it('is not seen in packets that are far apart, or before it was told to forget', () => {
    const results = packets(14, 2.5 * MBIT, MBIT);
    const late = new FallDetector();
    late.add(results.slice(0, 7), { newestMs: 0, mediaBps: 2.5 * MBIT }, 100);
    assert.equal(late.add(results.slice(7), { newestMs: 150, mediaBps: 2.5 * MBIT }, 400), undefined);
    const forgetful = new FallDetector();
    forgetful.add(results.slice(0, 7), { newestMs: 0, mediaBps: 2.5 * MBIT }, 100);
    forgetful.forget();
    assert.equal(forgetful.add(results.slice(7), { newestMs: 150, mediaBps: 2.5 * MBIT }, 175), undefined);
  });
});
