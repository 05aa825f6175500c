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
