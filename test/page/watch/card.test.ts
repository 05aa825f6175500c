import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { badge, duration, facts, hasSnapshot, notes, snapshotPath } from '../../../src/page/watch/card.js';

const STATES = ['live', 'waiting', 'empty'] as const;

describe('the facts on a card', () => {
  it('have a readable duration', () => {
    assert.deepEqual([0, 9.4, 63.4, 3723].map(duration), ['0:00', '0:09', '1:03', '1:02:03']);
  });

  it('leave out what is not known', () => {
    assert.equal(facts({ width: null, height: null, fps: null, duration_s: null, audio_codec: null }), '');
    assert.equal(facts({ width: 1280, height: 720, fps: 29.97, duration_s: 20, audio_codec: 'aac' }), '1280 × 720 · 30 fps · 0:20 · sound');
  });

  it('stand beside a snapshot of a file, and of a camera that is live', () => {
    const pictured = [
      { playable: true },
      { playable: false },
      ...STATES.map((state) => ({ kind: 'live' as const, state, playable: true })),
      { kind: 'file' as const, state: 'live' as const, playable: true },
    ];
    assert.deepEqual(pictured.map(hasSnapshot), [true, false, true, false, false, true]);
  });

  it('say whether a camera is there, or why a file cannot be played', () => {
    const live = { kind: 'live', playable: true } as const;
    assert.deepEqual(
      STATES.map((state) => badge({ ...live, state }).text),
      ['Live', 'Offline', 'Offline'],
    );
    assert.equal(badge({ kind: 'pull', state: 'empty', playable: true }).text, 'Offline');
    assert.equal(badge({ kind: 'file', state: 'live', playable: false }).text, 'Cannot be played');
    assert.equal(badge({ playable: true }).text, 'File');
  });

  it('tell the reason as text: trouble stands out, what is left out is a note', () => {
    const written = (video: Parameters<typeof notes>[0]): string[] => notes(video).map(({ look, text }) => `${look}: ${text}`);
    const refused = { kind: 'pull', state: 'empty', playable: true, reason: 'the camera cannot be reached: Connection refused' } as const;
    assert.deepEqual(written(refused), ['reason: the camera cannot be reached: Connection refused']);
    assert.deepEqual(written({ kind: 'live', state: 'empty', playable: true }), ['reason: no camera yet']);
    assert.deepEqual(written({ ...refused, state: 'waiting' }), ['reason: the camera cannot be reached: Connection refused']);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: false, reason: 'it is empty' }), ['reason: it is empty']);
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: false }), ['reason: it cannot be played']);
    assert.deepEqual(
      written({ kind: 'file', state: 'live', playable: true, reason: 'it has B-frames', audio_reason: 'its codec is unknown' }),
      ['note: it has B-frames', 'note: no sound: its codec is unknown'],
    );
    assert.deepEqual(written({ kind: 'file', state: 'live', playable: true }), []);
  });

  it('show a snapshot at an address that changes with the file', () => {
    const video = { source: 'a b', size_bytes: 7 };
    assert.equal(snapshotPath(video), '/snapshot/a%20b.jpg?width=480&size=7');
  });
});
