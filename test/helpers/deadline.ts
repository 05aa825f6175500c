/** Waiting for what must happen, with a deadline; tests never sleep. */
import { setTimeout as wait } from 'node:timers/promises';

/** The promise's value, or an error naming `what` when it takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  const done = new AbortController();
  try {
    return await Promise.race([
      promise,
      wait(ms, undefined, { signal: done.signal }).then(() => {
        throw new Error(`waited ${ms} ms in vain for ${what}`);
      }),
    ]);
  } finally {
    done.abort();
  }
}

/** Returns the first truthy value of `condition`, asked every 5 ms; fails after `ms` naming `what`. */
export async function eventually<T>(condition: () => T | Promise<T>, ms: number, what: string): Promise<NonNullable<T>> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && (value as unknown) !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await wait(5);
  }
}
