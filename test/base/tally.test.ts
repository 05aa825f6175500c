import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tally } from '../../src/base/tally.js';

describe('Tally', () => {
  it('adds up what counts with the same labels, and keeps what has left', () => {
    const tally = new Tally<'source', 'frames' | 'bytes'>(['frames', 'bytes']);
    const first = { frames: 3, bytes: 30 };
    const leave = tally.enter({ source: 'street' }, () => first);
    tally.enter({ source: 'street' }, () => ({ frames: 1, bytes: 5 }));
    tally.enter({ source: 'gate' }, () => ({ frames: 7, bytes: 0 }));
    first.frames = 4;
    leave();
    leave();
    first.frames = 1000;
    assert.deepEqual(tally.sums(), [
      { labels: { source: 'street' }, counts: { frames: 5, bytes: 35 } },
      { labels: { source: 'gate' }, counts: { frames: 7, bytes: 0 } },
    ]);
  });

  it('counts a function twice that has entered twice', () => {
    const tally = new Tally<'kind', 'n'>(['n']);
    const read = (): { n: number } => ({ n: 2 });
    const leave = tally.enter({ kind: 'a' }, read);
    tally.enter({ kind: 'a' }, read);
    leave();
    assert.deepEqual(tally.sums(), [{ labels: { kind: 'a' }, counts: { n: 4 } }]);
  });

  it('knows labels under which nothing is counted any more', () => {
    const tally = new Tally<'kind', 'n'>(['n']);
    tally.enter({ kind: 'a' }, () => ({ n: 1 }))();
    assert.deepEqual(tally.sums(), [{ labels: { kind: 'a' }, counts: { n: 1 } }]);
  });
});
