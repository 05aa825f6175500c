/**
 * One timeline for what a publisher sends: each stream's RTP timestamps become the time of capture, in ms on this
 * machine's monotonic clock.
 *
 * Each stream is placed by when it arrives, and sound and pictures are held against each other all the time: what the
 * network does, it does to both, so where one alone comes early or late, its own clock did it, and it is moved. Sender
 * Reports (RFC 3550 §6.4.1) tell how the two belong together more exactly than arrival does, and are believed as far
 * as arrival bears them out, since they step, lie, and come of two clocks. By them video is moved to audio and not the
 * other way round, since a step in sound is heard.
 */
import { MAX_LATE_MS, StreamClock, type StreamGroup } from './stream-clock.js';

/** Sender Reports that put sound and pictures further apart than they arrive are wrong: some senders take two clocks. */
const MAX_SKEW_MS = 1_000;
/** What they say does not change by more from one to the next, unless it comes nearer to what arrival says. */
const MAX_SKEW_STEP_MS = 100;
/** One stream may be early or late by as much: jitter, and pictures waiting for each other at the sender. */
const TOLERATED_MS = 50;
/** All streams together are late where the network is; beyond that, they are brought back to the present at this share of the time. */
const COMMON_SLEW = 0.01;
/** Clocks of two machines are off from each other by less. */
const DRIFT = 0.0005;
/** Time between two looks that counts. */
const MAX_LOOK_MS = 2_000;

/** The times of capture of one publisher. */
export class CaptureClock implements StreamGroup {
  readonly #streams: StreamClock[] = [];
  readonly #lookedAtMs = new Map<StreamClock, number>();
  #skewMs: number | undefined;

  /** @param isReference what the other stream is moved to: audio. */
  addStream(clockRateHz: number, isReference: boolean): StreamClock {
    const stream = new StreamClock(clockRateHz, isReference, this);
    this.#streams.push(stream);
    return stream;
  }

  settle(stream: StreamClock, nowMs: number): void {
    const lateMs = stream.floor.lateMs;
    if (lateMs === undefined) return;
    const others = this.#othersOf(stream, nowMs);
    const ratio = stream.floor.wrongRate;
    if (ratio !== undefined && others.length > 0 && others.every(({ floor }) => floor.wrongRate === undefined)) {
      this.#skewMs = 0; // what it was may come of reports in the wrong unit
      return stream.correctRate(ratio);
    }
    const commonMs = sharedBy([lateMs, ...others.map(({ floor }) => floor.lateMs ?? 0)]);
    if (Math.abs(lateMs - commonMs) > TOLERATED_MS) stream.move(lateMs - commonMs);
    if (Math.abs(commonMs) > MAX_LATE_MS) for (const each of [stream, ...others]) each.move(commonMs);
    else stream.move(this.#driftMs(stream, commonMs, nowMs));
  }

  areOthersOnTime(stream: StreamClock, sinceMs: number, nowMs: number): boolean | undefined {
    const others = this.#othersOf(stream, nowMs);
    return others.length === 0
      ? undefined
      : others.every(({ floor }) => floor.flowsSinceMs <= sinceMs && Math.abs(floor.lateMs ?? 0) < MAX_LATE_MS / 8);
  }

  skewMs(stream: StreamClock): number {
    const reference = this.#streams.find(({ isReference }) => isReference);
    if (!reference || reference === stream) return 0;
    const told = skewBetween(stream, reference);
    if (told !== undefined && Math.abs(told) <= MAX_SKEW_MS) {
      const isLikely =
        this.#skewMs === undefined || Math.abs(told - this.#skewMs) <= MAX_SKEW_STEP_MS || Math.abs(told) < Math.abs(this.#skewMs);
      if (isLikely) this.#skewMs = told;
    }
    return this.#skewMs ?? 0;
  }

  reportsStepped(): void {
    for (const stream of this.#streams) stream.ntpOriginMs = undefined;
  }

  /** Those that flow. */
  #othersOf(stream: StreamClock, nowMs: number): StreamClock[] {
    return this.#streams.filter((other) => other !== stream && other.floor.isFresh(nowMs));
  }

  #driftMs(stream: StreamClock, commonMs: number, nowMs: number): number {
    const lookMs = Math.min(MAX_LOOK_MS, nowMs - (this.#lookedAtMs.get(stream) ?? nowMs));
    this.#lookedAtMs.set(stream, nowMs);
    const limitMs = lookMs * (Math.abs(commonMs) > TOLERATED_MS ? COMMON_SLEW : DRIFT);
    return Math.max(-limitMs, Math.min(limitMs, commonMs));
  }
}

/** The part of what streams are late, or early, that is the same for all: what the network does. */
function sharedBy(latesMs: readonly number[]): number {
  const [least, most] = [Math.min(...latesMs), Math.max(...latesMs)];
  return least > 0 ? least : Math.min(most, 0);
}

/** What Sender Reports of both add to the arrival of the first; undefined where one is missing. */
function skewBetween(stream: StreamClock, reference: StreamClock): number | undefined {
  if (stream.ntpOriginMs === undefined || stream.anchorMs === undefined) return undefined;
  if (reference.ntpOriginMs === undefined || reference.anchorMs === undefined) return undefined;
  return stream.ntpOriginMs + reference.anchorMs - reference.ntpOriginMs - stream.anchorMs;
}
