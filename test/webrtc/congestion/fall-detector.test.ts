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
  const first = detector.add(results.slice(0, half), waitedMs(results.slice(0, half)), mediaBps, 100);
  return first ?? detector.add(results.slice(half), waitedMs(results), mediaBps, 175);
}

describe('a way that becomes much slower at once', () => {
  it('is seen by the packets of two feedbacks, with the rate that is left', () => {
    const bps = told(packets(20, 2.5 * MBIT, MBIT, 9), 2.5 * MBIT);
    assert.ok(bps !== undefined && Math.abs(bps / MBIT - 1) < 0.1, `${bps}`);
  });

  it('is none that carries most of it, a large frame that is over soon, or one of which few packets tell', () => {
    assert.equal(told(packets(40, 2.5 * MBIT, 2 * MBIT), 2.5 * MBIT), undefined);
    assert.equal(told(packets(40, 8 * MBIT, 3 * MBIT), 2.5 * MBIT), undefined);
    assert.equal(told(packets(12, 2.5 * MBIT, 0.5 * MBIT), 2.5 * MBIT), undefined);
  });

  it('is none where a receiver was busy: what waited longest was sent first', () => {
    const results = packets(30, 2.5 * MBIT, 8 * MBIT).map((packet) => ({ ...packet, arrivedMs: 7_250 }));
    assert.equal(told(results, 2.5 * MBIT), undefined);
  });

  it('is not seen in packets that are far apart, or before it was told to forget', () => {
    const results = packets(20, 2.5 * MBIT, MBIT);
    const late = new FallDetector();
    late.add(results.slice(0, 10), 0, 2.5 * MBIT, 100);
    assert.equal(late.add(results.slice(10), 150, 2.5 * MBIT, 400), undefined);
    const forgetful = new FallDetector();
    forgetful.add(results.slice(0, 10), 0, 2.5 * MBIT, 100);
    forgetful.forget();
    assert.equal(forgetful.add(results.slice(10), 150, 2.5 * MBIT, 175), undefined);
  });
});
