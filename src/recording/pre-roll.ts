/**
 * The last seconds of a source that is recorded around events: frames from a keyframe on, with what was detected in them. Takes as
 * much memory as these seconds have bytes, or as the source sends between two keyframes where that is longer, and never more than a
 * bound: then it is shorter.
 */
import type { EncodedFrame, FrameDetections } from '../media/index.js';

/** A frame that waits. */
export interface WaitingFrame {
  /** Which track it is of. */
  readonly kind: 'video' | 'audio';
  /** As it came. */
  readonly frame: EncodedFrame;
}

/** 60 s at 8 Mbit/s. */
const MAX_BYTES = 64 * 1024 * 1024;
/** 60 s at 60 pictures and 50 packets of sound a second: small frames take memory, too. */
const MAX_FRAMES = 6_600;
/** 60 s at 15 a second. */
const MAX_DETECTIONS = 1_000;

interface Group {
  readonly fromMs: number;
  readonly frames: WaitingFrame[];
  bytes: number;
}

/** Frames that wait for an event. */
export class PreRoll {
  #groups: Group[] = [];
  #bytes = 0;
  #frames = 0;
  #detections: FrameDetections[] = [];

  /** Bytes of the frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next frame; what no event can reach any more goes. @param keptMs how far back an event reaches */
  push(kind: WaitingFrame['kind'], frame: EncodedFrame, keptMs: number): void {
    if (kind === 'video' && frame.keyframe) this.#groups.push({ fromMs: frame.mediaTimeMs, frames: [], bytes: 0 });
    const group = this.#groups.at(-1);
    if (!group) return;
    group.frames.push({ kind, frame });
    group.bytes += frame.data.length;
    this.#bytes += frame.data.length;
    this.#frames++;
    this.#shorten(frame.mediaTimeMs - keptMs);
  }

  /** What was seen in one of them. */
  see(detections: FrameDetections): void {
    this.#detections.push(detections);
    if (this.#detections.length > MAX_DETECTIONS) this.#detections.shift();
  }

  /** Hands out everything, and is empty then. */
  take(): { readonly frames: readonly WaitingFrame[]; readonly detections: readonly FrameDetections[] } {
    const taken = { frames: this.#groups.flatMap(({ frames }) => frames), detections: this.#detections };
    this.clear();
    return taken;
  }

  /** Forgets everything; the next keyframe begins. */
  clear(): void {
    this.#groups = [];
    this.#bytes = 0;
    this.#frames = 0;
    this.#detections = [];
  }

  /** A group is needed until the next one begins at or before the time that events reach back to. */
  #shorten(reachMs: number): void {
    for (;;) {
      const [first, second] = this.#groups;
      const isPast = second !== undefined && second.fromMs <= reachMs;
      const isTooMuch = this.#bytes > MAX_BYTES || this.#frames > MAX_FRAMES;
      if (!first || !(isPast || isTooMuch)) break;
      this.#groups.shift();
      this.#bytes -= first.bytes;
      this.#frames -= first.frames.length;
    }
    const fromMs = this.#groups[0]?.fromMs ?? Infinity;
    while (this.#detections[0] && this.#detections[0].mediaTimeMs < fromMs) this.#detections.shift();
  }
}
