import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { Remembered, RoundTrips, type Moment } from '../../../src/webrtc/ice/round-trips.js';

/** Keeps this process busy. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) Math.sqrt(2);
}

test('the time in which this process is busy is none of the network', async () => {
  const trips = new RoundTrips();
  assert.equal(trips.smallestMs, undefined);
  await wait(1);
  trips.asked('busy');
  work(60);
  trips.answered('busy');
  assert.equal(trips.smallestMs, undefined, 'the answer may have been there all along');
  const far = new RoundTrips();
  far.asked('far');
  await wait(40);
  far.answered('far');
  assert.ok((far.smallestMs ?? 0) > 20, `${far.smallestMs}`);
});

test('a question that is repeated counts from the first time, and an answer that nobody asked for does not count', () => {
  const never = new RoundTrips();
  never.answered('never asked');
  assert.equal(never.smallestMs, undefined);
  let nowMs = 0;
  const trips = new RoundTrips(() => ({ idleMs: nowMs, awakeMs: 0, nowMs }));
  trips.asked('repeated');
  nowMs = 30;
  trips.asked('repeated');
  nowMs = 31;
  assert.equal(trips.answered('repeated'), 31);
  assert.equal(trips.answered('repeated'), undefined);
  for (let i = 0; i < 1000; i++) trips.asked(String(i));
  assert.equal(trips.answered('0'), undefined, 'the oldest of many is forgotten');
  assert.equal(trips.smallestMs, 31);
});

test('the time that others had the core is none of the network either', () => {
  let moment: Moment = { idleMs: 0, awakeMs: 0, nowMs: 0 };
  const trips = new RoundTrips(() => moment);
  trips.asked('near, on a busy machine');
  moment = { idleMs: 22, awakeMs: 20, nowMs: 22 };
  trips.answered('near, on a busy machine');
  assert.equal(trips.smallestMs, undefined, 'the answer may have been there all along');
  trips.asked('far');
  moment = { idleMs: 64, awakeMs: 22, nowMs: 64 };
  trips.answered('far');
  assert.equal(trips.smallestMs, 40);
  trips.asked('near');
  moment = { idleMs: 65, awakeMs: 22, nowMs: 65 };
  trips.answered('near');
  assert.equal(trips.smallestMs, 1);
});

test('who is far stays far on a busy machine: what was lost to others while there was work is not taken from the sleep', () => {
  let moment: Moment = { idleMs: 0, awakeMs: 0, nowMs: 0 };
  const trips = new RoundTrips(() => moment);
  trips.asked('far');
  // 20 ms of work, of which others had the core for 16; then 24 ms asleep.
  moment = { idleMs: 24, awakeMs: 20, nowMs: 44 };
  assert.equal(trips.answered('far'), 24);
});

test('what the system counts is read once for all that are asked at a time', () => {
  let reads = 0;
  const remembered = new Remembered(() => ++reads);
  assert.deepEqual(
    [0, 0, 0.4, 0.9, 1, 1.5, 7].map((nowMs) => remembered.at(nowMs)),
    [1, 1, 1, 1, 2, 2, 3],
  );
});
