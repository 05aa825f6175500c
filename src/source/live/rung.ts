/** One layer of a room as a lower quality of it, while somebody reads it. While the room shows its slate, so does this. */
import type { EncodedFrame } from '../../media/index.js';
import type { LayerFeed } from '../layer.js';

/** What is read, and where it goes. */
export interface LiveRungInit {
  /** The layer's name. */
  readonly layer: string;
  /** Frames to begin with, on the timeline of the source; empty where it begins with a keyframe that is still to come. */
  readonly openGroup: readonly EncodedFrame[];
  /** A keyframe of whatever it shows. */
  readonly requestKeyframe: () => void;
  /** Takes the next frame. */
  readonly onFrame: (frame: EncodedFrame) => void;
  /** Nobody reads it any more. */
  readonly onClose: (rung: LiveRung) => void;
}

/** One lower quality. */
export class LiveRung implements LayerFeed {
  readonly layer: string;
  readonly closed: Promise<void>;
  readonly #init: LiveRungInit;
  #needsKeyframe = true;
  #resolveClosed!: () => void;

  /** Delivers what it begins with at once. */
  constructor(init: LiveRungInit) {
    this.#init = init;
    this.layer = init.layer;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    for (const frame of init.openGroup) this.write(frame);
    if (this.#needsKeyframe) this.requestKeyframe();
  }

  requestKeyframe(): void {
    this.#init.requestKeyframe();
  }

  /** The next frame, whatever it is of. */
  write(frame: EncodedFrame): void {
    if (this.#needsKeyframe && !frame.keyframe) return this.requestKeyframe();
    this.#needsKeyframe = false;
    this.#init.onFrame(frame);
  }

  /** What follows has nothing to do with what came before. */
  restart(): void {
    this.#needsKeyframe = true;
  }

  close(): Promise<void> {
    this.#init.onClose(this);
    this.#resolveClosed();
    return this.closed;
  }
}
