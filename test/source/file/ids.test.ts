import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignIds } from '../../../src/source/file/ids.js';

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

test('names in other scripts, with emoji or too long carry a hash of the whole name, whatever else lies there', () => {
  const names = [
    'видео.mp4',
    'фильм.mp4',
    '日本.mp4',
    '中国.mp4',
    'cam 🚗.mp4',
    'cam 🚌.mp4',
    `${'x'.repeat(70)}a.mp4`,
    `${'x'.repeat(70)}b.mp4`,
  ];
  const ids = idsOf(...names);
  for (const [i, name] of names.entries()) assert.deepEqual(idsOf(name), [ids[i]], `${name} alone has the id it has beside others`);
  assert.equal(new Set(ids).size, names.length);
  assert.match(ids[4] as string, /^cam-[0-9a-f]{8}$/);
  assert.deepEqual(idsOf('видео.mp4'.normalize('NFD')), idsOf('видео.mp4'));
});

test('blanks, signs and accents make no hash', () => {
  assert.deepEqual(idsOf('My Video (1).mp4', 'café.mp4', 'a – b.mp4'), ['My_Video_1_', 'cafe', 'a_b']);
});

test('of names that want the same id the one that is written like it has it, an MP4 first; the others have their extension or a hash', () => {
  assert.deepEqual(idsOf('a.mkv', 'a.mp4'), ['a.mkv', 'a']);
  assert.deepEqual(idsOf('a b.mp4', 'a_b.mp4', 'a_b.mkv'), ['a_b.mp4', 'a_b', 'a_b.mkv']);
  assert.match(idsOf('a.mkv', 'a.mp4', 'a.mkv.mov')[0] as string, /^a\.mkv-[0-9a-f]{8}$|^a\.mkv$/);
  const cafes = idsOf('café.mp4'.normalize('NFC'), 'café.mp4'.normalize('NFD'), 'cafe.mp4');
  assert.equal(new Set(cafes).size, 3);
  assert.equal(cafes[2], 'cafe');
});

test('ids do not depend on the order of the names', () => {
  const names = ['b.mp4', 'a.mkv', 'a.mp4', 'c.ts', '日本.mp4'];
  assert.deepEqual([...assignIds(names)].sort(), [...assignIds([...names].reverse())].sort());
});

test('ids that were given stay, are not given to others, and wait for names that went', () => {
  const kept = new Map([['x.mkv', 'x']]);
  assert.deepEqual(
    [...assignIds(['x.mkv', 'x.mp4'], kept)],
    [
      ['x.mkv', 'x'],
      ['x.mp4', 'x.mp4'],
    ],
  );
  assert.deepEqual([...assignIds(['x.mp4'], kept)], [['x.mp4', 'x.mp4']]);
});
