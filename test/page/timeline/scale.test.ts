import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  centred,
  instantAt,
  lengthOf,
  LONGEST_S,
  moved,
  pinched,
  positionOf,
  SHORTEST_S,
  showing,
  stepOf,
  within,
  zoomed,
} from '../../../src/page/timeline/scale.js';

const HOUR = { fromS: 1000, toS: 4600 };

describe('a scale of time', () => {
  it('brings instants to places and back', () => {
    assert.equal(positionOf(HOUR, 720, 1000), 0);
    assert.equal(positionOf(HOUR, 720, 4600), 720);
    for (const x of [-20, 0, 333, 720]) assert.ok(Math.abs(positionOf(HOUR, 720, instantAt(HOUR, 720, x)) - x) < 1e-9);
    assert.equal(instantAt(HOUR, 0, 5), 1000, 'what has no width yet');
  });

  it('zooms around an instant that stays in its place', () => {
    const near = zoomed(HOUR, 4, 1900);
    assert.equal(lengthOf(near), 900);
    assert.equal(positionOf(near, 100, 1900), positionOf(HOUR, 100, 1900));
    assert.equal(lengthOf(zoomed(HOUR, 1e9, 2000)), SHORTEST_S);
    assert.equal(lengthOf(zoomed(HOUR, 1e-9, 2000)), LONGEST_S);
  });

  it('keeps two instants under two fingers', () => {
    const span = pinched(HOUR, 100, [40, 60], [20, 90]);
    assert.ok(Math.abs(positionOf(span, 100, instantAt(HOUR, 100, 40)) - 20) < 1e-9);
    assert.ok(Math.abs(positionOf(span, 100, instantAt(HOUR, 100, 60)) - 90) < 1e-9);
    assert.equal(lengthOf(pinched(HOUR, 100, [50, 50], [50, 50])), 3600, 'both in one place');
    assert.deepEqual(pinched(HOUR, 100, [40, 60], [50, 70]), moved(HOUR, -360), 'both moved');
  });

  it('never shows only what is nothing', () => {
    assert.deepEqual(within({ fromS: 0, toS: 10 }, { fromS: 1000, toS: 2000 }), { fromS: 995, toS: 1005 });
    assert.deepEqual(within({ fromS: 9000, toS: 9010 }, { fromS: 1000, toS: 2000 }), { fromS: 1995, toS: 2005 });
    assert.deepEqual(within({ fromS: 1500, toS: 1510 }, { fromS: 1000, toS: 2000 }), { fromS: 1500, toS: 1510 });
    assert.equal(lengthOf(within({ fromS: 0, toS: 86_400 }, { fromS: 5, toS: 6 })), 86_400);
  });

  it('follows what plays, and leaves alone what is seen', () => {
    assert.equal(showing(HOUR, 2000), HOUR);
    assert.ok(positionOf(showing(HOUR, 4590), 100, 4590) > 70);
    assert.ok(positionOf(showing(HOUR, 900), 100, 900) < 30);
    assert.equal(lengthOf(showing(HOUR, 9000)), 3600);
    assert.deepEqual(centred(100, 10), { fromS: 95, toS: 105 });
  });

  it('steps in figures that people count in', () => {
    assert.deepEqual(
      [1, 100, 3600, 86_400, 604_800].map((length) => stepOf(centred(0, length))),
      [0.04, 1, 60, 1800, 3600],
    );
  });
});
