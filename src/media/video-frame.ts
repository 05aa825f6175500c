/**
 * One decoded picture. Pictures are large (1.4 MB at 720p) and thirty a second per source, so their memory is
 * pooled: who keeps a picture beyond the call that handed it over retains it, and releases it when done.
 */
import { strict as assert } from 'node:assert';
import type { PictureColour } from './picture-size.js';

/** What a picture is made of. */
export interface VideoFrameInit {
  /** I420: the Y plane, then U, then V, no padding; `widthPx * heightPx * 1.5` bytes, BT.601 or BT.709 limited range. */
  readonly data: Buffer;
  /** Even. */
  readonly widthPx: number;
  /** Even. */
  readonly heightPx: number;
  /** Milliseconds on the source's timeline. */
  readonly mediaTimeMs: number;
  /** What its samples mean, where that is known. */
  readonly colour?: PictureColour | undefined;
}

/** A decoded picture with a reference count; it is born with one reference, its creator's. */
export class VideoFrame implements VideoFrameInit {
  /** I420: the planes Y, U and V, one after the other; 8 bits, without padding. */
  readonly data: Buffer;
  /** In pixels; even. */
  readonly widthPx: number;
  /** In pixels; even. */
  readonly heightPx: number;
  /** When it was captured, on the timeline of its source. */
  readonly mediaTimeMs: number;
  /** In the code points of ITU-T H.273; undefined: unknown. */
  readonly colour: PictureColour | undefined;
  #references = 1;
  readonly #free: (data: Buffer) => void;

  constructor(init: VideoFrameInit, free: (data: Buffer) => void = () => undefined) {
    this.data = init.data;
    this.widthPx = init.widthPx;
    this.heightPx = init.heightPx;
    this.mediaTimeMs = init.mediaTimeMs;
    this.colour = init.colour;
    this.#free = free;
  }

  /** True while somebody beside the one caller holds it: then its pixels must not be changed. */
  get isShared(): boolean {
    return this.#references > 1;
  }

  /** Takes one more reference; returns the same picture. */
  retain(): this {
    assert(this.#references > 0, 'a released picture cannot be retained');
    this.#references++;
    return this;
  }

  /** The same picture over memory of its own, with one reference. */
  copy(): VideoFrame {
    return new VideoFrame({
      data: Buffer.from(this.data),
      widthPx: this.widthPx,
      heightPx: this.heightPx,
      mediaTimeMs: this.mediaTimeMs,
      colour: this.colour,
    });
  }

  /** Gives one reference back; the memory returns to its pool with the last one. */
  release(): void {
    assert(this.#references > 0, 'a picture is released once per reference');
    if (--this.#references === 0) this.#free(this.data);
  }
}

/** Bytes of an I420 picture. */
export function i420Size(widthPx: number, heightPx: number): number {
  return (widthPx * heightPx * 3) / 2;
}

/** Reuses picture memory of one size. */
export class FramePool {
  readonly #bytes: number;
  readonly #limit: number;
  readonly #idle: Buffer[] = [];

  /** @param bytes size of every buffer. @param limit buffers kept for reuse, default 8. */
  constructor(bytes: number, limit = 8) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  /** A buffer with undefined content. */
  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** A picture over `data` (from `take`) whose memory returns to this pool. */
  frame(init: VideoFrameInit): VideoFrame {
    return new VideoFrame(init, (data) => this.give(data));
  }

  /** Takes a buffer back. */
  give(data: Buffer): void {
    if (this.#idle.length < this.#limit) this.#idle.push(data);
  }
}
