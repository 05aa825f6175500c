import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitrateMeter } from '../../src/media/index.js';
import { rungBitrateBps, rungsBelow, rungSize } from '../../src/pipeline/ladder.js';

const rungs = (widthPx: number, heightPx: number, bitrateBps?: number, plan: Parameters<typeof rungsBelow>[1] = 'auto'): number[] =>
  rungsBelow({ widthPx, heightPx, fps: 30, bitrateBps }, plan).map(({ shortSidePx }) => shortSidePx);

describe('the rungs of a source', () => {
  it('are by themselves those that are smaller and take at most 0.7 of its bitrate', () => {
    assert.deepEqual(rungs(1920, 1080, 5_000_000), [720, 540, 360, 180]);
    assert.deepEqual(rungs(1920, 1080, 2_500_000), [540, 360, 180]);
    assert.deepEqual(rungs(1280, 720, 2_500_000), [540, 360, 180]);
    assert.deepEqual(rungs(1280, 720, 1_100_000 / 0.7), [540, 360, 180]);
    assert.deepEqual(rungs(1280, 720, 1_100_000 / 0.7 - 1), [360, 180]);
    assert.deepEqual(rungs(640, 360, 800_000), [180]);
    assert.deepEqual(rungs(320, 180, 800_000), []);
    assert.deepEqual(rungs(1280, 720, 200_000), []);
  });

  it('are named by the shorter side', () => {
    assert.deepEqual(rungs(720, 1280, 2_500_000), [540, 360, 180]);
    assert.deepEqual(rungs(4096, 300, 2_500_000), [180]);
  });

  it('are guessed from the size while the bitrate is unknown', () => {
    assert.deepEqual(rungs(1920, 1080), [720, 540, 360, 180]);
    assert.deepEqual(rungs(1280, 720), [540, 360, 180]);
    assert.deepEqual(rungs(640, 360), [180]);
  });

  it('are those of a list that are not larger and take less', () => {
    const plan = [720, 540, 360].map((shortSidePx, i) => ({ shortSidePx, bitrateBps: 1_500_000 - i * 500_000 }));
    assert.deepEqual(rungs(1280, 720, 2_500_000, plan), [720, 540, 360]);
    assert.deepEqual(rungs(1280, 720, 1_500_000, plan), [540, 360]);
    assert.deepEqual(rungs(960, 540, 2_500_000, plan), [540, 360]);
    assert.deepEqual(rungs(1280, 720, 2_500_000, []), []);
  });

  it('keep the proportion in even sides, and never grow', () => {
    const size = (widthPx: number, heightPx: number, side: number): string =>
      Object.values(rungSize({ widthPx, heightPx }, side)).join('x');
    assert.equal(size(1280, 720, 360), '640x360');
    assert.equal(size(720, 1280, 360), '360x640');
    assert.equal(size(852, 480, 360), '640x360');
    assert.equal(size(1366, 768, 540), '960x540');
    assert.equal(size(1046, 576, 180), '326x180');
    assert.equal(size(640, 360, 720), '640x360');
    assert.equal(size(2000, 20, 16), '1600x16');
  });

  it('take what the plan says, and what suits their size where it says nothing', () => {
    const base = { widthPx: 1280, heightPx: 720, fps: 30, bitrateBps: undefined };
    assert.equal(rungBitrateBps(base, 360, 'auto'), 550_000);
    assert.equal(rungBitrateBps(base, 360, [{ shortSidePx: 360, bitrateBps: 400_000 }]), 400_000);
    const unplanned = rungBitrateBps(base, 480, 'auto');
    assert.ok(unplanned > 550_000 && unplanned < 1_100_000, `${unplanned}`);
  });
});

describe('the bitrate of a stream', () => {
  it('is unknown for 4 s, and then the most of the last 12', () => {
    const meter = new BitrateMeter();
    const second = (from: number, bytes: number): void => {
      for (let i = 0; i < 10; i++) meter.add(bytes / 10, from * 1000 + i * 100);
    };
    for (let at = 0; at < 4; at++) second(at, 100_000);
    assert.equal(meter.bitrateBps, undefined);
    second(4, 100_000);
    assert.equal(meter.bitrateBps, 800_000);
    for (let at = 5; at < 13; at++) second(at, 10_000);
    assert.equal(meter.bitrateBps, 800_000);
    for (let at = 13; at < 25; at++) second(at, 10_000);
    assert.equal(meter.bitrateBps, 80_000);
  });
});
