import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DetectorRate } from '../../../src/page/overlay/detector-rate.js';

describe("the detector's rate", () => {
  it('is told with the mean time of the model, once there are two messages', () => {
    const rate = new DetectorRate();
    rate.add(4, 0);
    assert.equal(rate.figures, undefined);
    for (let i = 1; i <= 10; i++) rate.add(15, i * 100);
    assert.deepEqual(rate.figures, { perSecond: 10, inferenceMs: 14 });
  });

  it('is that of the newest messages', () => {
    const rate = new DetectorRate();
    for (let i = 0; i < 40; i++) rate.add(i < 10 ? 1000 : 5, i * (i < 10 ? 1 : 50));
    assert.deepEqual(rate.figures, { perSecond: 20, inferenceMs: 5 });
  });
});
