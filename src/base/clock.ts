/**
 * Injectable time. Three clocks, three words: `now` is monotonic, `wallClock` is Unix time, and media time
 * belongs to a source (`media/timeline.ts`). Tests hand in a fake clock; nobody else calls `setTimeout`.
 */
import { performance } from 'node:perf_hooks';
import type { ResourceLedger } from './resources.js';

/** A timer that runs until it fires or is cancelled. */
export interface Timer {
  /** Cancels it; does nothing when it has fired. */
  cancel(): void;
}

/** Time as the rooms see it. */
export interface Clock {
  /** Monotonic time in milliseconds, with a fraction. The origin is arbitrary. */
  now(): number;
  /** Unix time in milliseconds. */
  wallClock(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` every `periodMs`, until cancelled. */
  every(periodMs: number, callback: () => void): Timer;
}

/** The machine's clock. Its timers are entered in the ledger while they wait. */
export function systemClock(ledger: ResourceLedger): Clock {
  return {
    now: () => performance.now(),
    wallClock: () => Date.now(),
    after(delayMs, callback) {
      const release = ledger.acquire('timers');
      const handle = setTimeout(() => {
        release();
        callback();
      }, delayMs);
      return {
        cancel: () => {
          clearTimeout(handle);
          release();
        },
      };
    },
    every(periodMs, callback) {
      const release = ledger.acquire('timers');
      const handle = setInterval(callback, periodMs);
      return {
        cancel: () => {
          clearInterval(handle);
          release();
        },
      };
    },
  };
}

/** Resolves after `delayMs`, or at once when the signal is aborted. Never rejects. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Whether a promise ends within `limitMs`; nobody waits for it any longer, however it ends. Rejects as it does. */
export async function endsWithin(clock: Clock, promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  const decided = new AbortController();
  try {
    return await Promise.race([promise.then(() => true), delay(clock, limitMs, decided.signal).then(() => false)]);
  } finally {
    decided.abort();
  }
}
