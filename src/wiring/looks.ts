/**
 * Looks at a source that nobody needs to watch: snapshots, and detections that are asked for once. A page or a program asks
 * for many at a time; they go after viewers who join, and must not start many sources at once.
 */
import type { AppDeps } from '../app.js';
import { CurrentSnapshots } from '../pipeline/index.js';
import { FileSnapshots } from '../source/index.js';
import { Turns } from '../base/turns.js';
import type { Connections } from './connections.js';
import type { Host } from './host.js';
import { Quiet } from './quiet.js';
import type { DetectionServices } from './detection.js';
import type { Sources } from './sources.js';

/** Sessions younger than this may be joining; what takes longer is in trouble. */
const JOINS_WITHIN_S = 10;
/** Sources that are started for looks at a time; what runs is looked at without waiting. */
const STARTS_AT_ONCE = 2;
const MAX_WAITING = 100;

/** Snapshots and single looks. */
export interface Looks {
  /** For `GET /snapshot/:source.jpg`. */
  readonly snapshots: AppDeps['snapshots'];
  /** @throws MediaPeerError CAPACITY_REACHED; the signal's reason; what the look throws */
  readonly inTurn: <T>(sourceId: string, look: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

/** Opens nothing before somebody asks. */
export function openLooks(
  { clock, closers }: Host,
  { ffmpeg, library, catalogue, pipelines, sessions }: Sources & DetectionServices & Connections,
): Looks {
  const isAnybodyJoining = (): boolean => {
    const sinceS = clock.wallClock() / 1000 - JOINS_WITHIN_S;
    return sessions
      .measure()
      .some(({ connectionState, createdAtS }) => (connectionState === 'new' || connectionState === 'connecting') && createdAtS > sinceS);
  };
  const quiet = new Quiet(clock, () => pipelines.areStarting || isAnybodyJoining());
  closers.add(() => quiet.close());
  const whenFree = (signal: AbortSignal | undefined): Promise<void> => quiet.wait(signal);
  const turns = new Turns({ atOnce: STARTS_AT_ONCE, maxWaiting: MAX_WAITING, what: 'requests for sources that are not running', whenFree });
  const inTurn: Looks['inTurn'] = (sourceId, look, signal) => (pipelines.isRunning(sourceId) ? look() : turns.run(look, signal));

  const snapshots = new FileSnapshots({ ...ffmpeg, whenFree });
  const currentSnapshots = new CurrentSnapshots(pipelines, clock);
  const isRecorded = (sourceId: string): boolean => catalogue.find(sourceId)?.kind === 'file';
  const seen = (sourceId: string, widthPx: number, isAnnotated: boolean, signal: AbortSignal): Promise<Buffer> =>
    inTurn(sourceId, () => currentSnapshots.get(sourceId, { widthPx, isAnnotated }), signal);
  return {
    inTurn,
    snapshots: {
      snapshot: async (sourceId, widthPx, signal) => {
        const file = isRecorded(sourceId) ? library.get(sourceId) : undefined;
        return file ? snapshots.get(file, widthPx, signal) : seen(sourceId, widthPx, false, signal);
      },
      annotatedSnapshot: (sourceId, widthPx, signal) => seen(sourceId, widthPx, true, signal),
      isRecorded,
    },
  };
}
