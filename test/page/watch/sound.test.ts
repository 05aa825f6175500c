import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kept } from '../../../src/page/watch/sound.js';

describe('the volume that is kept', () => {
  it('is full where nothing, or nonsense, is kept', () => {
    assert.deepEqual([null, '0.25', '0', '7', '-1', 'loud'].map(kept), [1, 0.25, 0, 1, 1, 1]);
  });
});
