/**
 * Numbers the pictures of a source by their media time, so that whoever decodes them, and whenever, gives the
 * same picture the same number. Numbers ascend even when a file is replaced by one of another frame rate.
 */
export class FrameNumbers {
  #originMs = 0;
  #originFrame = 0;
  #fps = 0;
  #newest = -1;

  /** From the next picture on the source has this nominal rate. */
  setRate(fps: number): void {
    this.#fps = fps;
    this.#originFrame = NaN;
  }

  /** The number of the picture of that media time, from 0. Asked in ascending order. */
  at(mediaTimeMs: number): number {
    this.#newest = Math.max(this.#newest + 1, this.peek(mediaTimeMs));
    return this.#newest;
  }

  /** The number that the picture has or would get, whether or not it is asked for by `at`. */
  peek(mediaTimeMs: number): number {
    if (Number.isNaN(this.#originFrame)) {
      // The first file counts from the timeline's zero, a later one continues.
      this.#originMs = this.#newest < 0 ? 0 : mediaTimeMs;
      this.#originFrame = this.#newest < 0 ? 0 : this.#newest + 1;
    }
    return Math.max(0, this.#originFrame + Math.round(((mediaTimeMs - this.#originMs) * this.#fps) / 1000));
  }
}
