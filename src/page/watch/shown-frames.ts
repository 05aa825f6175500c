/** Counts the frames that a video shows. Firefox counts none itself of what comes live: `getVideoPlaybackQuality` says 0. */

type CountedVideo = Pick<HTMLVideoElement, 'requestVideoFrameCallback' | 'cancelVideoFrameCallback' | 'getVideoPlaybackQuality'>;

/** Until `close`. */
export class ShownFrames {
  readonly #video: CountedVideo;
  #count = 0;
  #next: number | undefined;

  /** @param video whatever it plays, one thing after another */
  constructor(video: CountedVideo) {
    this.#video = video;
    if ('requestVideoFrameCallback' in video) this.#await();
  }

  /** So far; of a page in the background nothing is shown. */
  get count(): number {
    return this.#next === undefined ? this.#video.getVideoPlaybackQuality().totalVideoFrames : this.#count;
  }

  /** Counts no more. */
  close(): void {
    if (this.#next !== undefined) this.#video.cancelVideoFrameCallback(this.#next);
  }

  #await(): void {
    this.#next = this.#video.requestVideoFrameCallback(() => {
      this.#count++;
      this.#await();
    });
  }
}
