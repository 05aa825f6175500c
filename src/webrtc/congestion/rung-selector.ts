/**
 * Which quality each stream of a transport is sent in. Down at once, to what the estimate carries; up when a probe found
 * room for it, the way has been clear for a while, and the last step down is long enough ago. Without feedback that probes
 * could be read by, the next rung is tried now and then, and each failure makes the next attempt later.
 *
 * One for each transport. `select` is called after each feedback or report and every 100 ms at most, with all streams that
 * are not paused; what it answers is carried out at once or later, and told back as `current` from the next call on.
 */
import type { CongestionController } from './congestion-controller.js';
import { levelIndex, levelsOf, lowestPicture, type Level, type Selection, type StreamWish } from './levels.js';
import { pastIndex, pastLevels, type PastLevels } from './past-levels.js';
import { besideOthers, loweredByOne, raisedByOne, raisedTo, shareOut, totalBps } from './share.js';
import { StepHistory } from './step-history.js';

/** Of the estimate: the rest is for repairs and keyframes. */
const FILL = 0.85;
/** Of the estimate, which is below what arrived: all streams and the sound. */
const FILL_WITH_SOUND = 1.1;
/** Opus at 48 kbit/s with its headers. */
const SOUND_BPS = 64_000;
/** Probes go out so long before a step would be taken. */
const PROBE_BEFORE_MS = 1_500;
/** In the beginning nothing is known, and steps up need not wait. */
const BEGIN_MS = 10_000;
/** And until something has come of it, a step down is none. */
const SETTLE_MS = 1_500;
/** So many streams get a picture each before anything is known; of more, those that the estimate carries. */
const PICTURES_AT_FIRST = 3;
/** So much of what is sent in the beginning has to fit: others may share the way, and make room. */
const SETTLE_SHARE = 0.8;
/** Feedback may come later than the first reports do. */
const FEEDBACK_LATE_MS = 4_000;
/** Until then a step down may be taken back in part: nothing has been sent by it. */
const DRAINING_MS = 700;
/** A step up that leads to congestion at once was too much. */
const TRIED_MS = 4_000;
/** Receivers estimate no more than 1.5 × what they get: then they may get more, and do not know. */
const CAPPED = [1.35, 1.6] as const;
/** Congestion that the estimate does not explain, twice in this time, is a step down all the same. */
const REPEATED_MS = 10_000;
/** What a step up was taken for is asked again after so long, while it waits for a keyframe. */
const STALE_MS = 1_000;
/** Other streams wait so long for what one was raised to. */
const ARRIVES_MS = 2_000;

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

type Levels = readonly (readonly Level[])[];

/** Selects for the streams of one transport. */
export class RungSelector {
  readonly #controller: CongestionController;
  readonly #history = new StepHistory();
  #reasons = new Map<string, { readonly selection: Selection; readonly reason: SelectionReason }>();
  #streams: readonly StreamWish[] = [];
  /** What was sent of each by the last selection. */
  #sent: PastLevels = new Map();
  #sentBps = 0;
  #soundBps = SOUND_BPS;
  #begunMs: number | undefined;
  #overuses = 0;
  #withdrawals = 0;
  #overuseMs = -Infinity;
  /** What there was before the last step down. */
  #before: PastLevels | undefined;
  #clearSinceMs: number | undefined;
  /** The newest step up that nothing had proven, and from where. */
  #trial: { readonly from: PastLevels; readonly atMs: number } | undefined;
  /** What there was before the last step up, until all of it has come. */
  #raised: { readonly from: PastLevels; readonly atMs: number } | undefined;

  /** @param controller of the same transport */
  constructor(controller: CongestionController) {
    this.#controller = controller;
  }

