/** Waits until a track has something to show. */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Track } from '../../media/index.js';

/** A file takes under a second to start, a camera up to two of its keyframe intervals. */
const TIMEOUT_MS = 5000;

/** @throws MediaPeerError SOURCE_NOT_LIVE where no frame comes in time, the track ends, or the signal is aborted. */
export function firstFrame(track: Track, clock: Clock, signal: AbortSignal): Promise<void> {
  if (track.hasMedia) return Promise.resolve();
  const undo: (() => void)[] = [];
  return new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new MediaPeerError('SOURCE_NOT_LIVE', `no frame of '${track.name}': ${reason}`, { retryAfterS: 1 }));
    const onAbort = (): void => fail('the session has ended');
    if (signal.aborted) return onAbort();
    const timeout = clock.after(TIMEOUT_MS, () => fail(`none came within ${TIMEOUT_MS / 1000} s`));
    const subscription = track.subscribe({ pendingBytes: 0, send: () => resolve() });
    const stopListening = track.onClosed((reason) => fail(`it ended (${reason})`));
    signal.addEventListener('abort', onAbort);
    undo.push(
      () => timeout.cancel(),
      () => subscription.close(),
      stopListening,
      () => signal.removeEventListener('abort', onAbort),
    );
  }).finally(() => {
    for (const step of undo) step();
  });
}
