import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, watchHash } from '../../../src/page/app/router.js';
import { defaultView, nearestView, offeredTracks, placeOf, possibleViews, type Place } from '../../../src/page/watch/views.js';

const placeIn = (hash: string): Place | undefined => placeOf(parse(hash));

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
    for (const source of ['demo', 'a b/ä#?', '100%']) assert.deepEqual(placeIn(watchHash(source, 'both')), { source, view: 'both' });
    assert.deepEqual(placeIn('#/demo/processed'), { source: 'demo', view: 'processed' });
    assert.deepEqual(placeIn(watchHash('demo', 'raw', 1796063000.5)), { source: 'demo', view: 'raw', at: 1796063000.5 });
  });

  it('take mangled addresses for none, and unknown views for the usual one', () => {
    for (const hash of ['', '#', '#/', '#/?at=7']) assert.equal(placeIn(hash), undefined, hash);
    for (const hash of ['#/demo', '#/demo/', '#/demo/toString', '#/demo/none', '#/demo?at=yesterday'])
      assert.deepEqual(placeIn(hash), { source: 'demo' }, hash);
  });
});
