import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outage } from '../../../src/webrtc/session/outages.js';
import { PublisherWatch } from '../../../src/webrtc/session/publisher-watch.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { recordingLogger, type LogLine } from '../rig.js';

function open(
  options: {
    readonly maxAttempts?: number;
    readonly clock?: FakeClock;
    readonly outage?: Outage | undefined;
    readonly random?: () => number;
  } = {},
) {
  const clock = options.clock ?? new FakeClock();
  const lines: LogLine[] = [];
  const requests: { readonly atS: number; readonly reason: string }[] = [];
  const watch = new PublisherWatch({
    clock,
    logger: recordingLogger(lines),
    maxAttempts: options.maxAttempts ?? 0,
    command: ({ command, reason }) => {
      assert.equal(command, 'reconnect');
      requests.push({ atS: clock.now() / 1000, reason });
    },
    random: options.random ?? (() => 0),
  });
  if (options.outage) watch.continue(options.outage);
  let frames = 0;
  /** Each second with so many frames. */
  const seconds = async (count: number, fps: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await clock.advance(1000);
      frames += fps;
      watch.tick(frames);
    }
  };
  return { clock, watch, lines, requests, seconds, messages: (message: string) => lines.filter((line) => line.message === message) };
}

describe('the watch over a publisher', () => {
  it('is silent while frames come', async () => {
    const { lines, requests, seconds } = open();
    await seconds(3600, 30);
    assert.deepEqual([lines, requests], [[], []]);
  });

  it('logs silence after 5 s and asks for a reconnect after 10 s, then after 30, 60, 120, 120 s and so on', async () => {
    const { requests, seconds, messages } = open();
    await seconds(7, 30);
    await seconds(8, 0);
    assert.deepEqual(
      messages('no frames').map(({ level, fields }) => [level, fields]),
      [['warn', { failure: 1, silentMs: 8000 }]],
    );
    assert.ok(
      requests.every(({ atS }) => atS > 15),
      'not asked yet',
    );
    await seconds(1000, 0);
    assert.deepEqual(
      requests.slice(0, 6).map(({ atS }) => atS),
      [17, 47, 107, 227, 347, 467],
    );
    assert.equal(requests[0]?.reason, 'No frames for 10s');
    assert.equal(requests[1]?.reason, 'No frames for 40s');
    assert.ok(requests.length >= 9, 'without end');
  });

  it('waits longer by up to a fifth, and never shorter', async () => {
    const { requests, seconds } = open({ random: () => 0.999 });
    await seconds(400, 0);
    const waits = requests.slice(1).map(({ atS }, i) => atS - (requests[i]?.atS ?? 0));
    assert.deepEqual(waits, [36, 72, 144]);
  });

  it('asks no more often than it may', async () => {
    const { requests, seconds } = open({ maxAttempts: 2 });
    await seconds(3600, 0);
    assert.equal(requests.length, 2);
  });

  for (const [everyS, deadS] of [
    [1, 10],
    [4, 12],
    [12, 36],
  ] as const) {
    it(`leaves one that sends a frame in ${everyS} s alone, and asks it after ${deadS} s without one`, async () => {
      const { lines, requests, seconds, clock } = open();
      for (let i = 0; i < 8; i++) {
        await seconds(1, 1);
        await seconds(everyS - 1, 0);
      }
      assert.deepEqual([lines, requests], [[], []]);
      const lastS = clock.now() / 1000 - everyS + 1;
      await seconds(deadS + 5, 0);
      assert.deepEqual(
        requests.map(({ atS }) => atS - lastS),
        [deadS],
      );
    });
  }

  it('tells when frames are back, and begins anew', async () => {
    const { watch, requests, seconds, messages } = open();
    await seconds(5, 30);
    await seconds(20, 0);
    assert.deepEqual(watch.stats, { failures: 4, requests: 1, recoveries: 0 });
    await seconds(1, 30);
    const [line] = messages('reconnection successful');
    assert.equal(line?.level, 'info');
    assert.deepEqual(line.fields, { awayMs: 21_000, failures: 4, requests: 1 });
    assert.deepEqual(watch.stats, { failures: 0, requests: 0, recoveries: 1 });
    await seconds(9, 0);
    await seconds(1, 30);
    assert.equal(messages('frames are back').length, 1);
    await seconds(11, 0);
    assert.equal(requests.length, 2, 'asked after 10 s again');
  });

  it('takes no pause on purpose for an outage', async () => {
    const { watch, lines, requests, seconds } = open();
    await seconds(3, 30);
    watch.pause();
    await seconds(120, 0);
    watch.resume();
    await seconds(9, 0);
    assert.equal(requests.length, 0);
    await seconds(2, 0);
    assert.equal(requests.length, 1);
    assert.ok(lines.length > 0);
  });

  it('does not count the time in which the connection was away', async () => {
    const { clock, watch, lines, seconds } = open();
    await seconds(3, 30);
    await clock.advance(25_000);
    watch.tick(90);
    await seconds(4, 0);
    assert.deepEqual(lines, []);
  });

  it('knows on the next connection that the camera came back as it was asked to', async () => {
    const first = open();
    await first.seconds(5, 30);
    await first.seconds(15, 0);
    const outage = first.watch.outage;
    assert.equal(outage?.requests, 1);
    const second = open({ clock: first.clock, outage });
    await second.seconds(12, 0);
    assert.deepEqual(second.requests, [], 'the wait goes on');
    await second.seconds(1, 30);
    assert.equal(second.messages('reconnection successful')[0]?.fields['awayMs'], 28_000);
    assert.equal(second.watch.outage, undefined);
  });
});