  /**
   * What is to be sent of each stream, in the order given.
   * @param soundBps what else the transport carries, bits a second with its headers; default: one Opus stream
   */
  select(streams: readonly StreamWish[], nowMs: number, soundBps = SOUND_BPS): SelectionDecision[] {
    const controller = this.#controller;
    this.#streams = streams;
    this.#soundBps = soundBps;
    this.#begunMs ??= nowMs;
    this.#clearSinceMs = controller.state === 'clear' ? (this.#clearSinceMs ?? nowMs) : undefined;
    const levels = streams.map(levelsOf);
    const known = streams.map(({ current }, stream) => levelIndex(levels[stream] ?? [], current));
    const current = this.#begin(streams, levels, known);
    if (current.some((index, stream) => index > (known[stream] ?? Infinity))) this.#history.takenBack(nowMs);
    const isOveruse = controller.overuses !== this.#overuses;
    const isDraining = controller.isVideoHeld && nowMs - this.#overuseMs < DRAINING_MS;
    const next = isOveruse
      ? this.#lower(levels, current, nowMs)
      : (this.#undone(levels, current) ??
        (isDraining ? this.#reconsider(levels, current) : this.#climb(levels, current, nowMs)) ??
        current);
    const prepared = this.#prepared(levels, next);
    const change = isOveruse ? 'congestion' : controller.hasFeedback ? 'room' : 'trial';
    const decisions = streams.map((stream, index) => {
      const { rung, delivery } = levels[index]?.[next[index] ?? 0] ?? { rung: '', delivery: 'nothing' };
      const isSame = known[index] === next[index];
      const reason = this.#reasonOf(stream, rung, isSame ? undefined : known[index] === undefined ? 'ladder' : change);
      return { id: stream.id, rung, delivery, reason, prepare: prepared?.[index], isHeld: controller.isVideoHeld };
    });
    this.#sent = this.#past(levels, next);
    this.#sentBps = totalBps(levels, next);
    this.#reasons = new Map(decisions.map(({ id, rung, delivery, reason }) => [id, { selection: { rung, delivery }, reason }]));
    return decisions;
  }

  /** What each of these streams would begin with, in the order given, beside those that have something. Changes nothing. */
  initial(streams: readonly StreamWish[]): Selection[] {
    const levels = streams.map(levelsOf);
    const known = streams.map(({ current }, stream) => levelIndex(levels[stream] ?? [], current));
    const begun = this.#begin(streams, levels, known);
    return levels.map((list, stream) => {
      const { rung, delivery } = list[begun[stream] ?? 0] ?? { rung: '', delivery: 'nothing' };
      return { rung, delivery };
    });
  }

  /** Levels of now; of a stream that has none, or shows something else, its share of the estimate, as far as the others leave it that. */
  #begin(streams: readonly StreamWish[], levels: Levels, known: readonly (number | undefined)[]): readonly number[] {
    const isNew = streams.map(({ id, content }, stream) => known[stream] === undefined || this.#sent.get(id)?.content !== content);
    if (!isNew.includes(true)) return known.map((index) => index ?? 0);
    const budgetBps = this.#budgetBps();
    const shares = shareOut(levels, budgetBps).map((share, stream) => this.#atLeastFrames(levels[stream] ?? [], share, levels.length));
    const begun = known.map((index, stream) => index ?? shares[stream] ?? 0);
    // What was sent so far fits, whatever the estimate says.
    return besideOthers(levels, begun, { shares, isNew, budgetBps: Math.max(budgetBps, this.#sentBps) });
  }

  /** Before anything is known for certain, a picture is shown; of many streams only as many as fit. @param count of streams */
  #atLeastFrames(levels: readonly Level[], index: number, count: number): number {
    return this.#controller.overuses === 0 && count <= PICTURES_AT_FIRST ? Math.min(index, lowestPicture(levels)) : index;
  }

  #budgetBps(factor = 1): number {
    const estimateBps = factor * (this.#controller.estimateBps ?? Infinity);
    return Math.min(FILL * estimateBps, FILL_WITH_SOUND * estimateBps - this.#soundBps);
  }

  #lower(levels: Levels, current: readonly number[], nowMs: number): readonly number[] {
    this.#controller.want(undefined);
    this.#overuses = this.#controller.overuses;
    const isRepeated = nowMs - this.#overuseMs < REPEATED_MS && !this.#history.isFresh(nowMs);
    this.#overuseMs = nowMs;
    this.#before = this.#past(levels, current);
    this.#raised = undefined;
    const shares = shareOut(levels, this.#budgetBps());
    const fitting = current.map((index, stream) => Math.max(index, shares[stream] ?? 0));
    const lowered =
      this.#beforeTrial(levels, current, nowMs) ?? (isSame(fitting, current) && isRepeated ? loweredByOne(levels, fitting) : fitting);
    if (!isSame(lowered, current)) this.#history.lowered(nowMs);
    return lowered;
  }

  /** A step down for what was no congestion. */
  #undone(levels: Levels, current: readonly number[]): readonly number[] | undefined {
    const { withdrawals } = this.#controller;
    if (withdrawals === this.#withdrawals) return undefined;
    this.#withdrawals = withdrawals;
    const before = this.#backTo(this.#before, levels, current);
    if (isSame(before, current)) return undefined;
    this.#history.undone();
    return before.map((index, stream) => Math.min(index, current[stream] ?? index));
  }

  /** A step up that was tried in vain is taken back: what was there before had done well. */
  #beforeTrial(levels: Levels, current: readonly number[], nowMs: number): readonly number[] | undefined {
    const trial = this.#trial;
    this.#trial = undefined;
    if (!trial || nowMs - trial.atMs > TRIED_MS) return undefined;
    const from = this.#backTo(trial.from, levels, current);
    return from.every((index, stream) => index >= (current[stream] ?? index)) && !isSame(from, current) ? from : undefined;
  }

  /** What there was, of each stream that still shows the same; of others, what there is. */
  #backTo(past: PastLevels | undefined, levels: Levels, current: readonly number[]): number[] {
    return current.map((index, stream) => {
      const each = this.#streams[stream];
      return (each && pastIndex(past, each, levels[stream] ?? [])) ?? index;
    });
  }

  /** While the queue drains it turns out what the way carries: what was chosen in haste is chosen again before anything of it is sent. */
  #reconsider(levels: Levels, current: readonly number[]): number[] {
    const befores = this.#backTo(this.#before, levels, current);
    const shares = shareOut(levels, this.#budgetBps());
    return current.map((index, stream) => {
      const [share, before] = [shares[stream] ?? index, befores[stream] ?? index];
      return index > before ? Math.max(share, before + 1) : Math.max(share, index);
    });
  }

  /** What waits is given up where it would not fit any more; else, and where nothing waits, more is sent where that fits. */
  #climb(levels: Levels, current: readonly number[], nowMs: number): number[] | undefined {
    const waiting = this.#waiting(levels, current);
    if (waiting.size === 0) this.#raised = undefined;
    if (!this.#raised) return this.#raise(levels, current, nowMs);
    return this.#retract(levels, current, waiting, nowMs) ?? this.#raiseOthers(levels, current, waiting, nowMs);
  }

  /** Streams of which more was to be sent, and which wait for a keyframe of it; with what each had before. */
  #waiting(levels: Levels, current: readonly number[]): ReadonlyMap<number, number> {
    return new Map(
      this.#streams.flatMap((each, stream) => {
        const from = pastIndex(this.#raised?.from, each, levels[stream] ?? []);
        return each.isFlowing === false && from !== undefined && from > (current[stream] ?? 0) ? [[stream, from] as const] : [];
      }),
    );
  }

  /** What waits is asked for again now and then, and given up when it would not fit any more. */
  #retract(levels: Levels, current: readonly number[], waiting: ReadonlyMap<number, number>, nowMs: number): number[] | undefined {
    const controller = this.#controller;
    if (!controller.hasFeedback) return undefined;
    controller.want(this.#roomFor(levels, current), nowMs - STALE_MS);
    const from = current.map((index, stream) => (waiting.get(stream) ?? index) - index);
    const fits = raisedTo(levelsFrom(levels, current), from, controller.foundBps / this.#history.room - this.#soundBps);
    const kept = current.map((index, stream) => index + (fits[stream] ?? 0));
    if (isSame(kept, current)) return undefined;
    this.#history.takenBack(nowMs);
    return kept;
  }

  /** One that waits for long does not keep the others where they are; what it waits for is reckoned with. */
  #raiseOthers(levels: Levels, current: readonly number[], waiting: ReadonlyMap<number, number>, nowMs: number): number[] | undefined {
    const before = this.#raised;
    if (!before || nowMs - before.atMs < ARRIVES_MS) return undefined;
    const best = current.map((index, stream) => (waiting.has(stream) ? index : 0));
    const others = current.map((index, stream) => index - (best[stream] ?? 0));
    if (others.every((index) => index === 0)) return undefined;
    const raised = this.#raise(levelsFrom(levels, best), others, nowMs);
    if (this.#raised !== before)
      this.#raised = {
        from: this.#past(
          levels,
          current.map((index, stream) => waiting.get(stream) ?? index),
        ),
        atMs: nowMs,
      };
    return raised?.map((index, stream) => index + (best[stream] ?? 0));
  }

