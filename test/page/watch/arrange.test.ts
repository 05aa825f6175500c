import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedSource } from '../../../src/page/api/sources.js';
import { arrange, presenceOf, type Arrangement } from '../../../src/page/watch/arrange.js';
import { recalled } from '../../../src/page/watch/arrangement.js';

const source = (name: string, more: Partial<ListedSource> = {}): ListedSource => ({
  source: name,
  name,
  playable: true,
  delivery: 'passthrough',
  width: null,
  height: null,
  fps: null,
  duration_s: null,
  audio_codec: null,
  ...more,
});
const camera = (name: string, state: 'live' | 'waiting' | 'empty', reason?: string): ListedSource =>
  source(name, { kind: 'pull', state, ...(reason !== undefined && { reason }) });
const all = [
  source('gate-10.mp4'),
  camera('Tür', 'live'),
  camera('yard-west', 'waiting', 'the camera cannot be reached: connection refused'),
  source('gate-2.mp4'),
  camera('yard-east', 'live'),
];
const shown = (wanted: Partial<Arrangement>, sources = all): string[] =>
  arrange(sources, { search: '', sort: 'listed', group: 'none', ...wanted }).map(
    ({ title, sources: members }) => `${title}: ${members.map(({ name }) => name).join(' ')}`,
  );

describe('the list of sources', () => {
  it('finds all words in names and reasons, whatever their case and accents', () => {
    assert.deepEqual(shown({ search: 'tur' }), [': Tür']);
    assert.deepEqual(shown({ search: ' YARD refused ' }), [': yard-west']);
    assert.deepEqual(shown({ search: 'nowhere' }), []);
  });

  it('is sorted as people count, or with the dark ones first', () => {
    assert.deepEqual(shown({ sort: 'name' }), [': gate-2.mp4 gate-10.mp4 Tür yard-east yard-west']);
    assert.deepEqual(shown({ sort: 'state' }), [': yard-west Tür yard-east gate-2.mp4 gate-10.mp4']);
  });

  it('is grouped by state, or by the beginning that several names have', () => {
    assert.deepEqual(shown({ group: 'state' }), ['Live: Tür yard-east', 'Offline: yard-west', 'Files: gate-10.mp4 gate-2.mp4']);
    assert.deepEqual(shown({ group: 'prefix' }), ['gate: gate-10.mp4 gate-2.mp4', 'yard: yard-west yard-east', 'Others: Tür']);
  });

  it('counts a file that cannot be played among those that are dark', () => {
    assert.equal(presenceOf(source('x', { playable: false })), 'offline');
  });

  it('takes 300 sources in a few milliseconds', () => {
    const many = Array.from({ length: 300 }, (_, n) => camera(`site${n % 9}-camera ${n}`, n % 3 ? 'live' : 'waiting'));
    const beganMs = performance.now();
    assert.equal(shown({ search: 'camera', sort: 'state', group: 'prefix' }, many).length, 9);
    assert.ok(performance.now() - beganMs < 1_000);
  });

  it('is as it was the last time, unless what was kept is nonsense', () => {
    assert.deepEqual(recalled('name,state'), { search: '', sort: 'name', group: 'state' });
    for (const text of [null, '', 'toString,constructor']) assert.deepEqual(recalled(text), { search: '', sort: 'listed', group: 'none' });
  });
});
