/**
 * Tells which frame is on the screen, as exactly as a browser can: by the frame's own RTP timestamp, else by the
 * one its receiver plays, else not at all.
 */

/** @typedef {'frame' | 'receiver' | 'none'} Exactness `frame`: told with each frame; `receiver`: the receiver's newest; `none`: unknown */

export class FrameClock {
  /** @type {Exactness | undefined} undefined before the first frame */
  exactness;
  #video;
  #receiver;
  #onFrame;
  #handle;
  #lastTime;

  /**
   * @param {HTMLVideoElement} video @param {RTCRtpReceiver} receiver of what it plays
   * @param {(rtp: number | undefined, now: number) => void} onFrame called for each presented frame
   */
  constructor(video, receiver, onFrame) {
    this.#video = video;
    this.#receiver = receiver;
    this.#onFrame = onFrame;
    this.#next();
  }

  stop() {
    if (this.#presents) this.#video.cancelVideoFrameCallback(this.#handle);
    else cancelAnimationFrame(this.#handle);
    this.#handle = undefined;
  }

  get #presents() {
    return 'requestVideoFrameCallback' in this.#video;
  }

  #next() {
    this.#handle = this.#presents ? this.#video.requestVideoFrameCallback((_now, metadata) => this.#frame(metadata.rtpTimestamp)) : requestAnimationFrame(() => this.#look());
  }

  /** Without frame callbacks a new picture shows in the element's time. */
  #look() {
    if (this.#video.currentTime !== this.#lastTime) this.#frame(undefined);
    else this.#next();
    this.#lastTime = this.#video.currentTime;
  }

  #frame(own) {
    const received = own ?? this.#receiver.getSynchronizationSources?.()[0]?.rtpTimestamp;
    this.exactness = own !== undefined ? 'frame' : received !== undefined ? 'receiver' : 'none';
    this.#next();
    this.#onFrame(received, performance.now());
  }
}
