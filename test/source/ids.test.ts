import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignIds } from '../../src/source/ids.js';

const idsOf = (...names: string[]): string[] => names.map((name) => assignIds(names).get(name) as string);

test('an id is the name without its extension', () => {
  assert.deepEqual(idsOf('street.mp4', 'a.b.mkv', 'noextension'), ['street', 'a.b', 'noextension']);
});

test('other characters than A-Z a-z 0-9 . _ - are replaced, and every id is 1 to 64 of them', () => {
  const names = ['Straße.mp4', 'é.mp4', '日本.mp4', 'a b/c.mp4', '...mp4', 'x'.repeat(300) + '.mp4', '%2e%2e.mp4', 'line\nbreak.mp4'];
  const ids = idsOf(...names);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9._-]{1,64}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => !/^\.+$/.test(id)));
});

test('names that collide keep their extension, then get a number; undisputed ones keep theirs', () => {
  assert.deepEqual(idsOf('a.mkv', 'a.mp4', 'a.mkv.mov'), ['a.mkv-2', 'a.mp4', 'a.mkv']);
});

test('ids do not depend on the order of the names', () => {
  const names = ['b.mp4', 'a.mkv', 'a.mp4', 'c.ts'];
  assert.deepEqual([...assignIds(names)].sort(), [...assignIds([...names].reverse())].sort());
});

test('ids that are in use stay, and are not given to others', () => {
  const kept = new Map([['x.mkv', 'x.mkv']]);
  assert.deepEqual([...assignIds(['x.mkv', 'x.mkv.mov'], kept)], [['x.mkv', 'x.mkv'], ['x.mkv.mov', 'x.mkv-2']]);
});
