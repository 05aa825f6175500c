/** The newest group of pictures of a publisher: what a viewer who comes, or a decoder that starts, begins with. */
import type { EncodedFrame } from '../media/index.js';

/** 20 s at 30 fps; a longer group is let go, and a keyframe asked for where one is needed. */
const MAX_FRAMES = 600;
const MAX_BYTES = 8 * 1024 * 1024;

export class OpenGroup {
  #frames: EncodedFrame[] = [];
  #bytes = 0;

  /** From the keyframe to the newest frame; empty where there is no keyframe, or the group became too long. */
  get frames(): readonly EncodedFrame[] {
    return this.#frames;
  }

  /** Adds the next frame; a keyframe begins a group. */
  push(frame: EncodedFrame): void {
    if (frame.keyframe) this.clear();
    else if (this.#frames.length === 0) return;
    this.#frames.push(frame);
    this.#bytes += frame.data.length;
    if (this.#frames.length > MAX_FRAMES || this.#bytes > MAX_BYTES) this.clear();
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
