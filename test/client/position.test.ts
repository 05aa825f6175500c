import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePosition } from '../../src/client/position.js';

describe('a position', () => {
  it('is read with what the server says of it', () => {
    const message = { type: 'position', at: 1764500000.533, rtp_timestamp: 90_000, speed: 2, state: 'gap', notice: 'the file is gone' };
    assert.deepEqual(parsePosition(message), {
      at: 1764500000.533,
      rtpTimestamp: 90_000,
      speed: 2,
      state: 'gap',
      notice: 'the file is gone',
    });
    assert.deepEqual(parsePosition({ type: 'position', at: 1, rtp_timestamp: null, state: 'live' }), {
      at: 1,
      rtpTimestamp: undefined,
      speed: 1,
      state: 'live',
    });
  });

  it('is none where it cannot be read', () => {
    for (const message of [
      { type: 'quality' },
      { type: 'position' },
      { type: 'position', at: '1', state: 'live' },
      { type: 'position', at: 1 },
    ])
      assert.equal(parsePosition(message), undefined);
  });
});
