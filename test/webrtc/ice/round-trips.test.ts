import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { RoundTrips } from '../../../src/webrtc/ice/round-trips.js';

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

test('a question that is repeated counts from the first time, and an answer that nobody asked for does not count', async () => {
  const never = new RoundTrips();
  never.answered('never asked');
  assert.equal(never.smallestMs, undefined);
  const trips = new RoundTrips();
  trips.asked('repeated');
  await wait(30);
  trips.asked('repeated');
  trips.answered('repeated');
  assert.ok((trips.smallestMs ?? 0) > 15, `${trips.smallestMs}`);
  trips.answered('repeated');
  for (let i = 0; i < 1000; i++) trips.asked(String(i));
  trips.answered('0');
  assert.ok((trips.smallestMs ?? 0) > 15, 'the oldest of many is forgotten');
});
