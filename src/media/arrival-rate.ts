/**
 * How often a source sends a picture, learned from those that came: from one in 12 s to 120 a second. Whoever judges that
 * a source is silent asks here how long it may be. One long pause says nothing of a source, as a network may have stood
 * still; two of them within a while do. Pure.
 */

/** So long a pause is remembered. */
const MEMORY_MS = 90_000;
/** A longer pause is an outage, whatever the source. */
const MAX_INTERVAL_MS = 30_000;
/** Shorter ones need not be remembered: every limit is longer. */
const MIN_PAUSE_MS = 400;
const MAX_PAUSES = 128;
/** What was read to understand a stream comes at once in the beginning: there the stamps tell how far apart pictures are. */
const BEGIN_MS = 3_000;
/** The rate is that of the newest, and of half a minute at most where there are enough. */
const [MIN_ARRIVALS, MAX_ARRIVALS, ARRIVALS_MS] = [4, 128, 30_000];

/** The first one is often wrong: cameras begin with a burst. */
const KNOWN_INTERVALS = 3;
/** Before that many have passed: the next picture may be 12 s away. */
const UNKNOWN_SILENT_MS = 15_000;
const UNKNOWN_DEAD_MS = 40_000;
const MIN_SILENT_MS = 2_000;
const MIN_DEAD_MS = 10_000;

/** Learns how many frames per second a source sends. */
export class ArrivalRate {
  #begunMs: number | undefined;
  #arrivals: number[] = [];
  #lastStampMs = 0;
  #isInterrupted = true;
  /** Those that were seen to pass. */
  #intervals = 0;
  #pauses: { readonly atMs: number; readonly intervalMs: number }[] = [];

  /** The next picture came. @param stampMs the sender's time of it. @param nowMs monotonic */
  arrived(stampMs: number, nowMs: number): void {
    const last = this.#arrivals.at(-1);
    this.#begunMs ??= nowMs;
    if (last !== undefined && !this.#isInterrupted) {
      const stepMs = nowMs - this.#begunMs < BEGIN_MS ? stampMs - this.#lastStampMs : 0;
      const statedMs = stepMs <= MAX_INTERVAL_MS ? stepMs : 0;
      this.#interval(Math.max(nowMs - last, statedMs), nowMs);
      if (nowMs - last >= statedMs / 2) this.#intervals++;
    }
    if (this.#isInterrupted) this.#arrivals = [];
    this.#isInterrupted = false;
    this.#arrivals.push(nowMs);
    const isOld = nowMs - (this.#arrivals[0] ?? nowMs) > ARRIVALS_MS && this.#arrivals.length > MIN_ARRIVALS;
    if (isOld || this.#arrivals.length > MAX_ARRIVALS) this.#arrivals.shift();
    this.#lastStampMs = stampMs;
  }

  /** What follows is of another connection: how long it took to come says nothing. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#begunMs = undefined;
  }

  /** Nothing is remembered. */
  reset(): void {
    this.interrupt();
    this.#intervals = 0;
    this.#pauses = [];
    this.#arrivals = [];
  }

  /** False until it is known how far apart pictures are. */
  get isKnown(): boolean {
    return this.#intervals >= KNOWN_INTERVALS;
  }

  /** Pictures per second by the newest; undefined while there are too few. */
  get fps(): number | undefined {
    const [first, last] = [this.#arrivals[0], this.#arrivals.at(-1)];
    const count = this.#arrivals.length - 1;
    if (first === undefined || last === undefined || count < 2 || last - first < 1_000) return undefined;
    return (count * 1_000) / (last - first);
  }

  /** Without a picture for longer, something else is shown, ms: 2 s for a source that sends 2 a second and more, 25 s for one in 12 s. */
  silentAfterMs(nowMs: number): number {
    if (this.#arrivals.length === 0) return MIN_SILENT_MS;
    return this.isKnown ? Math.max(MIN_SILENT_MS, 2 * this.#pauseMs(nowMs) + 1_000) : UNKNOWN_SILENT_MS;
  }

  /** Without a picture for longer, the source is dead, ms: 10 s, or three times what is usual with it. */
  deadAfterMs(nowMs: number): number {
    return this.isKnown ? Math.max(MIN_DEAD_MS, 3 * this.#pauseMs(nowMs)) : UNKNOWN_DEAD_MS;
  }

  #interval(intervalMs: number, nowMs: number): void {
    if (intervalMs < MIN_PAUSE_MS || intervalMs > MAX_INTERVAL_MS) return;
    this.#pauses.push({ atMs: nowMs, intervalMs });
    if (this.#pauses.length > MAX_PAUSES) this.#pauses.shift();
  }

  /** The second longest of those that are remembered; 0 where there is none. */
  #pauseMs(nowMs: number): number {
    const recent = this.#pauses.filter(({ atMs }) => nowMs - atMs <= MEMORY_MS).map(({ intervalMs }) => intervalMs);
    return recent.sort((a, b) => b - a)[1] ?? 0;
  }
}
