/** Frames and bits a second of what is received, from one look to the next. */
export class ReceptionRate {
  #since: { readonly atMs: number; readonly frames: number; readonly bytes: number };
  #fps = 0;
  #bitrateBps = 0;

  /** @param nowMs when the first span begins */
  constructor(nowMs: number) {
    this.#since = { atMs: nowMs, frames: 0, bytes: 0 };
  }

  /** Frames a second. */
  get fps(): number {
    return this.#fps;
  }

  /** Payload bits a second. */
  get bitrateBps(): number {
    return this.#bitrateBps;
  }

  /** Ends a span. @param frames and `bytes` since the beginning */
  look(nowMs: number, frames: number, bytes: number): void {
    const elapsedMs = nowMs - this.#since.atMs;
    if (elapsedMs <= 0) return;
    this.#fps = ((frames - this.#since.frames) * 1000) / elapsedMs;
    this.#bitrateBps = ((bytes - this.#since.bytes) * 8000) / elapsedMs;
    this.#since = { atMs: nowMs, frames, bytes };
  }
}
