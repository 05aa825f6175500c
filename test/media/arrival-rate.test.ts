import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArrivalRate } from '../../src/media/index.js';

/** Pictures with these times between them; returns the time of the last. */
function feed(rate: ArrivalRate, intervalsMs: readonly number[], fromMs = 0): number {
  let nowMs = fromMs;
  if (fromMs === 0) rate.arrived(0, 0);
  for (const interval of intervalsMs) rate.arrived((nowMs += interval), nowMs);
  return nowMs;
}
const steady = (intervalMs: number, count: number): number[] => Array.from({ length: count }, () => intervalMs);

describe('ArrivalRate', () => {
  for (const [fps, silentMs, deadMs] of [
    [120, 2000, 10_000],
    [25, 2000, 10_000],
    [2, 2000, 10_000],
    [1, 3000, 10_000],
    [1 / 4, 9000, 12_000],
    [1 / 12, 25_000, 36_000],
  ] as const) {
    it(`takes a source of ${fps.toFixed(2)} pictures a second for silent after ${silentMs / 1000} s, and for dead after ${deadMs / 1000} s`, () => {
      const rate = new ArrivalRate();
      const nowMs = feed(rate, steady(1000 / fps, Math.max(4, Math.ceil(fps * 3))));
      assert.deepEqual([Math.round(rate.silentAfterMs(nowMs)), Math.round(rate.deadAfterMs(nowMs))], [silentMs, deadMs]);
      assert.ok(Math.abs((rate.fps ?? 0) / fps - 1) < 0.05, `${rate.fps}`);
    });
  }

  it('is patient before it knows, and quick where nothing ever came', () => {
    const rate = new ArrivalRate();
    assert.equal(rate.silentAfterMs(0), 2000);
    rate.arrived(0, 0);
    assert.deepEqual([rate.isKnown, rate.silentAfterMs(0), rate.deadAfterMs(0)], [false, 15_000, 40_000]);
  });

  it('is not misled by one pause of a quick source, nor by one between two connections', () => {
    const rate = new ArrivalRate();
    let nowMs = feed(rate, [...steady(40, 100), 9000, ...steady(40, 100)]);
    assert.equal(rate.silentAfterMs(nowMs), 2000);
    rate.interrupt();
    nowMs = feed(rate, [9000, ...steady(40, 100)], nowMs);
    assert.equal(rate.silentAfterMs(nowMs), 2000);
  });

  it('learns that a source has become slow, and forgets it when it has not been for a while', () => {
    const rate = new ArrivalRate();
    let nowMs = feed(rate, [...steady(40, 500), 4000, 4000]);
    assert.equal(rate.silentAfterMs(nowMs), 9000);
    nowMs = feed(rate, steady(40, 2500), nowMs);
    assert.equal(rate.silentAfterMs(nowMs), 2000);
  });

  it('takes the steps of pictures that come at once in the beginning from their stamps', () => {
    const rate = new ArrivalRate();
    for (const stampMs of [0, 40, 12_000, 24_000]) rate.arrived(stampMs, 100);
    assert.deepEqual([rate.isKnown, rate.silentAfterMs(100)], [false, 15_000]);
    for (const atMs of [36_000, 48_000, 60_000]) rate.arrived(atMs, atMs);
    assert.equal(rate.silentAfterMs(60_000), 25_000);
    const jumping = new ArrivalRate();
    for (const stampMs of [0, 3_600_000, 7_200_000, 10_800_000]) jumping.arrived(stampMs, stampMs / 90_000);
    assert.equal(jumping.silentAfterMs(100), 2000);
  });

  it('holds a bounded number of pauses', () => {
    const rate = new ArrivalRate();
    const nowMs = feed(rate, steady(500, 10_000));
    assert.equal(rate.silentAfterMs(nowMs), 2000);
  });
});
