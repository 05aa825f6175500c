/** One track on its way to an m-line: the hold on it, and the cursor that reads it. */
import type { EndReason, FrameSink, Subscription, Track, TrackLease } from '../../media/index.js';

/** What flows, or will. */
export interface TrackFlowInit {
  /** Given back when the flow is closed. */
  readonly lease: TrackLease;
  /** Name of its quality. */
  readonly rung: string;
  /** A keyframe of it can be made on demand. */
  readonly makesKeyframes: boolean;
  /** Called once when the track ends, also where it has. Not after `close`. */
  readonly onEnded: (reason: EndReason) => void;
}

/** A track that is held, and sent once it has begun. */
export class TrackFlow {
  readonly rung: string;
  readonly makesKeyframes: boolean;
  readonly track: Track;
  readonly #init: TrackFlowInit;
  #stopListening: (() => void) | undefined;
  #subscription: Subscription | undefined;
  #isClosed = false;
  #hasEnded = false;

  constructor(init: TrackFlowInit) {
    this.#init = init;
    this.rung = init.rung;
    this.makesKeyframes = init.makesKeyframes;
    this.track = init.lease.track;
  }

  /** Tells the end of the track from now on. */
  listen(): void {
    const stop = this.track.onClosed((reason) => {
      this.#hasEnded = true;
      this.#init.onEnded(reason);
    });
    if (this.#isClosed) stop();
    else this.#stopListening = stop;
  }

  /** Nothing comes of it any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get hasBegun(): boolean {
    return this.#subscription !== undefined;
  }

  /** Frames lost because the viewer did not keep up. */
  get dropped(): number {
    return this.#subscription?.dropped ?? 0;
  }

  /** See `Subscription.liveFromMs`. */
  get liveFromMs(): number {
    return this.#subscription?.liveFromMs ?? Infinity;
  }

  /** See `Subscription.isLiveAt`. */
  isLiveAt(mediaTimeMs: number): boolean {
    return this.#subscription?.isLiveAt(mediaTimeMs) ?? false;
  }

  /** Sends it from now on; where it was sent already, afresh. Parameters as of `Track.subscribe`. */
  begin(sink: FrameSink, afterTimestamp?: number, replays?: boolean): void {
    this.#subscription?.close();
    this.#subscription = this.track.subscribe(sink, afterTimestamp, replays);
  }

  /** See `Subscription.requestKeyframe`. */
  requestKeyframe(): void {
    this.#subscription?.requestKeyframe();
  }

  /** Sends no more, and gives the track back. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening?.();
    this.#subscription?.close();
    this.#init.lease.release();
  }
}
