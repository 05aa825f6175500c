/** Hours of certain days in UTC. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isTimeZone, readHours, stretchesOf, type DayTimes } from '../../src/recording/day-times.js';

const utc = (text: string): number => Date.parse(text);
function stretches(from: string, to: string, times: Partial<DayTimes>): string[] {
  const all = { fromMinute: 0, toMinute: 1440, weekdays: undefined, timeZone: 'Europe/Berlin', ...times };
  const show = (ms: number): string => new Date(ms).toISOString().slice(5, 16);
  return stretchesOf({ fromMs: utc(from), toMs: utc(to) }, all).map(({ fromMs, toMs }) => `${show(fromMs)} ${show(toMs)}`);
}

describe('hours of days', () => {
  it('are those of the clock on the wall there', () => {
    const hours = readHours('07:00-09:00');
    assert.deepEqual(stretches('2026-11-30T00:00Z', '2026-12-02T00:00Z', hours), ['11-30T06:00 11-30T08:00', '12-01T06:00 12-01T08:00']);
    assert.deepEqual(stretches('2026-11-30T00:00Z', '2026-12-02T00:00Z', { ...hours, weekdays: ['tue'] }), ['12-01T06:00 12-01T08:00']);
    assert.deepEqual(stretches('2026-11-30T00:00Z', '2026-12-01T00:00Z', { ...hours, timeZone: 'America/New_York' }), [
      '11-30T12:00 11-30T14:00',
    ]);
  });

  it('reach over midnight, and end where what is looked at does', () => {
    const night = readHours('22:00-06:00');
    assert.deepEqual(stretches('2026-11-30T00:00Z', '2026-11-30T23:00Z', night), ['11-30T00:00 11-30T05:00', '11-30T21:00 11-30T23:00']);
    // A night that begins on Sunday is not one of Monday.
    assert.deepEqual(stretches('2026-11-30T00:00Z', '2026-11-30T23:00Z', { ...night, weekdays: ['mon'] }), ['11-30T21:00 11-30T23:00']);
  });

  it('follow summer time', () => {
    const hours = readHours('07:00-09:00');
    assert.deepEqual(stretches('2026-03-28T00:00Z', '2026-03-30T00:00Z', hours), ['03-28T06:00 03-28T08:00', '03-29T05:00 03-29T07:00']);
    assert.deepEqual(stretches('2026-10-24T00:00Z', '2026-10-26T00:00Z', hours), ['10-24T05:00 10-24T07:00', '10-25T06:00 10-25T08:00']);
    // The day on which clocks are set back has 25 hours.
    assert.deepEqual(stretches('2026-10-24T12:00Z', '2026-10-27T00:00Z', { weekdays: ['sun'] }), ['10-24T22:00 10-25T23:00']);
  });

  it('are twice where clocks are set back over them, and never where they are set forward', () => {
    const back = (text: string, timeZone: string, from = '2026-10-24T12:00Z', to = '2026-11-02T00:00Z'): string[] =>
      stretches(from, to, { ...readHours(text), timeZone, weekdays: ['sun'] });
    // At 3 in Berlin it is 2 again, at 2 in New York 1.
    assert.deepEqual(back('02:00-03:00', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T00:00Z'), ['10-25T00:00 10-25T02:00']);
    assert.deepEqual(back('02:15-02:30', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T00:00Z'), [
      '10-25T00:15 10-25T00:30',
      '10-25T01:15 10-25T01:30',
    ]);
    assert.deepEqual(back('01:30-02:30', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T00:00Z'), [
      '10-24T23:30 10-25T00:30',
      '10-25T01:00 10-25T01:30',
    ]);
    assert.deepEqual(back('01:00-01:30', 'America/New_York', '2026-10-31T12:00Z'), ['11-01T05:00 11-01T05:30', '11-01T06:00 11-01T06:30']);
    const forward = (text: string): string[] =>
      stretches('2026-03-28T12:00Z', '2026-03-29T12:00Z', { ...readHours(text), weekdays: ['sun'] });
    assert.deepEqual(forward('02:00-03:00'), []);
    assert.deepEqual(forward('01:30-03:30'), ['03-29T00:30 03-29T01:30']);
    assert.deepEqual(forward('00:00-24:00'), ['03-28T23:00 03-29T12:00']);
    // Half an hour, on Lord Howe Island.
    assert.deepEqual(
      stretches('2026-04-04T00:00Z', '2026-04-05T00:00Z', { ...readHours('01:30-02:00'), timeZone: 'Australia/Lord_Howe' }),
      ['04-04T14:30 04-04T15:30'],
    );
  });

  it('are refused where they are none', () => {
    for (const text of ['7-9', '25:00-26:00', '07:60-08:00', '', '07:00-24:01', '07:00'])
      assert.throws(() => readHours(text), /07:00-09:30/);
    assert.throws(() => stretches('2020-01-01T00:00Z', '2026-01-01T00:00Z', {}), /366 days/);
    assert.deepEqual(
      [isTimeZone('Europe/Berlin'), isTimeZone('UTC'), isTimeZone('Europe/Atlantis'), isTimeZone('')],
      [true, true, false, false],
    );
  });
});
