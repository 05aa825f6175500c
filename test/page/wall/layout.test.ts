import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bestColumns, heightFor } from '../../../src/page/wall/layout.js';
import { roomFor, Slots } from '../../../src/page/wall/slots.js';

it('tiles are as large as they can be, and on a phone one below the other', () => {
  const columns = (width: number, height: number): number[] => [1, 2, 3, 4, 6, 9, 16].map((count) => bestColumns(count, { width, height }));
  assert.deepEqual(columns(1240, 760), [1, 1, 2, 2, 2, 3, 4]);
  assert.deepEqual(columns(1900, 500), [1, 2, 3, 4, 3, 5, 6]);
  assert.deepEqual(columns(366, 600), [1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(bestColumns(16, { width: 0, height: 0 }), 1);
});

it('a picture is no larger than its tile, by its shorter side and in pixels of the device', () => {
  assert.deepEqual(
    [200, 300, 640, 1280, 1920, 3840, 7680].map((width) => heightFor({ width, height: (width * 9) / 16 }, 1)),
    [180, 180, 360, 720, 1080, 2160, undefined],
  );
  assert.equal(heightFor({ width: 640, height: 360 }, 2), 720);
  // A picture that stands upright in a lying tile is narrow.
  assert.equal(heightFor({ width: 1280, height: 720 }, 1, { width: 720, height: 1280 }), 360);
  assert.equal(heightFor({ width: 0, height: 0 }, 1), 180);
});

it('a tile stays on its m-line while others come, go and move', () => {
  const slots = new Slots();
  assert.deepEqual(slots.assign(['a', 'b', 'c']), ['a', 'b', 'c']);
  assert.deepEqual(slots.assign(['c', 'a']), ['a', undefined, 'c']);
  assert.deepEqual(slots.assign(['d', 'c', 'e', 'a']), ['a', 'd', 'c', 'e']);
  assert.deepEqual([slots.of('e'), slots.of('b'), slots.at(1)], [3, -1, 'd']);
});

it('has room for a few more tiles', () => {
  assert.deepEqual(
    [1, 4, 5, 9, 10, 16].map((count) => roomFor(count, 16)),
    [4, 4, 9, 9, 16, 16],
  );
});
