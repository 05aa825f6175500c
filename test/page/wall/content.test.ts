import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from '../../../src/page/app/router.js';
import { drawsBoxes, isSame, moved, placed, readAddress, wallHash } from '../../../src/page/wall/content.js';

const read = (hash: string): ReturnType<typeof readAddress> => readAddress(parse(hash).query);

describe('the address of a wall', () => {
  it('says what is shown, in words that a person can read', () => {
    const address = {
      tiles: [{ source: 'gate' }, { source: 'yard', rendition: 'processed' }],
      columns: 2,
      name: 'Nacht',
      kiosk: true,
    } as const;
    assert.equal(wallHash(address), '#wall?s=gate,yard!processed&columns=2&name=Nacht&kiosk=1');
    assert.deepEqual(read(wallHash(address)), address);
  });

  it('holds names of any letters, and the same source twice', () => {
    for (const source of ['a,b', '100%', '%2C', 'wow!', 'x!processed', '夜 & Tor', '!', 'é'.repeat(250)]) {
      const tiles = [{ source }, { source, rendition: 'processed' }, { source }] as const;
      assert.deepEqual(read(wallHash({ tiles, kiosk: false })).tiles, tiles, source);
    }
  });

  it('is read with care', () => {
    const many = Array.from({ length: 40 }, (_, index) => `s${index}`).join(',');
    assert.equal(read(`#wall?s=${many}`).tiles.length, 16);
    for (const query of ['', '?s=', '?s=,,', '?columns=0&big=0&boxes=2', '?columns=x&big=-1', '?columns=1e9&big=1.5'])
      assert.deepEqual(read(`#wall${query}`), { tiles: [], kiosk: false }, query);
    assert.equal(read('#wall?s=a,b&big=2').enlarged, undefined);
    assert.equal(read('#wall?s=a,b&big=1').enlarged, 1);
  });

  it('draws boxes on walls of few tiles, and wherever that is asked for', () => {
    const tiles = (count: number): { source: string }[] => Array.from({ length: count }, () => ({ source: 'a' }));
    assert.deepEqual(
      [4, 5].map((count) => drawsBoxes({ tiles: tiles(count) })),
      [true, false],
    );
    assert.deepEqual(
      [true, false].map((boxes) => drawsBoxes({ tiles: tiles(9), boxes })),
      [true, false],
    );
  });
});

it('tells tiles of one source apart', () => {
  const ids = placed([{ source: 'a' }, { source: 'a' }, { source: 'b' }, { source: 'a', rendition: 'processed' }, { source: 'a 2' }]).map(
    ({ id }) => id,
  );
  assert.equal(new Set(ids).size, 5);
  assert.equal(ids[0], 'a');
});

it('moves a tile from one place to another, and nowhere else', () => {
  assert.deepEqual(moved(['a', 'b', 'c'], 0, 2), ['b', 'c', 'a']);
  assert.deepEqual(moved(['a', 'b', 'c'], 2, 0), ['c', 'a', 'b']);
  for (const [from, to] of [
    [0, 3],
    [0, -1],
    [5, 0],
    [NaN, 0],
  ] as const)
    assert.deepEqual(moved(['a', 'b', 'c'], from, to), ['a', 'b', 'c']);
});

it('knows whether a wall has been changed', () => {
  const wall = { tiles: [{ source: 'a' }, { source: 'b' }] };
  assert.equal(isSame(wall, { tiles: [{ source: 'a' }, { source: 'b' }] }), true);
  for (const other of [{ ...wall, columns: 2 }, { tiles: wall.tiles.toReversed() }, { tiles: [{ source: 'a,b' }] }])
    assert.equal(isSame(wall, other), false);
});
