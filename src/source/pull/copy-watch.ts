/** Looks at the frames of a camera that is copied for what a probe cannot see: signs that viewers would not see them. */
import type { CopiedFrame } from '../../ffmpeg/index.js';

/** Longest wait for a keyframe that viewers of a copy may meet. */
const MAX_KEYFRAME_INTERVAL_MS = 5_000;
/** Fewer frames in that time are a pause, not a long group of pictures. */
const MIN_FRAMES = 20;

/** Watches the frames of one camera. */
export class CopyWatch {
  /** Stamp and arrival of the newest keyframe, or of the first frame. */
  #since: { readonly stampMs: number; readonly arrivedMs: number } | undefined;
  #frames = 0;

  /** Why the stream cannot be copied, in words; undefined while nothing speaks against it. @param nowMs monotonic. */
  refusal(frame: CopiedFrame, nowMs: number): string | undefined {
    if (frame.isReordered) return 'it has B-frames, which browsers cannot play over WebRTC';
    if (frame.markedAsKeyframe && !frame.keyframe) return 'its keyframes are not IDR pictures, which browsers wait for';
    if (frame.keyframe || !this.#since) {
      this.#since = { stampMs: frame.mediaTimeMs, arrivedMs: nowMs };
      this.#frames = 0;
      return undefined;
    }
    this.#frames++;
    // By both clocks: stamps may jump, and arrivals may pause.
    const intervalMs = Math.min(frame.mediaTimeMs - this.#since.stampMs, nowMs - this.#since.arrivedMs);
    if (intervalMs <= MAX_KEYFRAME_INTERVAL_MS || this.#frames < MIN_FRAMES) return undefined;
    return `its keyframes are more than ${MAX_KEYFRAME_INTERVAL_MS / 1000} s apart`;
  }
}
