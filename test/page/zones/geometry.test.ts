import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { arrowOf, crossings, inside, middleOf, shifted, snapped, type Point } from '../../../src/page/zones/geometry.js';

const SQUARE: readonly Point[] = [
  [0.2, 0.2],
  [0.4, 0.2],
  [0.4, 0.4],
  [0.2, 0.4],
];

describe('corners', () => {
  it('are drawn to sides and to corners of others that are near, alike in both directions of a wide picture', () => {
    assert.deepEqual(snapped([0.005, 0.5], [], 16 / 9), [0, 0.5]);
    assert.deepEqual(snapped([0.009, 0.5], [], 16 / 9), [0.009, 0.5], 'further away, as one sees it, than the same share of the height');
    assert.deepEqual(snapped([0.5, 0.991], [], 16 / 9), [0.5, 1]);
    assert.deepEqual(snapped([0.405, 0.2], SQUARE, 16 / 9), [0.4, 0.2]);
    assert.deepEqual(snapped([0.3, 0.3], SQUARE, 16 / 9), [0.3, 0.3]);
    assert.deepEqual(inside([-1, 2]), [0, 1]);
  });

  it('move together as far as the picture reaches', () => {
    const moved = shifted(SQUARE, [-0.5, 0.1]);
    assert.deepEqual(moved[0]?.[0], 0);
    assert.ok(Math.abs((moved[1]?.[0] ?? 0) - 0.2) < 1e-9, 'the shape stays as wide as it is');
    assert.ok(Math.abs((moved[2]?.[1] ?? 0) - 0.5) < 1e-9);
  });

  it('come in the middle of an edge, the closing one among them', () => {
    assert.deepEqual(
      middleOf(SQUARE, 0).map((value) => Math.round(value * 100)),
      [30, 20],
    );
    assert.deepEqual(
      middleOf(SQUARE, 3).map((value) => Math.round(value * 100)),
      [20, 30],
    );
  });
});

it('edges that meet where they should not are named by where they begin', () => {
  assert.deepEqual(crossings(SQUARE), []);
  const [a, b, c, d] = SQUARE as [Point, Point, Point, Point];
  assert.deepEqual(crossings([a, c, b, d]), [[0, 2]]);
  assert.deepEqual(
    crossings([
      [0, 0],
      [1, 0],
      [0.5, 0],
      [0.5, 0.5],
    ]),
    [[0, 2]],
    'a spike',
  );
  assert.deepEqual(crossings([a, b, c]), []);
});

it('the arrow of a line points to the side that the server calls in: the right one, looking along it', () => {
  const [start, tip] = arrowOf([0.5, 1], [0.5, 0], 2);
  assert.deepEqual(start, [0.5, 0.5]);
  assert.ok(tip[0] > 0.5 && Math.abs(tip[1] - 0.5) < 1e-9, 'upwards: in is to the right');
  const [, back] = arrowOf([0.5, 0], [0.5, 1], 2);
  assert.ok(back[0] < 0.5);
  const [, down] = arrowOf([0, 0.5], [1, 0.5], 2);
  assert.ok(down[1] > 0.5, 'to the right: in is down');
});
