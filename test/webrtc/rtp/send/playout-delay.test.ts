import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayoutDelay } from '../../../../src/webrtc/rtp/send/playout-delay.js';

test('a viewer that loses nothing shows pictures at once', () => {
  const delay = new PlayoutDelay();
  assert.equal(delay.report(0, 50, 0), false);
  assert.equal(delay.report(0.005, 50, 1000), false);
  assert.equal(delay.minMs, 0);
});

test('a viewer that loses packets holds pictures back for as long as a second repair may take', () => {
  const delay = new PlayoutDelay();
  assert.equal(delay.report(0.05, 50, 0), true);
  assert.equal(delay.minMs, 250);
  assert.deepEqual([...delay.write()], [0x01, 0x9f, 0xff]);
  assert.equal(delay.report(0.05, 45, 1000), false, 'a round trip that wavers changes nothing');
  assert.equal(delay.report(0.05, 2000, 2000), true);
  assert.equal(delay.minMs, 500, 'no more than half a second');
});

test('the delay ends 15 s after the last loss', () => {
  const delay = new PlayoutDelay();
  delay.report(0.05, undefined, 0);
  assert.equal(delay.report(0, 50, 14_000), false);
  assert.equal(delay.report(0.02, 50, 14_500), true);
  assert.equal(delay.report(0, 50, 29_000), false);
  assert.equal(delay.report(0, 50, 30_000), true);
  assert.deepEqual([...delay.write()], [0x00, 0x0f, 0xff]);
});
