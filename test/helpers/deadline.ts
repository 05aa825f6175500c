/** Waiting for what must happen, with a deadline; tests never sleep. */
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Deadlines are meant for a machine of ordinary speed; a slow one, or one in a slow phase, gets more in proportion, up to
 * ten times. What it takes for a loop to run is measured once.
 */
export const slowness = Math.min(10, Math.max(1, loopMs() / 30));

/** About 20 ms on an ordinary core. */
function loopMs(): number {
  const startedMs = performance.now();
  let sum = 0;
  for (let i = 0; i < 2e7; i++) sum += i % 7;
  return sum > 0 ? performance.now() - startedMs : 0;
}

/**
 * The promise's value, or an error naming `what` when it takes longer than `ms`. @param closed ends the wait, with an error:
 * what is waited for cannot come any more
 */
export async function within<T>(promise: Promise<T>, ms: number, what: string, closed?: AbortSignal): Promise<T> {
  const done = new AbortController();
  const signal = closed ? AbortSignal.any([done.signal, closed]) : done.signal;
  try {
    return await Promise.race([
      promise,
      wait(ms * slowness, undefined, { signal }).then(
        () => {
          throw new Error(`waited ${Math.round(ms * slowness)} ms in vain for ${what}`);
        },
        () => {
          throw new Error(`closed while waiting for ${what}`);
        },
      ),
    ]);
  } finally {
    done.abort();
  }
}

/** Returns the first truthy value of `condition`, asked every 5 ms; fails after `ms` naming `what`. */
export async function eventually<T>(condition: () => T | Promise<T>, ms: number, what: string): Promise<NonNullable<T>> {
  const end = performance.now() + ms * slowness;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && (value as unknown) !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${Math.round(ms * slowness)} ms in vain for ${what}`);
    await wait(5);
  }
}
