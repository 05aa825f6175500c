/**
 * What checks of the way tell (STUN, as consent is asked for) where no feedback tells of each packet: whether a queue grows,
 * and how fast, and whether anybody is there. Receiver Reports alone come seconds too late, and estimates of receivers
 * are wrong now and then.
 */
import { Lengthening } from './lengthening.js';
import { MinimumWindow } from './minimum-window.js';

/** The smallest round trip is that of the empty way. */
const BASE_WINDOW_MS = 60_000;
/** Between two checks: of a usual and of a near way, where there may be a queue, and while nothing is sent or nobody answers. */
const [USUAL_MS, NEAR_USUAL_MS, CLOSE_MS, IDLE_MS] = [100, 250, 50, 500];
/** A smaller round trip is that of a near way, on which a peer that is busy is more likely than a queue. */
const NEAR_MS = 5;
/** Whoever has answered none of so many answers none. */
const MUTE_CHECKS = 20;
/** Above, there may be a queue, and there is one where it stays; above the second, there is one where it does not shrink. */
const QUEUE_MS = 40;
const LONG_QUEUE_MS = 100;
const STAYS_MS = 1_500;
/** That of one large frame is over sooner. */
const LASTS_MS = 200;
/** It is as long as before where it is shorter by less. */
const STEADY_MS = 10;
/** Beside a round trip, that of a check that may be lost. */
const LATE_MS = 150;
/** How fast a queue grows at least, and at most, ms/ms; of one of which the beginning was not seen. */
const [MIN_SLOPE, MAX_SLOPE, UNKNOWN_SLOPE] = [0.15, 9, 0.5];
/** Lost of the checks of a moment, there or back: what is light on either way alone is less. Beside a queue, less is telling. */
const [LOSS_WINDOW_MS, MIN_CHECKS, HEAVY_LOSS] = [1_200, 10, 0.5];
const [LOSS_BESIDE_QUEUE, LOST_BESIDE_LONG] = [0.35, 3];
const SHORT_QUEUE_MS = 25;
/** A full queue loses more of small packets that come one by one than of those that come in bursts. */
const MIN_SHARE = 0.3;
/** So many checks in a row are not answered, for so long, beside a round trip. */
const SILENT_CHECKS = 5;
const [SILENT_MS, NEAR_SILENT_MS] = [500, 1_500];
/** A full queue is empty by then, where nothing more is sent. */
const DRAINS_MS = 600;
/** Between two looks at a queue, frames come in bursts. */
const EMPTY_MS = 600;
/** Answers are news for so long. */
const VALID_MS = 1_500;
const MAX_REMEMBERED = 64;

interface Check {
  readonly id: number;
  readonly askedMs: number;
  isAnswered: boolean;
}

interface Sample {
  /** When the check was sent: the queue is that of then. */
  readonly askedMs: number;
  readonly queueMs: number;
}

/**
 * What an answer tells. `long`: a queue, which may be that of one large frame; `congested`: one that stays; `longer`: what
 * was taken for one is the length of the way.
 */
export type PathVerdict = 'clear' | 'long' | 'congested' | 'longer';

/** Watches the way of one transport by its round trips. */
export class PathWatch {
  readonly #base = new MinimumWindow(BASE_WINDOW_MS);
  /** The newest ones, in order. */
  #checks: Check[] = [];
  #nextId = 0;
  #askedMs = -Infinity;
  #answeredMs = -Infinity;
  /** Checks since the newest answer. */
  #unanswered = 0;
  #queueMs = 0;
  #previousMs = 0;
  /** The newest sample without a queue. */
  #empty: Sample | undefined;
  #emptyMs = -Infinity;
  #queueSinceMs: number | undefined;
  /** Since when it has been long, and has not shrunk. */
  #longSinceMs: number | undefined;
  #slope = 0;
  readonly #lengthening = new Lengthening();
  /** The newest queues, of `LASTS_MS`. */
  #recent: readonly Sample[] = [];
  /** What was asked before tells of what was sent before. */
  #sinceMs = -Infinity;

