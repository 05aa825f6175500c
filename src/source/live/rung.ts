/** A lower quality of a room while somebody watches it: the layer that fits, or the next one while it does not come. */
import type { EncodedFrame } from '../../media/index.js';
import type { RungFeed } from '../source.js';
import type { LayerOutput } from './layer-output.js';
import type { LiveLayer } from './layers.js';

/** Between a frame and the one before, at least. */
const MIN_STEP_MS = 2;

/** What it is made of, and where it goes. */
export interface LiveRungInit {
  /** Follows the layers. */
  readonly output: LayerOutput;
  /** Frames of the present, short enough to begin with them, on the timeline of the source; empty where there are none. */
  readonly openGroup: readonly EncodedFrame[];
  /** A keyframe of whatever it shows. */
  readonly requestKeyframe: () => void;
  /** Takes the next frame. */
  readonly onFrame: (frame: EncodedFrame) => void;
  /** Nobody watches it any more. */
  readonly onClose: (rung: LiveRung) => void;
}

/** One lower quality. */
export class LiveRung implements RungFeed {
  readonly openGroup: readonly EncodedFrame[];
  readonly output: LayerOutput;
  readonly #init: LiveRungInit;
  #newestMs: number;

  constructor(init: LiveRungInit) {
    this.#init = init;
    this.output = init.output;
    this.openGroup = init.openGroup;
    this.#newestMs = init.openGroup.at(-1)?.mediaTimeMs ?? -Infinity;
    if (this.openGroup.length === 0) this.requestKeyframe();
  }

  requestKeyframe(): void {
    this.#init.requestKeyframe();
  }

  /** The next frame of a layer. @param mediaTimeMs on the timeline of the source */
  video(layer: LiveLayer, frame: EncodedFrame, mediaTimeMs: number): void {
    if (this.output.takes(layer, frame.keyframe)) this.write(frame, mediaTimeMs);
  }

  /** The next frame, whatever it is of. */
  write({ data, keyframe }: EncodedFrame, mediaTimeMs: number): void {
    this.#newestMs = Math.max(mediaTimeMs, this.#newestMs + MIN_STEP_MS);
    this.#init.onFrame({ data, keyframe, mediaTimeMs: this.#newestMs });
  }

  close(): Promise<void> {
    this.#init.onClose(this);
    return Promise.resolve();
  }
}
