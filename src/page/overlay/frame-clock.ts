/**
 * Tells which frame is on the screen, as exactly as a browser can: by the frame's own RTP timestamp, else by the
 * one its receiver plays, else not at all.
 */

/** `frame`: told with each frame; `receiver`: the receiver's newest; `none`: unknown. */
export type Exactness = 'frame' | 'receiver' | 'none';

/** Called for each presented frame; `rtpTimestamp` is undefined where the browser does not tell, `nowMs` is `performance.now()`. */
export type FrameListener = (rtpTimestamp: number | undefined, nowMs: number) => void;

/** Follows what a video element presents, from its construction until `stop`. */
export class FrameClock {
  readonly #video: HTMLVideoElement;
  readonly #receiver: Partial<RTCRtpReceiver>;
  readonly #onFrame: FrameListener;
  #exactness: Exactness | undefined;
  #handle = 0;
  #lastTime: number | undefined;

  /** @param receiver of what the video plays; older browsers tell no timestamps of it */
  constructor(video: HTMLVideoElement, receiver: Partial<RTCRtpReceiver>, onFrame: FrameListener) {
    this.#video = video;
    this.#receiver = receiver;
    this.#onFrame = onFrame;
    this.#next();
  }

  /** How exactly frames are told; undefined before the first frame. */
  get exactness(): Exactness | undefined {
    return this.#exactness;
  }

  /** Idempotent. */
  stop(): void {
    if (this.#presents) this.#video.cancelVideoFrameCallback(this.#handle);
    else cancelAnimationFrame(this.#handle);
  }

  get #presents(): boolean {
    return 'requestVideoFrameCallback' in this.#video;
  }

  #next(): void {
    this.#handle = this.#presents
      ? this.#video.requestVideoFrameCallback((_now, { rtpTimestamp }) => this.#frame(rtpTimestamp))
      : requestAnimationFrame(() => this.#look());
  }

  /** Without frame callbacks a new frame shows in the element's time. */
  #look(): void {
    if (this.#video.currentTime !== this.#lastTime) this.#frame(undefined);
    else this.#next();
    this.#lastTime = this.#video.currentTime;
  }

  #frame(own: number | undefined): void {
    const received = own ?? this.#receiver.getSynchronizationSources?.()[0]?.rtpTimestamp;
    this.#exactness = own !== undefined ? 'frame' : received !== undefined ? 'receiver' : 'none';
    this.#next();
    this.#onFrame(received, performance.now());
  }
}
