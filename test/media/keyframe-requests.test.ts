import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyframeRequests } from '../../src/media/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const sentAt: number[] = [];
  const requests = new KeyframeRequests(clock, () => sentAt.push(clock.now()));
  return { clock, sentAt, requests };
}

describe('KeyframeRequests', () => {
  it('are merged: at most one in 500 ms, however many ask', async () => {
    const { clock, sentAt, requests } = setUp();
    for (let i = 0; i < 100; i++) {
      requests.request();
      if (i % 10 === 9) requests.answered();
      await clock.advance(20);
    }
    requests.close();
    assert.equal(sentAt[0], 0);
    for (const [i, atMs] of sentAt.entries()) if (i > 0) assert.ok(atMs - sentAt[i - 1]! >= 500);
    assert.ok(sentAt.length >= 3 && requests.sent === sentAt.length);
    assert.equal(clock.pendingTimers, 0);
  });

  it('are repeated less and less often until a keyframe comes, and sent at once after that', async () => {
    const { clock, sentAt, requests } = setUp();
    requests.request();
    await clock.advance(16_000);
    assert.deepEqual(sentAt, [0, 500, 1500, 3500, 7500, 11_500, 15_500]);
    requests.answered();
    await clock.advance(60_000);
    assert.equal(sentAt.length, 7);
    requests.request();
    assert.deepEqual(sentAt.slice(7), [76_000]);
    requests.close();
  });

  it('wait for 500 ms to be over for who lost something after a request was answered, unless a keyframe comes first', async () => {
    const { clock, sentAt, requests } = setUp();
    requests.request();
    await clock.advance(100);
    requests.answered();
    requests.request();
    await clock.advance(399);
    assert.deepEqual(sentAt, [0]);
    await clock.advance(1);
    assert.deepEqual(sentAt, [0, 500]);
    requests.answered();
    requests.request();
    requests.answered();
    await clock.advance(10_000);
    assert.deepEqual(sentAt, [0, 500]);
    assert.equal(clock.pendingTimers, 0);
  });

  it('are sent anew after an interruption where a keyframe is waited for, and only there', async () => {
    const { clock, sentAt, requests } = setUp();
    requests.unheard();
    assert.deepEqual(sentAt, []);
    requests.request();
    await clock.advance(5000);
    requests.request();
    assert.deepEqual(sentAt, [0, 500, 1500, 3500], 'one is waited for');
    requests.unheard();
    assert.deepEqual(sentAt.slice(4), [5000]);
    requests.unheard();
    await clock.advance(499);
    assert.equal(sentAt.length, 5, 'never two within 500 ms');
    await clock.advance(501);
    assert.deepEqual(sentAt.slice(5), [5500, 6000]);
    requests.close();
  });

  it('are repeated later, once, where a keyframe begins to come: a slow network takes long for it', async () => {
    const { clock, sentAt, requests } = setUp();
    requests.begins();
    requests.request();
    await clock.advance(400);
    requests.begins();
    await clock.advance(400);
    requests.begins();
    assert.deepEqual(sentAt, [0]);
    await clock.advance(600);
    assert.deepEqual(sentAt, [0, 1400], 'it did not become whole');
    requests.answered();
    requests.begins();
    assert.equal(clock.pendingTimers, 0);
  });

  it('are sent no more once they are closed', async () => {
    const { clock, sentAt, requests } = setUp();
    requests.request();
    requests.close();
    requests.request();
    requests.unheard();
    await clock.advance(10_000);
    assert.deepEqual([sentAt, clock.pendingTimers], [[0], 0]);
  });
});
