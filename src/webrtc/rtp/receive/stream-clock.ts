/**
 * The time of capture of what one stream of a publisher sends. Its RTP timestamps are held against their arrival, since
 * a timestamp says nothing about when: encoders pause without counting, start again, and run on clocks of any rate.
 * What is delivered never steps back.
 */
import { ArrivalFloor } from './arrival-floor.js';
import { RtpTime } from './rtp-time.js';

/** Share of the passing time by which a stream is moved: no step is larger than a frame, and none goes back. */
const LEAST_SLEW = 0.1;
const MOST_SLEW = 0.6;
/** So far away, it would be reached in about this time. */
const SLEW_TIME_MS = 500;
/** A packet this much earlier than any before, while the other stream is on time, comes of a timestamp that jumped: no network does that. */
const MAX_EARLY_MS = 250;
/** As much later, after a silence during which the other stream flowed: its timestamps stood still. */
export const MAX_LATE_MS = 1_000;
/** Departures of more are a step of the sender's clock, and made good by one. */
const STEP_MS = 100;
/** A Sender Report that is off from the one before by more: the sender's wall clock was set. */
const MAX_REPORT_STEP_MS = 100;
/** In the order of sending, a picture is this much older than one before it at most (B-frames); sound is never. */
const MAX_REORDER_MS = { video: 1_000, audio: 5 } as const;
/** Two frames never have the same time. */
const MIN_STEP_MS = 0.1;
/** Sound that would have to be pressed together more is left out. */
const MIN_AUDIO_STEP_MS = 1;

/** What a stream asks of those it belongs to. */
export interface StreamGroup {
  /** A window of arrivals ended. */
  settle(stream: StreamClock, nowMs: number): void;
  /** The others are on time; undefined where no other one flows. @param sinceMs without an interruption since then */
  areOthersOnTime(stream: StreamClock, sinceMs: number, nowMs: number): boolean | undefined;
  /** What Sender Reports add to the time of arrival of that stream. */
  skewMs(stream: StreamClock): number;
  /** The wall clock of the sender was set. */
  reportsStepped(): void;
}

/** Maps the RTP timestamps of one ssrc to times of capture, in ms on this machine's monotonic clock. */
export interface FrameClock {
  /** A packet came. */
  arrived(rtpTimestamp: number, nowMs: number): void;
  /** The media time of a frame, in ms; later than that of the frame before. Undefined for sound that would step back. Its packets have `arrived`. */
  mediaTimeMs(rtpTimestamp: number): number | undefined;
  /** @param ntpMs the sender's wall clock at which `rtpTimestamp` was captured; its epoch does not matter. */
  senderReport(ntpMs: number, rtpTimestamp: number): void;
  /** Another ssrc: its timestamps have nothing to do with those before. Media time continues. */
  restart(): void;
}

/** Maps the RTP timestamps of one stream to times of capture. */
export class StreamClock implements FrameClock {
  readonly isReference: boolean;
  readonly floor = new ArrivalFloor();
  /** The sender's wall clock at the stream's time 0, from Sender Reports. */
  ntpOriginMs: number | undefined;
  readonly #group: StreamGroup;
  readonly #time: RtpTime;
  /** Added to the stream's time: when what it sends would come, if the network were at its quickest. */
  #anchorMs: number | undefined;
  /** Added to the stream's time in what is delivered; moves towards `anchorMs` and what Sender Reports say. */
  #offsetMs = 0;
  #arrivedMs = -Infinity;
  #newestTimeMs = -Infinity;
  /** Of what was delivered: the stream's own time, and media time. */
  #deliveredTimeMs: number | undefined;
  #lastMs = -Infinity;

  constructor(clockRateHz: number, isReference: boolean, group: StreamGroup) {
    this.#time = new RtpTime(clockRateHz);
    this.isReference = isReference;
    this.#group = group;
  }

  /** See `#anchorMs`; undefined before the first packet. */
  get anchorMs(): number | undefined {
    return this.#anchorMs;
  }

