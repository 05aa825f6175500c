/** Injectable time, so that every wait of this library can be tested without waiting. */

/** A timer that runs until it fires or is cancelled. */
export interface Timer {
  /** Does nothing when it has fired. */
  cancel(): void;
}

/** Time as the library sees it. */
export interface Clock {
  /** Monotonic time, ms. */
  now(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The browser's clock. */
export const browserClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** The promise's value; rejects with `trouble()` when it takes longer than `ms`, and with the signal's reason when that aborts. */
export async function within<T>(
  promise: Promise<T>,
  { clock, ms, signal, trouble }: { clock: Clock; ms: number; signal?: AbortSignal | undefined; trouble: () => Error },
): Promise<T> {
  let timer: Timer | undefined;
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    timer = clock.after(ms, () => reject(trouble()));
    onAbort = () => reject(reasonOf(signal));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    timer?.cancel();
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

/** True once that much time has passed, false as soon as `over` aborts. */
export function passes(ms: number, clock: Clock, over: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (over.aborted) return resolve(false);
    const onAbort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.after(ms, () => {
      over.removeEventListener('abort', onAbort);
      resolve(true);
    });
    over.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
