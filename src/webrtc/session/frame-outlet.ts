/**
 * The last step of an m-line's frames before they are numbered. They may come from one track after another, each a little
 * ahead of or behind the one before: whatever comes, time does not step back for the viewer (RFC 3550 §5.1). And frames
 * that the network cannot carry now end here, so that they leave no gap in the numbering that the viewer would ask for.
 */
import { PAIRING_TOLERANCE_TICKS, type FrameSink, type PacketizedFrame, type ReplayPace } from '../../media/index.js';
import type { RtpStream } from '../rtp/send/rtp-stream.js';

/** The first frame that cannot keep its timestamp stays clear of the one before by so much: no message pairs with it. */
const CLEAR_TICKS = PAIRING_TOLERANCE_TICKS + 1;
/** Between two that cannot: many of them fit before the next frame of any rate. */
const SQUEEZED_TICKS = 10;

/** What the network does not carry now. */
export interface Restriction {
  /** Nothing leaves. */
  readonly isHeld: boolean;
  /** Nothing but keyframes leaves. */
  readonly isKeyframesOnly: boolean;
}

/** What leaves on an m-line, and how. */
export interface FrameOutletInit {
  /** Numbers what leaves. */
  readonly rtp: RtpStream;
  /** It has keyframes. */
  readonly isVideo: boolean;
  /** As the viewer's network is now; see `FrameSink`. */
  readonly maxReplayBytes: () => number;
  /** See `FrameSink`. */
  readonly replayPace: ReplayPace;
}

/** Where the frames of one m-line leave. */
export class FrameOutlet implements FrameSink {
  readonly #init: FrameOutletInit;
  #restriction: Restriction = { isHeld: false, isKeyframesOnly: false };
  /** Something was held back: what refers to it cannot be decoded. */
  #needsKeyframe = false;
  /** The newest RTP timestamp that the viewer has. */
  #lastTimestamp: number | undefined;
  #isSqueezed = false;
  #newestMs = -Infinity;
  #heldBack = 0;

  constructor(init: FrameOutletInit) {
    this.#init = init;
  }

  get pendingBytes(): number {
    return this.#init.rtp.pendingBytes;
  }

  get maxPendingBytes(): number | undefined {
    return this.#init.rtp.maxPendingBytes;
  }

  get maxReplayBytes(): number {
    return this.#init.maxReplayBytes();
  }

  get replayPace(): ReplayPace {
    return this.#init.replayPace;
  }

  /** Frames that were not let through. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** The newest timestamp that the viewer has, as tracks count; undefined before the first. */
  get lastTimestamp(): number | undefined {
    return this.#lastTimestamp === undefined ? undefined : this.#init.rtp.trackTimestampOf(this.#lastTimestamp);
  }

  /** Media time of the newest frame that left since `begin`; -Infinity before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** True while nothing can be let through before a keyframe. */
  get needsKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  /** What may leave from now on. */
  restrict(restriction: Restriction): void {
    if (restriction.isHeld && !this.#restriction.isHeld) this.#drop();
    this.#restriction = restriction;
  }

  /** Another track follows. */
  begin(): void {
    this.#newestMs = -Infinity;
  }

  send(frame: PacketizedFrame): void {
    if (this.#init.isVideo && !this.#passes(frame)) {
      this.#heldBack++;
      return;
    }
    this.#newestMs = Math.max(this.#newestMs, frame.mediaTimeMs);
    this.#init.rtp.send(this.#continued(frame));
  }

  /** What comes before the next keyframe is of no use any more. */
  cut(): void {
    this.#drop();
    this.#needsKeyframe = true;
  }

  /** What waits is late by the time that it may leave. */
  #drop(): void {
    const dropped = this.#init.rtp.dropWaiting();
    if (dropped > 0) this.#needsKeyframe = true;
    this.#heldBack += dropped;
  }

  #passes({ keyframe }: PacketizedFrame): boolean {
    const { isHeld, isKeyframesOnly } = this.#restriction;
    const passes = !isHeld && (keyframe || !(isKeyframesOnly || this.#needsKeyframe));
    // After keyframes alone, frames in between refer to one that the viewer never got.
    if (passes && keyframe) this.#needsKeyframe = false;
    else if (!passes) this.#needsKeyframe = true;
    return passes;
  }

  #continued(frame: PacketizedFrame): PacketizedFrame {
    const own = this.#init.rtp.rtpTimestampOf(frame.rtpTimestamp);
    const last = this.#lastTimestamp;
    if (last === undefined || ((own - last) | 0) > 0) {
      this.#lastTimestamp = own;
      this.#isSqueezed = false;
      return frame;
    }
    this.#lastTimestamp = (last + (this.#isSqueezed ? SQUEEZED_TICKS : CLEAR_TICKS)) >>> 0;
    this.#isSqueezed = true;
    return { ...frame, rtpTimestamp: this.#init.rtp.trackTimestampOf(this.#lastTimestamp) };
  }
}
