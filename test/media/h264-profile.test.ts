import assert from 'node:assert/strict';
import { it } from 'node:test';
import { highestProfile } from '../../src/media/index.js';

it('the profile whose decoders take several streams is the highest, with the highest level', () => {
  assert.equal(highestProfile([]), undefined);
  assert.equal(highestProfile([undefined]), undefined);
  assert.equal(highestProfile(['42e01f']), '42e01f');
  assert.equal(highestProfile(['42e01f', '640028']), '640028');
  assert.equal(highestProfile(['640015', '4d0028']), '640028');
  assert.equal(highestProfile(['4d001f', undefined, '42e033']), '4d0033');
  assert.equal(highestProfile(['not one', '42e01f']), '42e01f');
});