  /** Levels one or more steps up, where they may be taken now; tells the controller what to probe for. */
  #raise(levels: Levels, current: readonly number[], nowMs: number): number[] | undefined {
    const controller = this.#controller;
    controller.want(this.#raised && this.#roomFor(levels, current), this.#raised && nowMs - STALE_MS);
    if (current.every((index) => index === 0) || this.#clearSinceMs === undefined) return undefined;
    const hasPicture = current.every((index, stream) => index <= lowestPicture(levels[stream] ?? []));
    const isBegin = this.#isBegin(BEGIN_MS, nowMs);
    const waitMs = isBegin ? 0 : this.#history.waitMs(this.#clearSinceMs, hasPicture, nowMs);
    if (isBegin && controller.foundBps === 0)
      controller.want(
        this.#roomFor(
          levels,
          levels.map(() => 0),
        ),
      );
    if (!controller.hasFeedback) return waitMs <= 0 ? this.#try(levels, current, nowMs) : undefined;
    if (waitMs > PROBE_BEFORE_MS) return undefined;
    const found = raisedTo(levels, current, controller.foundBps / this.#history.room - this.#soundBps);
    // Keyframes alone are no aim.
    const next = raisedByOne(levels, found)?.map((index, stream) => Math.min(index, lowestPicture(levels[stream] ?? [])));
    if (next && !(isBegin && controller.foundBps === 0)) controller.want(this.#roomFor(levels, next));
    if (controller.isProbing || waitMs > 0) return undefined;
    if (isSame(found, current)) return this.#isBegin(SETTLE_MS, nowMs) ? this.#settled(levels, current) : undefined;
    this.#history.raised(nowMs);
    this.#raised = { from: this.#past(levels, current), atMs: nowMs };
    return found;
  }

  #past(levels: Levels, indexes: readonly number[]): PastLevels {
    return pastLevels(this.#streams, levels, indexes);
  }

  /** Nothing has been changed since the first selection, which is younger than that. */
  #isBegin(ms: number, nowMs: number): boolean {
    return nowMs - (this.#begunMs ?? nowMs) < ms && this.#controller.overuses === 0 && !this.#history.hasRaised;
  }

  #roomFor(levels: Levels, indexes: readonly number[]): number {
    return (totalBps(levels, indexes) + this.#soundBps) * this.#history.probedRoom;
  }

  /** What the first probe told, where it is less than what was assumed. */
  #settled(levels: Levels, current: readonly number[]): number[] | undefined {
    if (this.#controller.foundBps === 0) return undefined;
    if (this.#controller.foundBps > SETTLE_SHARE * (totalBps(levels, current) + this.#soundBps)) return undefined;
    const shares = shareOut(levels, this.#budgetBps());
    return current.map((index, stream) => Math.max(index, this.#atLeastFrames(levels[stream] ?? [], shares[stream] ?? 0, levels.length)));
  }

  /** What the receiver says that it can get, or the next rung without proof, where it reports at all. */
  #try(levels: Levels, current: readonly number[], nowMs: number): number[] | undefined {
    const { hasReports, isPathWatched, receiverBps } = this.#controller;
    if (nowMs - (this.#begunMs ?? nowMs) < FEEDBACK_LATE_MS) return undefined;
    const said = receiverBps === undefined ? [...current] : raisedTo(levels, current, receiverBps / this.#history.room - this.#soundBps);
    const headroom = (receiverBps ?? 0) / (totalBps(levels, current) + this.#soundBps);
    const isUnknown = receiverBps === undefined || isPathWatched || (headroom > CAPPED[0] && headroom < CAPPED[1]);
    const hasPicture = current.every((index, stream) => index <= lowestPicture(levels[stream] ?? []));
    const isDue = (hasReports || isPathWatched) && isUnknown && this.#history.trialWaitMs(hasPicture, nowMs) <= 0;
    if (isSame(said, current) && !isDue) return undefined;
    this.#history.raised(nowMs);
    this.#trial = { from: this.#past(levels, current), atMs: nowMs };
    if (!isSame(said, current)) return said;
    // Of many streams only some have begun with a picture: nothing has shown that the others would not fit.
    if (!hasPicture && this.#overuses === 0) return current.map((index, stream) => Math.min(index, lowestPicture(levels[stream] ?? [])));
    return raisedByOne(levels, current);
  }

  /** What would be needed after certain congestion; undefined while there is no sign of it. */
  #prepared(levels: Levels, current: readonly number[]): (string | undefined)[] | undefined {
    if (this.#controller.state !== 'warning') return undefined;
    const estimateBps = Math.max(1, this.#controller.estimateBps ?? 1);
    const shares = shareOut(levels, this.#budgetBps(Math.min(1, (FILL * this.#controller.acknowledgedBps) / estimateBps)));
    return levels.map((list, stream) => list[Math.max(shares[stream] ?? 0, current[stream] ?? 0)]?.rung);
  }

  #reasonOf({ id, wish }: StreamWish, rung: string, change: SelectionReason | undefined): SelectionReason {
    if (rung === wish) return 'wish';
    const known = this.#reasons.get(id);
    return known ? (change ?? known.reason) : 'start';
  }
}

/** The levels from an index on, of each stream. */
const levelsFrom = (levels: Levels, indexes: readonly number[]): Levels => levels.map((list, stream) => list.slice(indexes[stream] ?? 0));

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.every((index, stream) => index === b[stream]);
