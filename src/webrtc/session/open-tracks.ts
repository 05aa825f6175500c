/** Opens the tracks that a viewer changes to, while those before still flow. */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { notLive, RETRY_AFTER_S } from '../../base/refusals.js';
import type { OpenedSource, Track, TrackKey, TrackLease } from '../../media/index.js';

/** A file takes under a second to start, a camera up to two of its keyframe intervals. */
const TIMEOUT_MS = 5000;

/** Which tracks are opened. */
export interface OpenTracksInit {
  readonly clock: Clock;
  /** Aborted where nobody wants them any more. */
  readonly signal: AbortSignal;
}

/**
 * Opens the track of each stream and waits for their first frames: all of them, or none.
 * @throws MediaPeerError as `OpenedSource.openTrack`, SOURCE_NOT_LIVE, or SESSION_NOT_FOUND where it was aborted
 */
export async function openTracks<Stream extends { readonly source: OpenedSource; keyOf(source: OpenedSource): TrackKey }>(
  streams: readonly Stream[],
  { clock, signal }: OpenTracksInit,
): Promise<ReadonlyMap<Stream, TrackLease>> {
  const leases = new Map<Stream, TrackLease>();
  const opened = await Promise.allSettled(
    streams.map(async (stream) => {
      const { source } = stream;
      const key = stream.keyOf(source);
      const lease = await source.openTrack(key);
      leases.set(stream, lease);
      // A microphone that is silent holds no video up.
      if (key.kind === 'video') await firstFrame(lease.track, clock, signal);
    }),
  );
  const failed = opened.find((result) => result.status === 'rejected');
  if (!failed && !signal.aborted) return leases;
  for (const lease of leases.values()) lease.release();
  throw failed?.reason ?? new MediaPeerError('SESSION_NOT_FOUND', 'the session has ended');
}

/** @throws MediaPeerError SOURCE_NOT_LIVE where no frame comes in time, the track ends, or the signal is aborted. */
function firstFrame(track: Track, clock: Clock, signal: AbortSignal): Promise<void> {
  if (track.hasMedia) return Promise.resolve();
  const undo: (() => void)[] = [];
  return new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => reject(notLive(`no frame of '${track.name}': ${reason}`, RETRY_AFTER_S.picture));
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
