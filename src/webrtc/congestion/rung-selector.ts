/**
 * Which quality each stream of a transport is sent in. Down at once, to what the estimate carries; up when a probe found
 * room for it, the way has been clear for a while, and the last step down is long enough ago. Without feedback that probes
 * could be read by, the next rung is tried now and then, and each failure makes the next attempt later.
 *
 * One for each transport. `select` is called after each feedback or report and every 100 ms at most, with all streams that
 * are not paused; what it answers is carried out at once or later, and told back as `current` from the next call on.
 */
import type { CongestionController } from './congestion-controller.js';
import { levelIndex, levelsOf, type Level, type Selection, type StreamWish } from './levels.js';
import { shareOut, totalBps } from './share.js';

/** Of the estimate: the rest is for repairs and keyframes. */
const FILL = 0.85;
/** Of the estimate, which is below what arrived: all streams and the sound. */
const FILL_WITH_SOUND = 1.1;
/** What must be found for a step up, and so much more after each that failed. */
const ROOM = 1.18;
const ROOM_MORE = 0.15;
const MAX_ROOM = 1.6;
/** Beyond what must be found: a probe measures with an error. */
const PROBE_MORE = 0.02;
/** The way has been clear for so long. */
const STABLE_MS = 2_500;
const AFTER_DOWN_MS = 10_000;
/** Probes go out so long before a step would be taken. */
const PROBE_BEFORE_MS = 1_500;
/** In the beginning nothing is known, and steps up need not wait. */
const BEGIN_MS = 6_000;
/** A step up that ends in congestion by then was wrong; one that does not was right. */
const FAILED_MS = 20_000;
/** Congestion that the estimate does not explain, twice in this time, is a step down all the same. */
const REPEATED_MS = 10_000;
/** Opus at 48 kbit/s with its headers. */
const SOUND_BPS = 64_000;
/** Without feedback: the next rung is tried after so long, at first and after a failure. */
const FIRST_TRIAL_MS = 3_000;
const [MIN_TRIAL_MS, MAX_TRIAL_MS] = [15_000, 120_000];

/** Why a stream is sent as it is. */
export type SelectionReason = 'start' | 'wish' | 'congestion' | 'room' | 'trial' | 'ladder';

/** What is to be sent of one stream from now on. */
export interface SelectionDecision extends Selection {
  /** Of the stream. */
  readonly id: string;
  /** Why it was selected: the same as long as the selection is. */
  readonly reason: SelectionReason;
  /** Name of a rung that will be needed if the queue goes on growing: lease it now. Undefined: none. */
  readonly prepare: string | undefined;
  /** Nothing of the stream is sent now, and what waits of it is dropped; its next frame is a keyframe of `rung`. */
  readonly isHeld: boolean;
}

/** Selects for the streams of one transport. */
export class RungSelector {
  readonly #controller: CongestionController;
  readonly #reasons = new Map<string, { readonly selection: Selection; readonly reason: SelectionReason }>();
  #begunMs: number | undefined;
  #overuses = 0;
  #overuseMs = -Infinity;
  #changedMs = -Infinity;
  #raisedMs = -Infinity;
  #loweredMs = -Infinity;
  #clearSinceMs: number | undefined;
  #room = ROOM;
  #trialMs = FIRST_TRIAL_MS;
  #soundBps = SOUND_BPS;

  /** @param controller of the same transport */
  constructor(controller: CongestionController) {
    this.#controller = controller;
  }

  /**
   * What is to be sent of each stream, in the order given.
   * @param soundBps what else the transport carries, bits a second with its headers; default: one Opus stream
   */
  select(streams: readonly StreamWish[], nowMs: number, soundBps = SOUND_BPS): SelectionDecision[] {
    this.#soundBps = soundBps;
    this.#begunMs ??= nowMs;
    this.#clearSinceMs = this.#controller.state === 'clear' ? (this.#clearSinceMs ?? nowMs) : undefined;
    const levels = streams.map(levelsOf);
    const known = streams.map(({ current }, stream) => levelIndex(levels[stream] ?? [], current));
    const current = this.#begin(levels, known);
    const hasOveruse = this.#controller.overuses !== this.#overuses;
    const lowered = hasOveruse ? this.#lower(levels, current, nowMs) : current;
    const raised = hasOveruse ? undefined : this.#raise(levels, lowered, nowMs);
    if (raised) this.#changedMs = this.#raisedMs = nowMs;
    const reason = hasOveruse ? 'congestion' : this.#controller.hasFeedback ? 'room' : 'trial';
    const prepared = this.#prepared(levels, lowered);
    return streams.map((stream, index) => {
      const to = levels[index]?.[(raised ?? lowered)[index] ?? 0] ?? { rung: stream.rungs[0]?.name ?? '', delivery: 'frames' as const };
      const isKnown = known[index] !== undefined && (raised ?? lowered)[index] === known[index];
      return {
        id: stream.id,
        rung: to.rung,
        delivery: to.delivery,
        reason: this.#reasonOf(stream, to, isKnown ? undefined : known[index] === undefined ? 'ladder' : reason),
        prepare: prepared?.[index],
        isHeld: this.#controller.isVideoHeld,
      };
    });
  }

  /** Levels of now; of a stream that has none, or one that is gone, what its share of the estimate carries. */
  #begin(levels: readonly (readonly Level[])[], known: readonly (number | undefined)[]): number[] {
    if (known.every((index) => index !== undefined)) return [...known];
    const shares = shareOut(levels, this.#budgetBps(this.#controller.usableBps ?? Infinity));
    return known.map((index, stream) => index ?? this.#atLeastFrames(levels[stream] ?? [], shares[stream] ?? 0));
  }

  #budgetBps(estimateBps: number): number {
    return Math.min(FILL * estimateBps, FILL_WITH_SOUND * estimateBps - this.#soundBps);
  }

  /** Before anything is known for certain, a picture is shown. */
  #atLeastFrames(levels: readonly Level[], index: number): number {
    const lowest = levels.findLastIndex(({ delivery }) => delivery === 'frames');
    return this.#controller.overuses === 0 ? Math.min(index, lowest) : index;
  }

