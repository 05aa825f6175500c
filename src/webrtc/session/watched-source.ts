/** A source as one viewer watches it: it may end, and come back, while the viewer goes on with others. */
import type { EndReason, OpenedSource } from '../../media/index.js';

/** One source of one viewer. */
export class WatchedSource {
  readonly sourceId: string;
  /** As it was opened last. */
  #opened: OpenedSource | undefined;
  #end: EndReason | undefined;

  /** @param opened undefined: it is not live, and may come */
  constructor(sourceId: string, opened: OpenedSource | undefined) {
    this.sourceId = sourceId;
    this.#opened = opened;
    this.#end = opened ? undefined : 'source-ended';
  }

  /** Undefined while nothing of it is to be had. */
  get live(): OpenedSource | undefined {
    return this.#end === undefined ? this.#opened : undefined;
  }

  /** Why nothing of it is to be had; undefined while something is. */
  get end(): EndReason | undefined {
    return this.#end;
  }

  /** It was begun with this very opening last. */
  isOf(opened: OpenedSource): boolean {
    return this.#opened === opened;
  }

  /** Nothing more comes of it, for now. */
  over(reason: EndReason): void {
    this.#end ??= reason;
  }

  /** It is there, or there again. */
  begin(opened: OpenedSource): void {
    this.#opened = opened;
    this.#end = undefined;
  }
}
