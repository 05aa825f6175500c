/** A snapshot of what a source shows at the moment, with or without what is seen in it: the source is started where nobody watches it. */
import type { Clock } from '../base/clock.js';
import { annotate, encodeSnapshot } from '../detection/index.js';
import { capacityReached, notLive, RETRY_AFTER_S } from '../base/refusals.js';
import type { PipelineSource } from './pipeline-source.js';
import type { Pipelines } from './pipelines.js';
import type { DetectedFrame } from './frame-detection.js';

/** What a snapshot shows, and how large. */
export interface CurrentSnapshotOptions {
  /** At most; the height follows in proportion. */
  readonly widthPx: number;
  /** Draws boxes and labels in. */
  readonly isAnnotated: boolean;
}

/** From the start of a source to its first detection: a slow model on a slow machine takes seconds. */
const TIMEOUT_MS = 10_000;
/** Pictures that are waited for or encoded at a time, all sources together. */
const MAX_AT_ONCE = 8;

/** Makes snapshots of what sources show now. */
export class CurrentSnapshots {
  readonly #pipelines: Pipelines;
  readonly #clock: Clock;
  #running = 0;

  constructor(pipelines: Pipelines, clock: Clock) {
    this.#pipelines = pipelines;
    this.#clock = clock;
  }

  /**
   * A JPEG.
   * @throws MediaPeerError as `Pipelines.open`, DETECTION_OFF for one that is annotated, CAPACITY_REACHED, or SOURCE_NOT_LIVE when no picture came in time
   */
  async get(sourceId: string, { widthPx, isAnnotated }: CurrentSnapshotOptions): Promise<Buffer> {
    if (this.#running >= MAX_AT_ONCE) throw capacityReached(`${MAX_AT_ONCE} snapshots are already being made`, RETRY_AFTER_S.picture);
    this.#running++;
    try {
      const { picture, objects, labels } = await this.#next(await this.#pipelines.open(sourceId), isAnnotated);
      try {
        if (!isAnnotated || !labels) return await encodeSnapshot(picture, { widthPx });
        const drawn = picture.copy();
        await labels.prepare(drawn.heightPx);
        annotate(drawn, objects, labels);
        return await encodeSnapshot(drawn, { widthPx });
      } finally {
        picture.release();
      }
    } finally {
      this.#running--;
    }
  }

  #next(source: PipelineSource, isAnnotated: boolean): Promise<DetectedFrame> {
    const frames = isAnnotated ? source.openDetectedFrames() : source.openFrames();
    const undo: (() => void)[] = [() => frames.release()];
    return new Promise<DetectedFrame>((resolve, reject) => {
      const fail = (reason: string): void => reject(notLive(`no snapshot of '${source.sourceId}': ${reason}`, RETRY_AFTER_S.picture));
      const timeout = this.#clock.after(TIMEOUT_MS, () => fail(`no frame arrived within ${TIMEOUT_MS / 1000} s`));
      undo.push(
        () => timeout.cancel(),
        frames.takeNext(resolve),
        frames.feed.onClosed((reason) => fail(`the source ended (${reason})`)),
      );
    }).finally(() => {
      for (const step of undo) step();
    });
  }
}
