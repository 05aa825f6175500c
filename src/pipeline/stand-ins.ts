/**
 * Which pictures of a source are stand-ins for a camera that is away. Pictures come out of a decoder some time after
 * their frames went in, so it is their media time that tells.
 */

/** Pictures are late by less than this many changes. */
const MAX_SPANS = 8;

/** The stand-ins of one source. */
export class StandIns {
  /** Media times of the first stand-in and of the first picture after it. */
  #spans: { readonly fromMs: number; untilMs: number }[] = [];
  #isWaiting = false;
  #hasChanged = false;

  /** What follows are stand-ins, or no longer. */
  follow(isWaiting: boolean): void {
    this.#hasChanged ||= isWaiting !== this.#isWaiting;
    this.#isWaiting = isWaiting;
  }

  /** The next frame, in ascending order. */
  next(mediaTimeMs: number): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const open = this.#spans.at(-1);
    if (open?.untilMs === Infinity && !this.#isWaiting) open.untilMs = mediaTimeMs;
    else if (open?.untilMs !== Infinity && this.#isWaiting)
      this.#spans = [...this.#spans.slice(1 - MAX_SPANS), { fromMs: mediaTimeMs, untilMs: Infinity }];
  }

  has(mediaTimeMs: number): boolean {
    return this.#spans.some(({ fromMs, untilMs }) => mediaTimeMs >= fromMs && mediaTimeMs < untilMs);
  }
}
