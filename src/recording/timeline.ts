/** What a stretch of a recording looks like from afar: where there is something, and how much was seen when. */
import { MediaPeerError } from '../base/errors.js';
import type { SeenAnswers, SeenDensity, SeenQuestion, SeenStep } from '../store/index.js';
import { recordingNotFound } from './refusals.js';
import { union } from './stretches.js';
import type { RecordingArchive, TimeRange } from './recorded.js';

/** More than a screen is wide. */
const MAX_TIMELINE_STEPS = 2000;
/** What a timeline has when nobody says how many steps. */
const USUAL_STEPS = 300;
/** Seconds that people count in. */
const ROUND_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Of one label in one step. */
interface StepDensity {
  /** Different objects. */
  readonly seen: number;
  /** Most of them in one frame, as far as it is known. */
  readonly most: number;
}

/** One step of a timeline. */
interface TimelineStep {
  /** Its beginning, Unix milliseconds. */
  readonly atMs: number;
  /** How much of it is recorded, in [0, 1]. */
  readonly recorded: number;
  /** In its busiest minute, the share of the looks in which an object moved, in [0, 1]; where nobody looked, of the seconds in which the stream changed more than it usually does; undefined: neither is known. */
  readonly motion: number | undefined;
  /** By label. */
  readonly objects: Readonly<Record<string, StepDensity>>;
}

/** A timeline, and what it is of. */
export interface Timeline {
  /** Length of a step. */
  readonly stepMs: number;
  /** What is recorded. */
  readonly ranges: readonly TimeRange[];
  /** What is not. */
  readonly gaps: readonly TimeRange[];
  /** In order. */
  readonly steps: readonly TimelineStep[];
}

/** What a timeline is read from. */
export interface TimelineDeps {
  /** What is recorded. */
  readonly archive: Pick<RecordingArchive, 'ranges' | 'sources'>;
  /** @throws MediaPeerError STORE_FAILED */
  readonly ask: <K extends SeenQuestion['kind']>(question: Extract<SeenQuestion, { readonly kind: K }>) => Promise<SeenAnswers[K]>;
}

/** Which timeline. */
export interface TimelineRequest {
  /** The source that was recorded. */
  readonly sourceId: string;
  /** From when to when. */
  readonly within: TimeRange;
  /** Undefined: one that people count in. */
  readonly stepMs: number | undefined;
}

/** @throws MediaPeerError RECORDING_NOT_FOUND, QUERY_INVALID, STORE_FAILED */
export async function timelineOf({ archive, ask }: TimelineDeps, { sourceId, within, stepMs: asked }: TimelineRequest): Promise<Timeline> {
  const stepMs = asked ?? usualStepMs(within);
  const count = Math.ceil((within.toMs - within.fromMs) / stepMs);
  if (count > MAX_TIMELINE_STEPS)
    throw new MediaPeerError(
      'QUERY_INVALID',
      `${count} steps of ${stepMs / 1000} s are too many; a timeline has at most ${MAX_TIMELINE_STEPS}: ask for longer steps or a shorter range`,
    );
  const ranges = await archive.ranges(sourceId, within);
  if (ranges.length === 0 && !(await archive.sources()).includes(sourceId)) throw recordingNotFound(sourceId);
  const [density, seen] = await Promise.all([
    ask<'seen-density'>({ kind: 'seen-density', sourceId, ...within, stepMs }),
    ask<'seen-steps'>({ kind: 'seen-steps', sourceId, ...within, stepMs }),
  ]);
  return { stepMs, ranges, gaps: gapsOf(ranges, within), steps: timelineSteps({ ...within, stepMs, ranges, density, seen }) };
}

/** What a timeline is made of. */
interface TimelineInit extends TimeRange {
  /** Length of a step. */
  readonly stepMs: number;
  /** What is recorded; stretches may overlap. */
  readonly ranges: readonly TimeRange[];
  /** By steps. */
  readonly density: readonly SeenDensity[];
  /** What minutes tell, by steps. */
  readonly seen: readonly SeenStep[];
}

/** A step that people count in, with which a stretch has at most 300 steps. */
function usualStepMs({ fromMs, toMs }: TimeRange): number {
  const leastS = (toMs - fromMs) / 1000 / USUAL_STEPS;
  return 1000 * (ROUND_STEPS_S.find((each) => each >= leastS) ?? Math.ceil(leastS / 86_400) * 86_400);
}

/** The steps of a stretch, in order. */
function timelineSteps({ fromMs, toMs, stepMs, ranges, density, seen }: TimelineInit): TimelineStep[] {
  const recordedIn = overlapping(union(ranges));
  const seenIn = new Map(seen.map((each) => [each.step, each]));
  const byStep = new Map<number, SeenDensity[]>();
  for (const each of density) byStep.set(each.step, [...(byStep.get(each.step) ?? []), each]);
  return Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, step) => {
    const range = { fromMs: fromMs + step * stepMs, toMs: Math.min(toMs, fromMs + (step + 1) * stepMs) };
    const minutes = seenIn.get(step);
    return {
      atMs: range.fromMs,
      recorded: recordedShare(recordedIn(range), range),
      motion: minutes?.motion,
      // A minute that is not over yet says nothing: one of them at least was there.
      objects: Object.fromEntries(
        (byStep.get(step) ?? []).map(({ label, seen: count }) => [
          label,
          { seen: count, most: Math.min(count, Math.max(1, minutes?.most[label] ?? 1)) },
        ]),
      ),
    };
  });
}

/** Finds what overlaps one stretch after another, each later than the one before, in one pass. @param items which begin and end in ascending order */
function overlapping<T extends TimeRange>(items: readonly T[]): (range: TimeRange) => T[] {
  let first = 0;
  return ({ fromMs, toMs }) => {
    while ((items[first]?.toMs ?? Infinity) <= fromMs) first++;
    const found: T[] = [];
    for (let at = first; (items[at]?.fromMs ?? Infinity) < toMs; at++) found.push(items[at] as T);
    return found;
  };
}

/** Stretches of a range in which nothing is recorded, oldest first. */
function gapsOf(ranges: readonly TimeRange[], { fromMs, toMs }: TimeRange): TimeRange[] {
  const gaps: TimeRange[] = [];
  let doneMs = fromMs;
  for (const range of union(ranges)) {
    if (range.fromMs > doneMs && doneMs < toMs) gaps.push({ fromMs: doneMs, toMs: Math.min(range.fromMs, toMs) });
    doneMs = Math.max(doneMs, range.toMs);
  }
  if (doneMs < toMs) gaps.push({ fromMs: doneMs, toMs });
  return gaps;
}

function recordedShare(ranges: readonly TimeRange[], { fromMs, toMs }: TimeRange): number {
  let ms = 0;
  for (const range of ranges) ms += Math.max(0, Math.min(range.toMs, toMs) - Math.max(range.fromMs, fromMs));
  return ms / (toMs - fromMs);
}
