/**
 * The frames since the newest keyframe: what a viewer who comes, or a decoder that starts, begins with. Bounded, since a
 * source may send one keyframe a minute, in frames of any size; past the bound they wait for the next keyframe.
 */
import type { EncodedFrame } from './encoded-frame.js';

/** 10 s at 60 fps. */
const MAX_FRAMES = 600;
const MAX_BYTES = 16 * 1024 * 1024;

/** Frames from a keyframe on. */
export class OpenGroup<Frame extends { readonly keyframe: boolean }> {
  readonly #sizeOf: (frame: Frame) => number;
  #frames: Frame[] = [];
  #bytes = 0;

  /** A group of encoded frames. */
  static ofEncoded(): OpenGroup<EncodedFrame> {
    return new OpenGroup(({ data }) => data.length);
  }

  /** @param sizeOf bytes of a frame */
  constructor(sizeOf: (frame: Frame) => number) {
    this.#sizeOf = sizeOf;
  }

  /** From the keyframe to the newest frame; empty where there is no keyframe, or the group became too long. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** Of these frames. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Adds the next frame; a keyframe begins a group. */
  push(frame: Frame): void {
    if (frame.keyframe) this.clear();
    else if (this.#frames.length === 0) return;
    this.#frames.push(frame);
    this.#bytes += this.#sizeOf(frame);
    if (this.#frames.length > MAX_FRAMES || this.#bytes > MAX_BYTES) this.clear();
  }

  /** Forgets all; the next keyframe begins a group. */
  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
