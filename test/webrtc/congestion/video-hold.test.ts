import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RateEstimate } from '../../../src/webrtc/congestion/rate-estimate.js';
import { SentBytes } from '../../../src/webrtc/congestion/sent-bytes.js';
import { VideoHold } from '../../../src/webrtc/congestion/video-hold.js';

const MBIT = 1_000_000;

describe('video that is held', () => {
  it('is held for a queue of 50 ms and more, until it is shorter', () => {
    const hold = new VideoHold();
    hold.begin(49, 0);
    assert.equal(hold.isHeld, false);
    hold.begin(200, 0);
    assert.equal(hold.update(120, 100), undefined);
    assert.equal(hold.isHeld, true);
    assert.equal(hold.update(49, 200), undefined);
    assert.equal(hold.isHeld, false);
  });

  it('flows again after 2 s in any case, which tells that there was no queue', () => {
    const hold = new VideoHold();
    hold.begin(200, 0);
    assert.equal(hold.update(190, 2_001), 'stuck');
    assert.equal(hold.isHeld, false);
  });

  it('knows how far the queue has drained before feedback tells it', () => {
    const hold = new VideoHold();
    // 100 ms waited at 1,000 ms; 12,500 bytes were sent since, which take 100 ms more.
    const queue = { acknowledgedMs: 1_000, queueMs: 100, bytesSince: 12_500, rateBps: MBIT };
    assert.deepEqual(
      [1_000, 1_150, 1_300].map((nowMs) => hold.drainingMs(queue, nowMs)),
      [200, 50, 0],
    );
  });

  it('drains as time passes where nothing is acknowledged', () => {
    const hold = new VideoHold();
    hold.begin(300, 1_000);
    assert.equal(hold.drainingMs({ acknowledgedMs: undefined, queueMs: 0, bytesSince: 0, rateBps: MBIT }, 1_200), 100);
  });
});

describe('the count of what was sent', () => {
  it('tells what left since, and how fast', () => {
    const sent = new SentBytes();
    for (let nowMs = 0; nowMs < 20_000; nowMs += 2) sent.add(250, nowMs);
    assert.ok(Math.abs(sent.after(19_000) - 125_000) <= 750, `${sent.after(19_000)}`);
    assert.ok(Math.abs(sent.rateBps(1_000, 20_000) - MBIT) < 10_000);
    assert.ok(sent.after(-1) >= 250 * 1_000, 'all that is known');
  });
});

describe('an estimate', () => {
  it('grows to 1.5 × what arrives, never beyond what was found not to fit', () => {
    const estimate = new RateEstimate();
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) estimate.grow(0, MBIT, 100, nowMs);
    assert.equal(estimate.bps, 1.5 * MBIT);
    estimate.limit(1.2 * MBIT, 20_000);
    estimate.grow(0, MBIT, 100, 20_100);
    assert.equal(estimate.bps, 1.2 * MBIT);
    estimate.grow(3 * MBIT, MBIT, 100, 20_200);
    assert.equal(estimate.bps, 3 * MBIT);
  });

  it('backs off to 0.85 × what arrives, and has bounds', () => {
    const estimate = new RateEstimate();
    estimate.backOff(MBIT);
    assert.deepEqual([estimate.bps, Math.round(estimate.carriedBps)], [0.85 * MBIT, MBIT]);
    estimate.set(0);
    assert.equal(estimate.bps, 20_000);
    estimate.set(2 ** 60);
    assert.equal(estimate.bps, 1_000 * MBIT);
  });
});
