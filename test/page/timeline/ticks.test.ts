import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { centred } from '../../../src/page/timeline/scale.js';
import { ticksOf } from '../../../src/page/timeline/ticks.js';
import { dayStart, wallText } from '../../../src/page/timeline/zone.js';

const utc = (text: string): number => Date.parse(text) / 1000;

/** Local times of the marks of a day. */
function marks(zone: string, noon: string, most: number): string[] {
  const at = utc(noon);
  return ticksOf({ fromS: dayStart(zone, at), toS: dayStart(zone, at, 1) }, zone, most).map((tick) =>
    wallText(zone, tick.atS).slice(11, 16),
  );
}

describe('marks of time', () => {
  it('stand at hours of local clocks, also on days on which these change', () => {
    const every3 = ['00:00', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '00:00'];
    for (const [zone, day] of [
      ['Europe/Berlin', '2026-07-01T12:00:00+02:00'],
      ['Europe/Berlin', '2026-03-29T12:00:00+02:00'],
      ['Europe/Berlin', '2026-10-25T12:00:00+01:00'],
      ['America/New_York', '2026-03-08T12:00:00-04:00'],
      ['America/New_York', '2026-11-01T12:00:00-05:00'],
      ['Asia/Kolkata', '2026-03-08T12:00:00+05:30'],
    ] as const)
      assert.deepEqual(marks(zone, day, 9), every3, `${zone} ${day}`);
  });

  it('show an hour that comes twice twice, and none that is left out', () => {
    const twice = marks('Europe/Berlin', '2026-10-25T12:00:00+01:00', 30);
    assert.deepEqual(twice.slice(0, 5), ['00:00', '01:00', '02:00', '02:00', '03:00']);
    assert.equal(twice.length, 26);
    const left = marks('America/New_York', '2026-03-08T12:00:00-04:00', 30);
    assert.deepEqual(left.slice(0, 4), ['00:00', '01:00', '03:00', '04:00']);
    assert.equal(left.length, 24);
  });

  it('are few enough for their labels, from a second to a week', () => {
    for (const length of [1, 7, 45, 100, 1000, 5000, 20_000, 86_400, 200_000, 604_800]) {
      const ticks = ticksOf(centred(utc('2026-10-25T00:30:00Z'), length), 'Europe/Berlin', 8);
      assert.ok(ticks.length <= 10, `${ticks.length} of ${length} s`);
      assert.ok(length < 4 || ticks.length >= 2, `${ticks.length} of ${length} s`);
      assert.ok(ticks.every(({ atS }, i) => i === 0 || atS > ticks[i - 1]!.atS));
    }
  });

  it('name the day where one begins', () => {
    const midnight = utc('2026-12-01T00:00:00+05:30');
    const ticks = ticksOf(centred(midnight, 20), 'Asia/Kolkata', 10);
    assert.equal(ticks.find(({ atS }) => atS === midnight)?.unit, 'day');
    assert.equal(ticks.filter(({ unit }) => unit === 'second').length, ticks.length - 1);
    assert.ok(ticksOf(centred(midnight, 300_000), 'Asia/Kolkata', 4).every(({ unit }) => unit === 'day'));
  });
});
