import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lengthening } from '../../../src/webrtc/congestion/lengthening.js';

/** When it was found that the way has become longer, ms after less was sent for 120 ms; undefined: never. */
function foundMs(queueMs: (sinceMs: number) => number): number | undefined {
  const lengthening = new Lengthening();
  lengthening.begin(120, 5_000);
  for (let sinceMs = -100; sinceMs <= 3_000; sinceMs += 50) if (lengthening.add(queueMs(sinceMs), 5_000 + sinceMs)) return sinceMs;
  return undefined;
}

describe('what waits after less is sent', () => {
  it('is the length of the way where it stays, within some ms', () => {
    assert.equal(
      foundMs(() => 120),
      1_000,
    );
    assert.equal(
      foundMs((sinceMs) => 115 + ((sinceMs / 50) % 5) * 8),
      1_000,
    );
  });

  it('is a queue where it shrinks, or goes on growing', () => {
    assert.equal(
      foundMs((sinceMs) => Math.max(0, 120 - sinceMs)),
      undefined,
    );
    assert.equal(
      foundMs((sinceMs) => 400 - Math.min(300, 0.3 * sinceMs)),
      undefined,
    );
    assert.equal(
      foundMs((sinceMs) => 120 + 0.1 * sinceMs),
      undefined,
    );
  });

  it('counts nothing that left before', () => {
    assert.equal(
      foundMs((sinceMs) => (sinceMs <= 0 ? 0 : 120)),
      1_000,
    );
  });

  it('is explained for a moment, not where it grows by much', () => {
    const lengthening = new Lengthening();
    assert.equal(lengthening.explains(120), false);
    lengthening.begin(120, 0);
    assert.deepEqual([lengthening.explains(150), lengthening.explains(200)], [true, false]);
    lengthening.stop();
    assert.equal(lengthening.explains(120), false);
  });
});