  arrived(rtpTimestamp: number, nowMs: number): void {
    const timeMs = this.#time.take(rtpTimestamp);
    // Nothing is delivered yet: the quickest packet counts.
    if (this.#anchorMs === undefined || (this.#lastMs === -Infinity && nowMs - timeMs < this.#anchorMs)) this.#begin(nowMs - timeMs);
    const delayMs = nowMs - timeMs - (this.#anchorMs ?? 0);
    if (this.#hasJumped(delayMs, timeMs, nowMs)) this.move(delayMs);
    const hasWindowEnded = this.floor.add(nowMs - timeMs - (this.#anchorMs ?? 0), timeMs, nowMs);
    this.#arrivedMs = nowMs;
    this.#newestTimeMs = Math.max(this.#newestTimeMs, timeMs);
    if (hasWindowEnded) this.#group.settle(this, nowMs);
  }

  mediaTimeMs(rtpTimestamp: number): number | undefined {
    const timeMs = this.#time.at(rtpTimestamp);
    const maxReorderMs = MAX_REORDER_MS[this.isReference ? 'audio' : 'video'];
    if (this.#deliveredTimeMs !== undefined && this.#deliveredTimeMs - timeMs > maxReorderMs) this.#steppedBack(rtpTimestamp, timeMs);
    this.#deliveredTimeMs = timeMs;
    this.#slew(Math.max(0, timeMs + this.#offsetMs - this.#lastMs));
    const mediaTimeMs = timeMs + this.#offsetMs;
    if (this.isReference && mediaTimeMs < this.#lastMs + MIN_AUDIO_STEP_MS) return undefined;
    return (this.#lastMs = Math.max(this.#lastMs + MIN_STEP_MS, mediaTimeMs));
  }

  senderReport(ntpMs: number, rtpTimestamp: number): void {
    if (!this.#time.hasBegun) return;
    const originMs = ntpMs - this.#time.at(rtpTimestamp);
    // The others have not been told yet that the clock was set.
    if (this.ntpOriginMs !== undefined && Math.abs(originMs - this.ntpOriginMs) > MAX_REPORT_STEP_MS) this.#group.reportsStepped();
    this.ntpOriginMs = originMs;
  }

  restart(): void {
    this.#time.restart();
    this.floor.restart();
    this.#anchorMs = undefined;
    this.#deliveredTimeMs = undefined;
    this.#newestTimeMs = -Infinity;
    this.ntpOriginMs = undefined;
  }

  /** What the stream sends comes so much later than was thought; negative: earlier. */
  move(byMs: number): void {
    this.#anchorMs = (this.#anchorMs ?? 0) + byMs;
    this.floor.moved(byMs);
    if (Math.abs(byMs) <= STEP_MS) return;
    this.#offsetMs += byMs;
    this.ntpOriginMs = undefined;
  }

  /** The clock of the stream runs at so many times its rate. */
  correctRate(ratio: number): void {
    this.#time.scaleRate(ratio);
    this.ntpOriginMs = undefined;
    const lateMs = this.floor.lateMs ?? 0;
    this.floor.restart();
    this.move(lateMs);
  }

  #begin(anchorMs: number): void {
    this.#anchorMs = anchorMs;
    this.#offsetMs = anchorMs + this.#group.skewMs(this);
    this.floor.restart();
  }

  #hasJumped(delayMs: number, timeMs: number, nowMs: number): boolean {
    if (delayMs < -MAX_EARLY_MS) return this.#group.areOthersOnTime(this, nowMs, nowMs) ?? delayMs < -MAX_LATE_MS;
    const silenceMs = nowMs - this.#arrivedMs;
    if (delayMs < MAX_LATE_MS || silenceMs < MAX_LATE_MS / 2 || timeMs <= this.#newestTimeMs) return false;
    return this.#group.areOthersOnTime(this, this.#arrivedMs, nowMs) ?? false;
  }

  /** In the order of sending, which no network changes. */
  #steppedBack(rtpTimestamp: number, timeMs: number): void {
    this.#time.goOnFrom(rtpTimestamp);
    this.#newestTimeMs = timeMs;
    this.move(this.#arrivedMs - timeMs - (this.#anchorMs ?? 0));
    // By the new anchor, what came before it would be early by all of the jump.
    this.floor.restart();
  }

  #slew(passedMs: number): void {
    const moveMs = (this.#anchorMs ?? 0) + this.#group.skewMs(this) - this.#offsetMs;
    const share = Math.min(MOST_SLEW, Math.max(LEAST_SLEW, Math.abs(moveMs) / SLEW_TIME_MS));
    const limitMs = this.#lastMs === -Infinity ? Infinity : share * passedMs;
    this.#offsetMs += Math.max(-limitMs, Math.min(limitMs, moveMs));
  }
}