  /** The newest queue, ms; 0 before any. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Of what is sent while it is congested, the share that passes, 0..1: the rest makes the queue grow, or is lost. */
  get passing(): number {
    const kept = 1 / (1 + Math.min(MAX_SLOPE, Math.max(MIN_SLOPE, this.#slope)));
    const sinceMs = this.#queueSinceMs === undefined ? this.#askedMs - LOSS_WINDOW_MS : (this.#empty?.askedMs ?? -Infinity);
    const { asked, lost } = this.#losses(Math.max(this.#sinceMs, sinceMs));
    return asked < MIN_CHECKS / 2 ? kept : Math.min(kept, Math.max(MIN_SHARE, (asked - lost + 1) / (asked + 1)));
  }

  /** The peer answers. */
  isAnswered(nowMs: number): boolean {
    return nowMs - this.#answeredMs <= VALID_MS;
  }

  /** The way is another one: nothing of before is known. */
  clear(): void {
    this.#base.clear();
    this.#queueMs = 0;
    this.#unanswered = 0;
    this.#lengthening.stop();
    this.forget(-Infinity);
  }

  /** For the queue that was seen less is sent from now on: it shrinks, or is none. */
  yields(nowMs: number): void {
    this.#lengthening.begin(Math.min(...this.#recent.map(({ queueMs }) => queueMs)), nowMs);
  }

  /** What was asked until then counts no longer: less is sent from now on. */
  forget(untilMs: number): void {
    this.#sinceMs = untilMs;
    this.#previousMs = 0;
    this.#recent = [];
    this.#empty = this.#queueSinceMs = this.#longSinceMs = undefined;
    this.#slope = 0;
  }

  /** @returns the id of a check that is to be sent now; undefined: none is. @param isIdle nothing else is sent */
  ask(isIdle: boolean, nowMs: number): number | undefined {
    if (nowMs - this.#askedMs < this.#periodMs(isIdle, nowMs)) return undefined;
    const id = this.#nextId++;
    this.#checks = [...this.#checks, { id, askedMs: nowMs, isAnswered: false }].slice(-MAX_REMEMBERED);
    this.#askedMs = nowMs;
    this.#unanswered++;
    return id;
  }

  #periodMs(isIdle: boolean, nowMs: number): number {
    if (isIdle || (this.#answeredMs === -Infinity && this.#unanswered >= MUTE_CHECKS)) return IDLE_MS;
    const usualMs = this.#isNear ? NEAR_USUAL_MS : USUAL_MS;
    const isClose = this.#queueMs > QUEUE_MS || nowMs - this.#answeredMs > usualMs + (this.#base.minimum ?? 0) + LATE_MS;
    return isClose ? CLOSE_MS : usualMs;
  }

  get #isNear(): boolean {
    return this.#base.minimum !== undefined && this.#base.minimum < NEAR_MS;
  }

  /** Many of the checks are lost. */
  isLossy(nowMs: number): boolean {
    const { asked, lost } = this.#losses(Math.max(this.#sinceMs, nowMs - LOSS_WINDOW_MS - this.#queueMs - (this.#base.minimum ?? 0)));
    return asked >= MIN_CHECKS && lost >= asked * (this.#queueMs < SHORT_QUEUE_MS ? HEAVY_LOSS : LOSS_BESIDE_QUEUE);
  }

  /** None of the last checks was answered: the way is cut, or so full that hardly anything passes. */
  isSilent(nowMs: number): boolean {
    const isLate = nowMs - this.#answeredMs > (this.#isNear ? NEAR_SILENT_MS : SILENT_MS) + (this.#base.minimum ?? 0);
    return this.#answeredMs > -Infinity && this.#unanswered >= SILENT_CHECKS && isLate;
  }

  /** Less than that after it was held, something passes again: what was sent was too much. Later, or on a near way, it was cut, or the peer busy. */
  get drainsWithinMs(): number {
    return this.#isNear ? 0 : DRAINS_MS + (this.#base.minimum ?? 0);
  }

  /** It would tell of a queue. */
  isLong(roundTripMs: number): boolean {
    return roundTripMs - (this.#base.minimum ?? roundTripMs) >= QUEUE_MS;
  }

  /** No queue was seen a moment ago. */
  isEmpty(nowMs: number): boolean {
    return nowMs - this.#emptyMs <= EMPTY_MS;
  }

  /** An answer came. @param roundTripMs of the check; undefined: it is not known. */
  add(id: number, roundTripMs: number | undefined, nowMs: number): PathVerdict {
    const check = this.#checks.find((candidate) => candidate.id === id);
    if (!check || check.isAnswered) return 'clear';
    check.isAnswered = true;
    this.#unanswered = 0;
    this.#answeredMs = nowMs;
    if (roundTripMs === undefined) return 'clear';
    this.#base.add(roundTripMs, nowMs);
    const queueMs = Math.max(0, roundTripMs - (this.#base.minimum ?? roundTripMs));
    this.#queueMs = queueMs;
    if (check.askedMs <= this.#sinceMs) return 'clear';
    const sample = { askedMs: check.askedMs, queueMs };
    if (this.#lengthening.add(queueMs, check.askedMs) && this.#losses(this.#sinceMs).lost < LOST_BESIDE_LONG) {
      this.clear();
      this.#base.add(roundTripMs, nowMs);
      return 'longer';
    }
    this.#recent = [...this.#recent.filter(({ askedMs }) => check.askedMs - askedMs <= LASTS_MS), sample];
    const isGrown = queueMs >= this.#previousMs - STEADY_MS;
    this.#previousMs = queueMs;
    return this.#judge(sample, isGrown);
  }

  #judge(sample: Sample, isGrown: boolean): PathVerdict {
    const { askedMs, queueMs } = sample;
    if (queueMs < QUEUE_MS) {
      this.#empty = sample;
      this.#emptyMs = askedMs;
      this.#queueSinceMs = undefined;
    } else this.#queueSinceMs ??= askedMs;
    if (queueMs < LONG_QUEUE_MS || !isGrown) this.#longSinceMs = undefined;
    else this.#longSinceMs ??= askedMs;
    if (this.#queueSinceMs === undefined) this.#slope = 0;
    else this.#slope = Math.max(this.#slope, this.#slopeTo(sample));
    const lasts = (sinceMs: number | undefined, ms: number): boolean => sinceMs !== undefined && askedMs - sinceMs >= ms;
    const isKnown = !this.#lengthening.explains(queueMs);
    const longForMs = this.#isNear ? STAYS_MS : LASTS_MS;
    if (isKnown && (lasts(this.#longSinceMs, longForMs) || (isGrown && lasts(this.#queueSinceMs, STAYS_MS)))) return 'congested';
    if (this.#longSinceMs === undefined) return 'clear';
    return this.#losses(this.#empty?.askedMs ?? this.#sinceMs).lost >= LOST_BESIDE_LONG ? 'congested' : 'long';
  }

  #slopeTo({ askedMs, queueMs }: Sample): number {
    const empty = this.#empty;
    return empty && askedMs > empty.askedMs ? (queueMs - empty.queueMs) / (askedMs - empty.askedMs) : UNKNOWN_SLOPE;
  }

  /** Of the checks since then. One is lost where a later one was answered: a peer that is late is late with all. */
  #losses(sinceMs: number): { readonly asked: number; readonly lost: number } {
    const newest = this.#checks.findLastIndex(({ isAnswered }) => isAnswered);
    const asked = this.#checks.slice(0, newest + 1).filter(({ askedMs }) => askedMs > sinceMs);
    return { asked: asked.length, lost: asked.filter(({ isAnswered }) => !isAnswered).length };
  }
}
