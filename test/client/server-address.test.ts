import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressAt, pathAt } from '../../src/client/server-address.js';

describe('what a server names by its path', () => {
  it('is below the path that the server itself is below', () => {
    assert.equal(addressAt('https://h/cams/', '/sessions/x'), 'https://h/cams/sessions/x');
    assert.equal(addressAt('https://h/', '/sessions/x'), 'https://h/sessions/x');
    assert.equal(addressAt('https://h/cams/', 'https://other/sessions/x'), 'https://other/sessions/x');
    assert.equal(addressAt('https://h/cams/', '//other/sessions/x'), 'https://other/sessions/x');
  });

  it('is told to the server as it named it', () => {
    assert.equal(pathAt('https://h/cams/', 'https://h/cams/sessions/x'), '/sessions/x');
    assert.equal(pathAt('https://h/', 'https://h/sessions/x'), '/sessions/x');
    assert.equal(pathAt('https://h/', 'https://other/sessions/x'), '/sessions/x');
  });
});
