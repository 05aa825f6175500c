/**
 * How late a stream comes, seen in its quickest packets: the network makes packets late, never early, so the least
 * delay of a while tells about the stream's clock. Looked at in windows: a whole one has to say that a stream is late.
 */

const WINDOW_MS = 500;
/** Windows whose pace must agree before a clock is held to run at another rate. */
const PACE_WINDOWS = 3;
/** Less is drift, and followed. */
const MIN_RATE_ERROR = 0.03;
/** A silence of more, beyond the stream's own interval, interrupts it. */
const INTERRUPTION_MS = 500;
const MAX_INTERVAL_MS = 5_000;

/** The quickest packet of a window. */
interface Quickest {
  readonly delayMs: number;
  readonly timeMs: number;
  readonly nowMs: number;
}

/** The least delay of a stream, window by window. */
export class ArrivalFloor {
  #startMs: number | undefined;
  #current: Quickest | undefined;
  #previous: Quickest | undefined;
  /** How fast time passed from one window to the next, by this machine's clock. */
  #paces: number[] = [];
  #arrivedMs = -Infinity;
  #flowsSinceMs = Infinity;
  #intervalMs = 0;
  #newestTimeMs = -Infinity;

  /** Least delay lately, in ms; undefined before the end of the first window. */
  get lateMs(): number | undefined {
    return this.#previous && Math.min(this.#previous.delayMs, this.#current?.delayMs ?? Infinity);
  }

  /** When the newest packet came. */
  get arrivedMs(): number {
    return this.#arrivedMs;
  }

  /** Since when packets come without an interruption. */
  get flowsSinceMs(): number {
    return this.#flowsSinceMs;
  }

  /** Whether packets still come. */
  isFresh(nowMs: number): boolean {
    return nowMs - this.#arrivedMs <= 2 * INTERRUPTION_MS + 2 * this.#intervalMs;
  }

  /** The rate of the stream's clock by this machine's, where it is steady and differs from 1; else undefined. */
  get wrongRate(): number | undefined {
    if (this.#paces.length < PACE_WINDOWS) return undefined;
    const mean = this.#paces.reduce((sum, pace) => sum + pace, 0) / PACE_WINDOWS;
    const spread = Math.max(...this.#paces) - Math.min(...this.#paces);
    const error = Math.abs(mean - 1);
    return mean > 0 && error > MIN_RATE_ERROR && spread < Math.max(MIN_RATE_ERROR, error / 8) ? mean : undefined;
  }

  /** A packet came. True where a window ended with the one before. @param delayMs after its media time. @param timeMs of the stream's clock. */
  add(delayMs: number, timeMs: number, nowMs: number): boolean {
    const silenceMs = nowMs - this.#arrivedMs;
    if (silenceMs > INTERRUPTION_MS + 2 * this.#intervalMs) this.#flowsSinceMs = nowMs;
    if (timeMs !== this.#newestTimeMs && Number.isFinite(silenceMs))
      this.#intervalMs += (Math.min(MAX_INTERVAL_MS, silenceMs) - this.#intervalMs) / 8;
    this.#newestTimeMs = timeMs;
    this.#arrivedMs = nowMs;
    this.#startMs ??= nowMs;
    const hasEnded = nowMs - this.#startMs >= WINDOW_MS;
    if (hasEnded) this.#endWindow(nowMs);
    if (!this.#current || delayMs < this.#current.delayMs) this.#current = { delayMs, timeMs, nowMs };
    return hasEnded;
  }

  /** Media times were moved by so much. */
  moved(byMs: number): void {
    this.#current = this.#current && { ...this.#current, delayMs: this.#current.delayMs - byMs };
    this.#previous = this.#previous && { ...this.#previous, delayMs: this.#previous.delayMs - byMs };
  }

  /** What was seen says nothing about what follows. */
  restart(): void {
    this.#startMs = this.#current = this.#previous = undefined;
    this.#paces = [];
  }

  #endWindow(nowMs: number): void {
    const [before, current] = [this.#previous, this.#current];
    if (before && current && current.nowMs > before.nowMs) {
      this.#paces.push((current.timeMs - before.timeMs) / (current.nowMs - before.nowMs));
      if (this.#paces.length > PACE_WINDOWS) this.#paces.shift();
    }
    this.#previous = current;
    this.#current = undefined;
    this.#startMs = nowMs;
  }
}
