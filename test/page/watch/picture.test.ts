import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pictureName, pictureWithin } from '../../../src/page/watch/picture.js';

describe('a picture that is saved', () => {
  it('is named by its source and time, so that any disk takes it', () => {
    assert.equal(pictureName('front-door', 1796095102.9), 'front-door_2026-12-01T03-18-22Z.jpg');
    assert.equal(pictureName('../a b/Tür 7', 0), 'a-b-Tür-7_1970-01-01T00-00-00Z.jpg');
    assert.equal(pictureName('???', 0), 'picture_1970-01-01T00-00-00Z.jpg');
    assert.equal(pictureName('長'.repeat(250), 0), `${'長'.repeat(80)}_1970-01-01T00-00-00Z.jpg`);
  });

  it('has the boxes of the picture alone, not of the margins beside it', () => {
    assert.deepEqual(pictureWithin({ width: 1600, height: 900 }, 16 / 9), [0, 0, 1600, 900]);
    assert.deepEqual(pictureWithin({ width: 1600, height: 1000 }, 1.6), [0, 0, 1600, 1000]);
    assert.deepEqual(pictureWithin({ width: 2000, height: 1000 }, 1), [500, 0, 1000, 1000]);
    assert.deepEqual(pictureWithin({ width: 1000, height: 2000 }, 1), [0, 500, 1000, 1000]);
  });
});
