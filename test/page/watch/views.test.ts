import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultView, nearestView, offeredTracks, parseAddress, possibleViews, writeAddress } from '../../../src/page/watch/views.js';

describe('the views of the page', () => {
  it('are all there with a detector, and the overlay is what is seen first', () => {
    assert.deepEqual(possibleViews(offeredTracks(true), true), ['raw', 'processed', 'overlay', 'both']);
    assert.equal(defaultView(true), 'overlay');
  });

  it('are raw alone without a detector', () => {
    assert.deepEqual(offeredTracks(false), ['raw']);
    assert.deepEqual(possibleViews(offeredTracks(false), false), ['raw']);
    assert.equal(defaultView(false), 'raw');
  });

  it('give way to what a server sends', () => {
    assert.equal(nearestView('both', possibleViews(['raw'], true)), 'overlay');
    assert.equal(nearestView('overlay', possibleViews(['processed'], true)), 'processed');
    assert.equal(nearestView('processed', possibleViews(['raw'], false)), 'raw');
    assert.equal(nearestView('raw', []), undefined);
  });

  it('have addresses that name source and view, whatever the name', () => {
    for (const source of ['demo', 'a b/ä#?', '100%'])
      assert.deepEqual(parseAddress(writeAddress(source, 'both')), { source, view: 'both' });
    assert.deepEqual(parseAddress('#/demo/processed'), { source: 'demo', view: 'processed' });
  });

  it('take mangled addresses for none, and unknown views for the usual one', () => {
    for (const hash of ['', '#', '#/', '#//raw', '#/%E0%A4%A/raw']) assert.equal(parseAddress(hash), undefined, hash);
    for (const hash of ['#/demo', '#/demo/', '#/demo/toString', '#/demo/none'])
      assert.deepEqual(parseAddress(hash), { source: 'demo' }, hash);
  });
});
