import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventQuery, isFiltered, isOfNow, readFilters, seenQuery, stretchOf } from '../../../src/page/events/filters.js';

const filters = (text: string) => readFilters(new URLSearchParams(text));
const NOON = Date.parse('2026-10-26T12:00:00+01:00') / 1000;
const BERLIN = 'Europe/Berlin';

describe('filters of events', () => {
  it('know how long yesterday was', () => {
    const { from = 0, to = 0 } = stretchOf(filters('day=yesterday'), BERLIN, NOON);
    assert.equal(to - from, 25 * 3600, 'the clocks went back');
    assert.equal(isOfNow(filters('day=yesterday'), BERLIN, NOON), false);
    assert.equal(isOfNow(filters('day=today'), BERLIN, NOON), true);
    assert.deepEqual(stretchOf(filters('day=range&to=2026-10-26T12:00'), BERLIN, NOON), { to: NOON });
    assert.deepEqual(stretchOf(filters(''), BERLIN, NOON), {});
  });

  it('ask the server for what makes sense of each kind', () => {
    const { hours, timezone, zone, direction } = seenQuery(filters('line=A&zone=x&direction=in&hours=07:00-09:00'), BERLIN);
    assert.deepEqual({ hours, timezone, zone, direction }, { hours: '07:00-09:00', timezone: BERLIN, zone: undefined, direction: 'in' });
    assert.equal(seenQuery(filters('hours=late&longer=-3'), BERLIN)['hours'], '');
    assert.equal(eventQuery('zones', filters('type=login'))['type'], 'enter,leave,cross');
    assert.equal(eventQuery('zones', filters('type=leave&label=car'))['label'], 'car');
    assert.equal(eventQuery('system', filters('label=car'))['label'], undefined);
    assert.equal(isFiltered(filters('layout=list')), false);
    assert.equal(isFiltered(filters('label=car')), true);
  });
});
