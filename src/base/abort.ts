/** What is done when somebody gives up. */
import type { StopListening } from './listeners.js';

/**
 * Calls `listener` once when the signal is aborted; at once where it is already. Call the returned function when there is
 * nothing to give up any more: a signal may outlive by far what listens to it.
 * @param signal left out: nobody gives up
 */
export function whenAborted(signal: AbortSignal | undefined, listener: () => void): StopListening {
  if (signal?.aborted) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/** What a promise gives, unless the signal is aborted first: then nobody waits for it any more, however it ends. @throws the reason of the signal */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: StopListening = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = whenAborted(signal, () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}
