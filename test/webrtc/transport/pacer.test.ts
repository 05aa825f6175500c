import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/base/clock.js';
import { Pacer, type PacedClient } from '../../../src/webrtc/transport/pacer.js';
import { FakeClock } from '../../helpers/fake-clock.js';

/** Busy for so many ticks. */
class Client implements PacedClient {
  readonly ticks: number[] = [];

  constructor(public work = 0) {}

  tick(nowMs: number): boolean {
    this.ticks.push(nowMs);
    if (this.work > 0) this.work--;
    return this.work > 0;
  }
}

test('one timer serves all: each 5 ms those that have something waiting, each 50 ms the others, and none where nobody is', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock);
  assert.equal(clock.pendingTimers, 0);
  const [busy, quiet] = [new Client(4), new Client()];
  pacer.watch(quiet, false);
  pacer.watch(busy, true);
  assert.equal(clock.pendingTimers, 1);
  await clock.advance(20);
  assert.deepEqual(busy.ticks, [5, 10, 15, 20]);
  await clock.advance(500);
  assert.equal(clock.pendingTimers, 1);
  assert.ok(busy.ticks.length <= 15 && busy.ticks.length >= 12, `${busy.ticks.length}`);
  assert.ok(quiet.ticks.length <= 12 && quiet.ticks.length >= 9, `${quiet.ticks.length}`);
  pacer.leave(busy);
  pacer.leave(quiet);
  pacer.leave(quiet);
  assert.equal(clock.pendingTimers, 0);
});

test('one that becomes busy in the quiet time is looked at 5 ms later, and one that leaves in a tick stays away', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock);
  const client = new Client();
  pacer.watch(client, false);
  await clock.advance(12);
  client.work = 2;
  pacer.watch(client, true);
  await clock.advance(5);
  assert.deepEqual(client.ticks, [17]);
  const leaving: PacedClient = {
    tick: () => {
      pacer.leave(leaving);
      return true;
    },
  };
  pacer.watch(leaving, true);
  pacer.leave(client);
  await clock.advance(5);
  assert.equal(clock.pendingTimers, 0);
});

test('who watches learns for 2 s that this process was late, from the moment that its timer is overdue', async () => {
  const clock = new FakeClock();
  let stallMs = 0;
  const pacer = new Pacer({ ...boundTo(clock), now: () => clock.now() + stallMs });
  const client = new Client();
  pacer.watch(client, false);
  await clock.advance(500);
  assert.equal(pacer.isLate(clock.now()), false);
  stallMs = 149;
  assert.equal(pacer.isLate(clock.now() + stallMs), false, 'the timer is 99 ms late, as in any busy moment');
  stallMs = 151;
  assert.equal(pacer.isLate(clock.now() + stallMs), true, 'it has not fired yet');
  await clock.advance(1800);
  assert.equal(pacer.isLate(clock.now() + stallMs), true);
  await clock.advance(300);
  assert.equal(pacer.isLate(clock.now() + stallMs), false);
  pacer.leave(client);
});

test('a process that is late again and again takes what it sees for true after 10 s, until it has been in time for 2 s', async () => {
  const clock = new FakeClock();
  let stallMs = 0;
  const pacer = new Pacer({ ...boundTo(clock), now: () => clock.now() + stallMs });
  const client = new Client();
  pacer.watch(client, false);
  const lateFor = async (seconds: number): Promise<boolean[]> => {
    const seen: boolean[] = [];
    for (let i = 0; i < seconds; i++) {
      await clock.advance(1_000);
      stallMs += 200;
      seen.push(pacer.isLate(clock.now() + stallMs));
    }
    return seen;
  };
  const first = await lateFor(12);
  assert.deepEqual(first, [...Array.from({ length: 9 }, () => true), false, false, false]);
  await clock.advance(2_100);
  assert.deepEqual(await lateFor(2), [true, true]);
  pacer.leave(client);
});

function boundTo(clock: FakeClock): Clock {
  return {
    now: () => clock.now(),
    wallClock: () => clock.wallClock(),
    after: (ms, callback) => clock.after(ms, callback),
    every: (ms, callback) => clock.every(ms, callback),
  };
}
