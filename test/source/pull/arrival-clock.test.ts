import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivalClock } from '../../../src/source/pull/arrival-clock.js';
import { seededRandom } from '../../helpers/random.js';

/** Places frames that were captured every 40 ms. @param delay how long each takes on its way. @param stamp what the camera says of its time of capture. */
function place(
  count: number,
  delay: (i: number) => number,
  stamp: (capturedMs: number) => number = (ms) => ms,
): { capturedMs: number; nowMs: number; atMs: number }[] {
  const clock = new ArrivalClock();
  let nowMs = 0;
  return Array.from({ length: count }, (_, i) => {
    const capturedMs = i * 40;
    nowMs = Math.max(nowMs, capturedMs + delay(i));
    return { capturedMs, nowMs, atMs: clock.at(stamp(capturedMs), nowMs) };
  });
}
const steps = (placed: readonly { atMs: number }[]): number[] =>
  placed.slice(1).map(({ atMs }, i) => atMs - (placed[i] as { atMs: number }).atMs);

test('frames that come unevenly are placed as evenly as they were captured', () => {
  const random = seededRandom(1);
  const placed = place(500, (i) => (i === 0 ? 0 : 5 + random() * 60)).slice(150);
  assert.ok(
    steps(placed).every((step) => Math.abs(step - 40) < 8),
    `${Math.min(...steps(placed))} to ${Math.max(...steps(placed))}`,
  );
});

test('what comes at once at the start ends in the present, not in the future', () => {
  const clock = new ArrivalClock();
  const burst = Array.from({ length: 50 }, (_, i) => clock.at(i * 40, 10));
  assert.ok((burst.at(-1) as number) <= 10 + 50 * 2);
  const next = clock.at(50 * 40 + 200, 250);
  assert.ok(Math.abs(next - 250) < 20, `${next}`);
});

test('after a pause on the way the times of capture hold', () => {
  const placed = place(300, (i) => (i >= 100 && i < 150 ? (150 - i) * 40 : 0));
  assert.ok(
    steps(placed).every((step) => Math.abs(step - 40) < 2),
    `${Math.min(...steps(placed))} to ${Math.max(...steps(placed))}`,
  );
});

for (const [what, stamp] of [
  ['ahead by an hour', (ms: number) => (ms < 4000 ? ms : ms + 3_600_000)],
  ['back by an hour, as ffmpeg repairs it', (ms: number) => (ms < 4000 ? ms : 4000 + (ms - 4000) / 40)],
] as const) {
  test(`a jump ${what} is not seen`, () => {
    const placed = place(300, () => 5, stamp);
    assert.ok(
      steps(placed).every((step) => step >= 2 && step <= 80),
      `${Math.min(...steps(placed))} to ${Math.max(...steps(placed))}`,
    );
    assert.ok(Math.abs((placed.at(-1)?.atMs as number) - (placed.at(-1)?.nowMs as number)) < 60);
  });
}

for (const rate of [1.0005, 0.9995, 1.3, 0.6]) {
  test(`a camera whose clock runs at ${rate} stays with the wall clock, and never steps back`, () => {
    const placed = place(
      5000,
      () => 5,
      (ms) => ms * rate,
    );
    assert.ok(steps(placed).every((step) => step > 0));
    const lag = placed.slice(-500).map(({ nowMs, atMs }) => nowMs - atMs);
    assert.ok(Math.max(...lag) < 3000 && Math.min(...lag) >= 0, `${Math.min(...lag)} to ${Math.max(...lag)}`);
    if (Math.abs(rate - 1) < 0.001) assert.ok(Math.max(...lag) < 60, `${Math.max(...lag)}`);
  });
}

test('whatever the stamps, times ascend and are not in the future', () => {
  const random = seededRandom(3);
  const clock = new ArrivalClock(-1e9);
  let nowMs = 0;
  let lastMs = -Infinity;
  for (let i = 0; i < 20_000; i++) {
    nowMs += random() * 80;
    const atMs = clock.at((random() - 0.5) * 10 ** (random() * 9), nowMs);
    assert.ok(Number.isFinite(atMs) && atMs > lastMs, `${lastMs} then ${atMs}`);
    assert.ok(atMs <= nowMs + 20_000 * 2);
    lastMs = atMs;
  }
});
