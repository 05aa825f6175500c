import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PlayerPosition } from '../../../src/page/timeline/player-control.js';
import { PlaceInTime } from '../../../src/page/watch/place-in-time.js';
import { linkTo } from '../../../src/page/watch/sharing.js';
import { whenText } from '../../../src/page/watch/when.js';

const at = (atS: number | undefined, state: PlayerPosition['state'], speed = 1): PlayerPosition => ({ atS, state, speed });

describe('the address of somebody who looks at the past', () => {
  it('changes with each jump, pause and return to the present, and not while it plays on', () => {
    const place = new PlaceInTime();
    assert.equal(place.look(at(undefined, 'live'), 0), 'same');
    assert.equal(place.look(at(1000.0004, 'playing'), 1_000), 1000);
    assert.equal(place.look(at(1001, 'playing'), 2_000), 'same');
    assert.equal(place.look(at(1500, 'playing'), 3_000), 1500);
    assert.equal(place.look(at(1501, 'paused'), 4_000), 1501);
    assert.equal(place.look(at(1501, 'paused'), 60_000), 'same');
    assert.equal(place.look(at(undefined, 'live'), 61_000), undefined);
    assert.equal(place.look(at(2000, 'held'), 62_000), 'same');
  });

  it('follows the pace of playing', () => {
    const place = new PlaceInTime();
    place.look(at(1000, 'playing', 8), 0);
    assert.equal(place.look(at(1008, 'playing', 8), 1_000), 'same');
  });

  it('is handed on to the very time, and without one in the present', () => {
    const wanted = { source: 'a b', view: 'raw' } as const;
    assert.equal(linkTo(wanted, at(1500.12345, 'paused'), 'http://h/x/?a#/other/raw'), 'http://h/x/?a#/a%20b/raw?at=1500.123');
    assert.equal(linkTo(wanted, at(undefined, 'live'), 'http://h/'), 'http://h/#/a%20b/raw');
  });

  it('says when it was, how fast, and that it stands', () => {
    assert.match(whenText(at(1500, 'playing')), /^Recorded \d\d:25:00$/);
    assert.match(whenText(at(1500, 'playing', 4)), / · 4×$/);
    assert.match(whenText(at(1500, 'paused')), / · paused$/);
    assert.match(whenText(at(1500, 'held')), /^Stopped at/);
  });
});
