/**
 * One timeline for what a publisher sends: each stream's RTP timestamps become the time of capture, in ms on this
 * machine's monotonic clock.
 *
 * A stream begins where its first packets arrive. Once Sender Reports say how the clocks of audio and video belong
 * together (RFC 3550 §6.4.1), video is moved to audio and not the other way round, since a step in sound is heard.
 * It is moved by a tenth of the time that passes, so that no step is larger than a frame and none goes back.
 */

/** Share of the passing time by which a stream is moved. */
const SLEW = 0.1;
/** Sender Reports that put audio and video further apart are wrong: some senders take two clocks. */
const MAX_CREDIBLE_OFFSET_MS = 5000;
/** A Sender Report that is off from the one before by more: the sender's wall clock was set. */
const MAX_REPORT_STEP_MS = 100;
/** Timestamps that are off from the time of arrival by more begin anew: the sender's encoder did. */
const MAX_ARRIVAL_OFFSET_MS = 10_000;
/** The sender's clock is held against this machine's this often. */
const DRIFT_WINDOW_MS = 10_000;
/** Largest correction in such a time: 500 ppm, more than clocks are off. */
const MAX_DRIFT_MS = 5;
/** Two frames never have the same time. */
const MIN_STEP_MS = 0.1;

export class CaptureClock {
  readonly #streams: StreamClock[] = [];

  /** @param isReference what the other streams are moved to: audio. */
  addStream(clockRateHz: number, isReference: boolean): StreamClock {
    const stream = new StreamClock(clockRateHz, isReference, this.#streams);
    this.#streams.push(stream);
    return stream;
  }
}

export class StreamClock {
  readonly #ticksPerMs: number;
  readonly #isReference: boolean;
  readonly #streams: readonly StreamClock[];
  /** Newest timestamp, without its wraps. */
  #newestTicks: number | undefined;
  /** Media time of tick 0. */
  #offsetMs: number | undefined;
  /** Where the offset is moved to. */
  #targetMs: number | undefined;
  /** The sender's wall clock at tick 0, from Sender Reports. */
  #ntpOriginMs: number | undefined;
  #lastMs = -Infinity;
  #windowStartMs = -Infinity;
  /** In the window: how much later than its media time the quickest packet came. */
  #leastDelayMs = Infinity;

  constructor(clockRateHz: number, isReference: boolean, streams: readonly StreamClock[]) {
    this.#ticksPerMs = clockRateHz / 1000;
    this.#isReference = isReference;
    this.#streams = streams;
  }

  /** A packet came. */
  arrived(rtpTimestamp: number, nowMs: number): void {
    const timeMs = this.#extend(rtpTimestamp);
    if (this.#offsetMs === undefined || (this.#lastMs === -Infinity && nowMs - timeMs < this.#offsetMs)) this.#begin(nowMs - timeMs, nowMs);
    const offsetMs = this.#offsetMs ?? 0;
    const delayMs = nowMs - timeMs - offsetMs;
    if (Math.abs(delayMs) > MAX_ARRIVAL_OFFSET_MS) this.#begin(Math.max(nowMs, this.#lastMs + MIN_STEP_MS) - timeMs, nowMs);
    this.#leastDelayMs = Math.min(this.#leastDelayMs, delayMs);
    if (nowMs - this.#windowStartMs >= DRIFT_WINDOW_MS) this.#correctDrift(nowMs);
  }

  /** The media time of a frame, in ms; later than that of the frame before. Its packets have `arrived`. */
  mediaTimeMs(rtpTimestamp: number): number {
    const timeMs = this.#extend(rtpTimestamp);
    const offsetMs = this.#offsetMs ?? 0;
    const passedMs = Math.max(0, timeMs + offsetMs - this.#lastMs);
    this.#align();
    const moveMs = (this.#targetMs ?? offsetMs) - offsetMs;
    const limitMs = this.#lastMs === -Infinity ? Infinity : SLEW * passedMs;
    this.#offsetMs = offsetMs + Math.max(-limitMs, Math.min(limitMs, moveMs));
    this.#lastMs = Math.max(this.#lastMs + MIN_STEP_MS, timeMs + this.#offsetMs);
    return this.#lastMs;
  }

  /** @param ntpMs the sender's wall clock at which `rtpTimestamp` was captured; its epoch does not matter. */
  senderReport(ntpMs: number, rtpTimestamp: number): void {
    if (this.#newestTicks === undefined) return;
    const originMs = ntpMs - this.#peek(rtpTimestamp) / this.#ticksPerMs;
    if (this.#ntpOriginMs !== undefined && Math.abs(originMs - this.#ntpOriginMs) > MAX_REPORT_STEP_MS) {
      // The others have not been told yet that the clock was set.
      for (const other of this.#streams) other.#ntpOriginMs = undefined;
    }
    this.#ntpOriginMs = originMs;
  }

  /** Another ssrc: its timestamps have nothing to do with those before. Media time goes on. */
  restart(): void {
    this.#newestTicks = undefined;
    this.#offsetMs = undefined;
    this.#ntpOriginMs = undefined;
  }

  #begin(offsetMs: number, nowMs: number): void {
    this.#offsetMs = offsetMs;
    this.#targetMs = offsetMs;
    this.#windowStartMs = nowMs;
    this.#leastDelayMs = Infinity;
  }

  /** Moves to the reference, where Sender Reports of both say how. */
  #align(): void {
    const reference = this.#streams.find((stream) => stream.#isReference);
    if (!reference || reference === this || reference.#offsetMs === undefined || reference.#ntpOriginMs === undefined) return;
    if (this.#ntpOriginMs === undefined || this.#offsetMs === undefined) return;
    const targetMs = this.#ntpOriginMs - reference.#ntpOriginMs + reference.#offsetMs;
    if (Math.abs(targetMs - this.#offsetMs) <= MAX_CREDIBLE_OFFSET_MS) this.#targetMs = targetMs;
  }

  #correctDrift(nowMs: number): void {
    const driftMs = Math.max(-MAX_DRIFT_MS, Math.min(MAX_DRIFT_MS, this.#leastDelayMs));
    if (this.#targetMs !== undefined && Number.isFinite(driftMs)) this.#targetMs += driftMs;
    this.#windowStartMs = nowMs;
    this.#leastDelayMs = Infinity;
  }

  /** In ms since tick 0. */
  #extend(rtpTimestamp: number): number {
    const ticks = this.#peek(rtpTimestamp);
    this.#newestTicks = Math.max(this.#newestTicks ?? ticks, ticks);
    return ticks / this.#ticksPerMs;
  }

  /** In ticks: the value nearest to the newest timestamp. */
  #peek(rtpTimestamp: number): number {
    return this.#newestTicks === undefined ? rtpTimestamp : this.#newestTicks + ((rtpTimestamp - this.#newestTicks) | 0);
  }
}