  #lower(levels: readonly (readonly Level[])[], current: readonly number[], nowMs: number): number[] {
    this.#overuses = this.#controller.overuses;
    const isRepeated = nowMs - this.#overuseMs < REPEATED_MS;
    this.#overuseMs = nowMs;
    const shares = shareOut(levels, this.#budgetBps(this.#controller.usableBps ?? Infinity));
    const lowered = current.map((index, stream) => Math.max(index, shares[stream] ?? 0));
    const isUnchanged = lowered.every((index, stream) => index === current[stream]);
    if (isUnchanged && isRepeated) lowerOne(levels, lowered);
    if (lowered.some((index, stream) => index !== current[stream])) this.#noteLowered(nowMs);
    return lowered;
  }

  #noteLowered(nowMs: number): void {
    if (nowMs - this.#raisedMs < FAILED_MS) {
      this.#room = Math.min(MAX_ROOM, this.#room + ROOM_MORE);
      this.#trialMs = Math.min(MAX_TRIAL_MS, Math.max(MIN_TRIAL_MS, this.#trialMs * 2));
    }
    this.#changedMs = this.#loweredMs = nowMs;
  }

  /** Levels one or more steps up, where they may be taken now; tells the controller what to probe for. */
  #raise(levels: readonly (readonly Level[])[], current: readonly number[], nowMs: number): number[] | undefined {
    const controller = this.#controller;
    controller.wantedBps = undefined;
    if (current.every((index) => index === 0) || this.#clearSinceMs === undefined) return undefined;
    if (nowMs - this.#raisedMs > FAILED_MS && nowMs - this.#loweredMs > 3 * FAILED_MS) this.#room = ROOM;
    const isBegin = nowMs - (this.#begunMs ?? nowMs) < BEGIN_MS && controller.overuses === 0;
    const waitMs = isBegin
      ? 0
      : Math.max(this.#clearSinceMs + STABLE_MS, this.#changedMs + STABLE_MS, this.#loweredMs + AFTER_DOWN_MS) - nowMs;
    if (!controller.hasFeedback) return waitMs <= 0 ? this.#try(levels, current, nowMs) : undefined;
    if (waitMs > PROBE_BEFORE_MS) return undefined;
    const found = raisedTo(levels, current, controller.foundBps / this.#room - this.#soundBps);
    const next = raisedByOne(levels, found);
    if (next) controller.wantedBps = (totalBps(levels, next) + this.#soundBps) * (this.#room + PROBE_MORE);
    const isChanged = found.some((index, stream) => index !== current[stream]);
    return isChanged && waitMs <= 0 && !controller.isProbing ? found : undefined;
  }

  /** The next rung without proof: where the receiver's own estimate is no lower than what it gets, and it reports at all. */
  #try(levels: readonly (readonly Level[])[], current: readonly number[], nowMs: number): number[] | undefined {
    if (!this.#controller.hasReports || nowMs - this.#changedMs < this.#trialMs) return undefined;
    return raisedByOne(levels, current);
  }

  /** What would be needed after certain congestion; undefined while there is no sign of it. */
  #prepared(levels: readonly (readonly Level[])[], current: readonly number[]): (string | undefined)[] | undefined {
    if (this.#controller.state !== 'warning') return undefined;
    const shares = shareOut(levels, this.#budgetBps(FILL * this.#controller.acknowledgedBps));
    return levels.map((list, stream) => list[Math.max(shares[stream] ?? 0, current[stream] ?? 0)]?.rung);
  }

  #reasonOf({ id, wish }: StreamWish, selection: Selection, change: SelectionReason | undefined): SelectionReason {
    const known = this.#reasons.get(id);
    if (known && !change && known.selection.rung === selection.rung && known.selection.delivery === selection.delivery) return known.reason;
    const reason = selection.rung === wish ? 'wish' : known ? (change ?? known.reason) : 'start';
    this.#reasons.set(id, { selection, reason });
    return reason;
  }
}

/** One step down for the stream that takes most. */
function lowerOne(levels: readonly (readonly Level[])[], indexes: number[]): void {
  const costs = levels.map((list, stream) => (list.length - 1 > (indexes[stream] ?? 0) ? (list[indexes[stream] ?? 0]?.costBps ?? 0) : -1));
  const stream = costs.indexOf(Math.max(...costs));
  if ((costs[stream] ?? -1) >= 0) indexes[stream] = (indexes[stream] ?? 0) + 1;
}

/** The levels that a rate carries, none lower than now. */
function raisedTo(levels: readonly (readonly Level[])[], current: readonly number[], budgetBps: number): number[] {
  return shareOut(
    levels.map((list, stream) => list.slice(0, (current[stream] ?? 0) + 1)),
    budgetBps,
  );
}

/** One step up for the stream that has least; undefined where all have the best. */
function raisedByOne(levels: readonly (readonly Level[])[], current: readonly number[]): number[] | undefined {
  const costs = levels.map((list, stream) => ((current[stream] ?? 0) > 0 ? (list[current[stream] ?? 0]?.costBps ?? 0) : Infinity));
  const least = Math.min(...costs);
  if (least === Infinity) return undefined;
  return current.map((index, stream) => (stream === costs.indexOf(least) ? index - 1 : index));
}
