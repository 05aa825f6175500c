import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BEAT_MS, Silence } from '../../src/watchdog/watch.js';

describe('silence of the main thread', () => {
  it('is counted from the last beat', () => {
    const silence = new Silence(0, 0);
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((tick) => silence.tick(tick < 3 ? tick : 3, tick * BEAT_MS)),
      [0, 0, 0, BEAT_MS, 2 * BEAT_MS],
    );
    assert.equal(silence.tick(4, 6 * BEAT_MS), 0);
  });

  it('does not count what the watching thread did not see: a process that stood still, a machine that slept', () => {
    const silence = new Silence(7, 0);
    assert.equal(silence.tick(7, BEAT_MS), BEAT_MS);
    assert.equal(silence.tick(7, BEAT_MS + 3_600_000), BEAT_MS);
    assert.equal(silence.tick(7, 2 * BEAT_MS + 3_600_000), 2 * BEAT_MS);
  });

  it('counts slower where the watching thread comes too late as well', () => {
    const silence = new Silence(1, 0);
    for (let tick = 1; tick <= 100; tick++) assert.equal(silence.tick(1, tick * 5 * BEAT_MS), 0);
  });
});
