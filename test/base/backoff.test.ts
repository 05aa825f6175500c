import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/base/backoff.js';

test('waits double from the first to the longest, and never all to the same moment', () => {
  const longest = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0.999999 });
  assert.deepEqual(
    Array.from({ length: 6 }, () => Math.round(longest.next(0))),
    [100, 200, 400, 800, 1000, 1000],
  );
  const shortest = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
  assert.deepEqual(
    Array.from({ length: 3 }, () => shortest.next(0)),
    [50, 100, 200],
  );
});

test('a run that lasted begins the waits anew', () => {
  const backoff = new Backoff({ firstMs: 100, stableMs: 30_000, random: () => 0 });
  backoff.next(0);
  backoff.next(29_999);
  assert.equal(backoff.failures, 2);
  assert.equal(backoff.next(30_000), 50);
  assert.equal(backoff.failures, 1);
});
