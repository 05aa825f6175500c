/** Motion of all that is recorded, for timelines: each segment is looked at once it is whole, one after the other. */
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { SeenEntry } from '../store/index.js';
import type { RecordedSegment, RecordingArchive } from './recorded.js';
import { StreamMotion, type CodedPicture } from './stream-motion.js';

/** What is looked at, and where it goes. */
export interface MotionLogInit {
  /** Tells of segments. */
  readonly archive: Pick<RecordingArchive, 'onChange'>;
  /** The pictures of a segment, without what is in them. @throws MediaPeerError RECORDING_DAMAGED */
  readonly picturesOf: (segment: RecordedSegment) => AsyncIterable<CodedPicture>;
  /** Never waits. */
  readonly keep: (entry: SeenEntry) => void;
  readonly logger: Logger;
}

/** After a lost index there are many at once; the motion of those beyond is not known. */
const MAX_WAITING = 10_000;

interface Followed {
  readonly format: string;
  readonly motion: StreamMotion;
}

/** Follows all sources that are recorded. */
export class MotionLog {
  readonly #init: MotionLogInit;
  /** By id. */
  readonly #waiting = new Map<number, RecordedSegment>();
  /** By source. */
  readonly #followed = new Map<string, Followed>();
  readonly #stopListening: () => void;
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(init: MotionLogInit) {
    this.#init = init;
    this.#stopListening = init.archive.onChange(({ kind, segment }) => {
      if (kind === 'removed') this.#waiting.delete(segment.id);
      if (kind === 'finished' && segment.format.video && this.#waiting.size < MAX_WAITING) this.#waiting.set(segment.id, segment);
      if (this.#waiting.size > 0) this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing is being read any more; what waits is not looked at. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    this.#waiting.clear();
    await this.#working;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting.values();
      if (!next || this.#isClosed) break;
      this.#waiting.delete(next.id);
      await this.#look(next);
    }
    this.#working = undefined;
  }

  async #look(segment: RecordedSegment): Promise<void> {
    const { picturesOf, keep, logger } = this.#init;
    const { sourceId, file } = segment;
    try {
      for (const { atMs, motion } of await this.#motionOf(segment).minutesOf(picturesOf(segment)))
        keep({ kind: 'seen-motion', sourceId, atMs, motion });
    } catch (error) {
      logger.debug({ file, reason: messageOf(error) }, 'the motion in a recording is not known');
    }
  }

  /** What is usual holds for one codec and size. */
  #motionOf({ sourceId, format: { video } }: RecordedSegment): StreamMotion {
    const format = JSON.stringify(video);
    const known = this.#followed.get(sourceId);
    if (known?.format === format) return known.motion;
    const motion = new StreamMotion();
    this.#followed.set(sourceId, { format, motion });
    return motion;
  }
}
