import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dayStart, instantOf, isZone, offsetOf, parseWallText, wallText, wallTime } from '../../../src/page/timeline/zone.js';

const utc = (text: string): number => Date.parse(text) / 1000;

describe('a named time zone', () => {
  for (const [zone, day, hours] of [
    ['America/New_York', '2026-03-08T12:00:00-04:00', 23],
    ['America/New_York', '2026-11-01T12:00:00-05:00', 25],
    ['America/New_York', '2026-07-01T12:00:00-04:00', 24],
    ['Europe/Berlin', '2026-03-29T12:00:00+02:00', 23],
    ['Europe/Berlin', '2026-10-25T12:00:00+01:00', 25],
    ['Australia/Lord_Howe', '2026-10-04T12:00:00+11:00', 23.5],
    ['Asia/Kolkata', '2026-10-25T12:00:00+05:30', 24],
  ] as const)
    it(`has a day of ${hours} hours: ${zone}, ${day.slice(0, 10)}`, () => {
      const start = dayStart(zone, utc(day));
      assert.equal((dayStart(zone, utc(day), 1) - start) / 3600, hours);
      assert.equal(wallText(zone, start), `${day.slice(0, 10)}T00:00:00`);
      assert.equal(dayStart(zone, start), start);
      assert.equal(dayStart(zone, start - 1), dayStart(zone, utc(day), -1));
    });

  it('finds the first of two equal times, and what follows one that is left out', () => {
    const wall = { year: 2026, month: 10, day: 25, hour: 2, minute: 30, second: 0 };
    assert.equal(instantOf('Europe/Berlin', wall), utc('2026-10-25T02:30:00+02:00'));
    assert.equal(instantOf('Europe/Berlin', { ...wall, month: 3, day: 29 }), utc('2026-03-29T03:30:00+02:00'));
    assert.equal(instantOf('America/New_York', { ...wall, month: 3, day: 8 }), utc('2026-03-08T03:30:00-04:00'));
  });

  it('begins a day that has no midnight when its clocks do', () => {
    // Chile's clocks go forward at midnight.
    const start = dayStart('America/Santiago', utc('2026-09-06T15:00:00Z'));
    assert.deepEqual(wallTime('America/Santiago', start), { year: 2026, month: 9, day: 6, hour: 1, minute: 0, second: 0 });
    assert.equal(wallTime('America/Santiago', start - 1).day, 5);
  });

  it('writes and reads what an input of date and time has', () => {
    for (const zone of ['UTC', 'America/New_York', 'Asia/Kathmandu'])
      assert.equal(parseWallText(zone, wallText(zone, 1_796_061_603.7)), 1_796_061_603);
    assert.equal(parseWallText('UTC', '2026-12-01T14:03'), utc('2026-12-01T14:03:00Z'));
    assert.equal(parseWallText('Europe/Berlin', '2026-12-01'), utc('2026-12-01T00:00:00+01:00'));
    assert.equal(parseWallText('UTC', ''), undefined);
    assert.equal(parseWallText('UTC', 'yesterday'), undefined);
  });

  it('is one that browsers know', () => {
    assert.equal(isZone('Europe/Berlin'), true);
    assert.equal(isZone('Europe/Atlantis'), false);
    assert.equal(isZone(''), false);
    assert.equal(offsetOf('UTC', 0.5), 0);
    assert.equal(offsetOf('Asia/Kathmandu', 1_796_061_603.5), 20_700);
  });
});
