import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ClockRuns } from '../../src/recording/clock-runs.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A clock whose hands a person, or NTP, can set. */
class SettableClock extends FakeClock {
  setByMs = 0;

  override wallClock(): number {
    return super.wallClock() + this.setByMs;
  }
}

let clock: SettableClock;
let runs: ClockRuns;
let lastRun: number;
/** Media time begins with the first frame. */
let originMs: number;

beforeEach(() => {
  clock = new SettableClock();
  lastRun = 0;
  originMs = clock.wallClock();
  runs = new ClockRuns({ clock, newRun: () => ++lastRun, capturedAt: (mediaTimeMs) => originMs + mediaTimeMs });
});

/** Frames of so many seconds, ten a second, each late by up to 80 ms. @param rate of media time against the clock */
async function play(fromMs: number, seconds: number, rate = 1): Promise<number> {
  let mediaTimeMs = fromMs;
  for (let n = 0; n < seconds * 10; n++) {
    await clock.advance(100);
    mediaTimeMs += 100 * rate;
    runs.arrived(mediaTimeMs - (n % 5) * 20);
  }
  return mediaTimeMs;
}

describe('the clock of a recording', () => {
  it('puts segments that follow each other on one clock, without a step', async () => {
    const first = runs.placeOf(0);
    const mediaTimeMs = await play(0, 60);
    const second = runs.placeOf(mediaTimeMs);
    assert.equal(second.run, first.run);
    assert.equal(second.wallMs - first.wallMs, mediaTimeMs);
  });

  it('follows media time that runs a little fast or slow, so that it is never wrong by much', async () => {
    for (const rate of [1.001, 0.999]) {
      originMs = clock.wallClock();
      runs = new ClockRuns({ clock, newRun: () => ++lastRun, capturedAt: (ms) => originMs + ms });
      let mediaTimeMs = 0;
      const { run } = runs.placeOf(mediaTimeMs);
      for (let n = 0; n < 60; n++) {
        mediaTimeMs = await play(mediaTimeMs, 60, rate);
        const placed = runs.placeOf(mediaTimeMs);
        assert.equal(placed.run, run);
        assert.ok(Math.abs(placed.wallMs - clock.wallClock()) < 100, `${placed.wallMs - clock.wallClock()} ms after ${n + 1} minutes`);
      }
    }
  });

  it('begins another run where the clock of the server is set, forward or back', async () => {
    let mediaTimeMs = await play(0, 30);
    const first = runs.placeOf(mediaTimeMs);
    for (const stepMs of [3_600_000, -7_200_000]) {
      clock.setByMs += stepMs;
      await clock.advance(100);
      mediaTimeMs += 100;
      assert.equal(runs.arrived(mediaTimeMs), true);
      const next = runs.placeOf(mediaTimeMs);
      assert.equal(next.run, lastRun);
      assert.notEqual(next.run, first.run);
      assert.ok(Math.abs(next.wallMs - clock.wallClock()) < 200);
      assert.equal(runs.arrived(mediaTimeMs + 1), false, 'a step is told once');
    }
    assert.equal(lastRun, 3);
  });

  it('creeps after a clock that is set by less than a second, in the same run', async () => {
    const first = runs.placeOf(0);
    let mediaTimeMs = await play(0, 20);
    clock.setByMs += 400;
    mediaTimeMs = await play(mediaTimeMs, 12);
    const soon = runs.placeOf(mediaTimeMs);
    assert.ok(soon.wallMs - clock.wallClock() < -300, 'not at once');
    mediaTimeMs = await play(mediaTimeMs, 120);
    const later = runs.placeOf(mediaTimeMs);
    assert.ok(Math.abs(later.wallMs - clock.wallClock()) < 100);
    assert.deepEqual([soon.run, later.run, lastRun], [first.run, first.run, 1]);
  });

  it('begins another run where media time comes away from the clock by more than a second', async () => {
    runs.placeOf(0);
    const mediaTimeMs = await play(0, 30);
    // As of a source whose times jump: what follows is 5 s late by them.
    await play(mediaTimeMs - 5_000, 30);
    const next = runs.placeOf(mediaTimeMs + 25_000);
    assert.equal(next.run, 2);
    assert.ok(Math.abs(next.wallMs - clock.wallClock()) < 200);
  });

  it('tells the UTC of a frame on the clock of its own segment', () => {
    assert.equal(runs.wallMsAt(0), undefined);
    const first = runs.placeOf(1_000);
    clock.setByMs += 60_000;
    runs.arrived(2_000);
    const second = runs.placeOf(3_000);
    assert.equal(runs.wallMsAt(2_500), first.wallMs + 1_500);
    assert.equal(runs.wallMsAt(3_500), second.wallMs + 500);
    assert.equal(runs.wallMsAt(500), undefined);
  });
});
