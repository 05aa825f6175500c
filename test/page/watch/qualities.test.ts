import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedQuality } from '../../../src/page/api/sources.js';
import { qualityOptions } from '../../../src/page/watch/qualities.js';

const listed: readonly ListedQuality[] = [
  { quality: 'source', width: 1280, height: 720, running: true, available: true },
  { quality: '540p', width: 960, height: 540, running: false, available: false },
  { quality: '360p', width: 640, height: 360, running: false, available: true },
];
const texts = (...known: Parameters<typeof qualityOptions>): string[] =>
  qualityOptions(...known).map(({ value, text, isDisabled }) => `${value}: ${text}${isDisabled ? ', not now' : ''}`);

describe('the menu of qualities', () => {
  it('offers what the network carries, the source and what the server has below it, and not what it cannot make now', () => {
    assert.deepEqual(texts({ listed, told: undefined, wished: 'auto' }), [
      'auto: Auto (720p)',
      'source: Source (720p)',
      '540p: 540p, not now',
      '360p: 360p',
    ]);
  });

  it('says what is sent by itself, and nothing of it where a quality is asked for', () => {
    const auto = (quality: string, wished = 'auto'): string | undefined => qualityOptions({ listed, told: { quality }, wished })[0]?.text;
    assert.deepEqual(
      [auto('360p'), auto('source'), auto('sound'), auto('keyframes'), auto('360p', '360p')],
      ['Auto (360p)', 'Auto (720p)', 'Auto (sound only)', 'Auto (a picture now and then)', 'Auto'],
    );
  });

  it('is of the shorter side of a picture that stands upright', () => {
    const upright = [{ ...listed[0]!, width: 720, height: 1280 }, ...listed.slice(1)];
    assert.equal(qualityOptions({ listed: upright, told: undefined, wished: 'auto' })[1]?.text, 'Source (720p)');
  });

  it('keeps what is asked for and what is sent, also where the server lists it no longer, or lists nothing', () => {
    assert.deepEqual(texts({ listed: [], told: { quality: '360p' }, wished: 'auto' }), [
      'auto: Auto (360p)',
      'source: Source',
      '360p: 360p',
    ]);
    assert.deepEqual(texts({ listed: listed.slice(0, 2), told: { quality: '180p' }, wished: '540p' }), [
      'auto: Auto',
      'source: Source (720p)',
      '540p: 540p',
      '180p: 180p',
    ]);
  });

  it('is empty where there is nothing to choose from', () => {
    assert.deepEqual(qualityOptions({ listed: [], told: undefined, wished: 'auto' }), []);
    assert.deepEqual(qualityOptions({ listed: listed.slice(0, 1), told: { quality: 'sound' }, wished: 'auto' }), []);
  });
});
