/** Work in the background leaves most of the main thread to what plays. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GentleWork } from '../../src/recording/gentle-work.js';
import { FakeClock } from '../helpers/fake-clock.js';

it('works for five milliseconds at most, and rests three times as long', async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const work = new GentleWork(clock);
  await work.rest(signal);
  await clock.advance(4);
  await work.rest(signal);
  assert.equal(clock.pendingTimers, 0);
  await clock.advance(2);
  const rest = work.rest(signal);
  assert.equal(clock.pendingTimers, 1);
  await clock.advance(18);
  await rest;
  await work.rest(signal);
  assert.equal(clock.pendingTimers, 0);
});

it('ends its rest when it is given up', async () => {
  const clock = new FakeClock();
  const ending = new AbortController();
  const work = new GentleWork(clock);
  await clock.advance(100);
  const rest = work.rest(ending.signal);
  ending.abort();
  await rest;
  assert.equal(clock.pendingTimers, 0);
});
