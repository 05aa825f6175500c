/** Finds out anew what was seen in recordings that the index knows nothing of: from the detections that lie beside them. */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { goneWith } from './forget-seen.js';
import { GentleWork } from './gentle-work.js';
import type { RecordedSegment, RecordingArchive, TimeRange } from './recorded.js';
import type { SeenLog } from './seen-log.js';
import type { SeenObjects } from './seen-objects.js';

/** What it reads, and where rows go. */
export interface RebuildSeenDeps {
  /** What is read. */
  readonly archive: RecordingArchive;
  /** Where rows are made. */
  readonly seen: Pick<SeenObjects, 'open' | 'forget'>;
  /** Whether anything is known of a stretch. @throws MediaPeerError STORE_FAILED */
  readonly isKnown: (sourceId: string, within: TimeRange) => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/**
 * Reads one segment after the other, of all sources. Resolves early where the signal is aborted.
 * @param untilMs Unix milliseconds: what is recorded later is followed as it is seen
 * @throws MediaPeerError STORE_FAILED
 */
export async function rebuildSeen(deps: RebuildSeenDeps, untilMs: number): Promise<void> {
  for (const sourceId of await deps.archive.sources()) {
    const logs = new LogOfRun(deps.seen, sourceId);
    const replayed: RecordedSegment[] = [];
    try {
      for (const segment of await deps.archive.segments(sourceId, { fromMs: 0, toMs: untilMs })) {
        if (deps.signal.aborted) return;
        if (segment.isOpen || (await deps.isKnown(sourceId, segment))) logs.close();
        else {
          await replay(deps, segment, logs.of(segment.run));
          replayed.push(segment);
        }
      }
    } finally {
      logs.close();
    }
    // What was removed while it was read has rows again.
    for (const segment of replayed) for (const gone of await goneWith(deps.archive, segment)) deps.seen.forget(sourceId, gone);
  }
}

/** Object ids hold for a run, and who is there in two segments of it is one object. */
class LogOfRun {
  readonly #seen: RebuildSeenDeps['seen'];
  readonly #sourceId: string;
  #open: { readonly run: number; readonly log: SeenLog } | undefined;

  constructor(seen: RebuildSeenDeps['seen'], sourceId: string) {
    this.#seen = seen;
    this.#sourceId = sourceId;
  }

  of(run: number): SeenLog {
    if (this.#open?.run !== run) this.close();
    this.#open ??= { run, log: this.#seen.open(this.#sourceId) };
    return this.#open.log;
  }

  close(): void {
    this.#open?.log.close();
    this.#open = undefined;
  }
}

async function replay({ archive, clock, logger, signal }: RebuildSeenDeps, segment: RecordedSegment, log: SeenLog): Promise<void> {
  const work = new GentleWork(clock);
  try {
    for await (const { wallMs, detections } of archive.detections(segment.sourceId, segment, segment.run)) {
      if (signal.aborted) return;
      log.take(wallMs, detections);
      await work.rest(signal);
    }
  } catch (error) {
    if (!(error instanceof MediaPeerError) || error.code !== 'RECORDING_DAMAGED') throw error;
    logger.warn({ file: segment.file, err: error }, 'what was seen in a recording cannot be read');
  }
}
