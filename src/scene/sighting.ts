/** What a counter remembers of an object from one look to the next. */
import type { SceneEvent, TrackedObject } from '../media/index.js';
import { boundsOfStep, type Bounds, type Point } from './geometry.js';
import type { ObjectFilter, SceneLayout } from './resolve.js';

/** What an object is. */
export interface ObjectKind {
  /** Number of the class in its model. */
  readonly classId: number;
  /** Name of the class. */
  readonly label: string;
}

/** An object where it was last observed; where it is only expected to be does not count. */
export interface Sighting {
  /** Of the object that is followed. */
  readonly objectId: number;
  /** Detectors waver between like classes; the tracker says which holds. */
  classId: number;
  /** What it is taken for. */
  label: string;
  /** Votes for each label, recent ones first, and the class that it belongs to. */
  readonly votes: Map<string, { votes: number; readonly classId: number }>;
  /** Of its newest detection, 0 to 1. */
  score: number;
  /** The best so far: who has once been sure enough stays in. */
  bestScore: number;
  /** The anchor, and where it was one look before; undefined at the first. */
  position: Point;
  /** Where its anchor was at the look before, in pixels; undefined at the first look. */
  before: Point | undefined;
  /** Of the last step. */
  reach: Bounds;
  /** Media time of the last observation and of the one before. */
  seenMs: number;
  /** Media time of that look, in milliseconds. */
  beforeMs: number;
  /** Last time that the tracker told of it, observed or not. */
  toldMs: number;
  /** How far boxes of this size tremble, pixels. */
  marginPx: number;
}

/** Detectors place the edge of a box within a few percent of its size. */
const MARGIN_OF_SIZE = 0.05;
const MIN_MARGIN_PX = 2;
/** Weight of the votes for a label that remains with each further look. */
const VOTE_MEMORY = 0.8;
/** Less is not remembered. */
const LEAST_VOTES = 0.05;

/** The sighting of an object that is observed for the first time. */
export function firstSighting(object: TrackedObject, layout: SceneLayout, mediaTimeMs: number): Sighting {
  const { objectId, classId, label, score } = object;
  const position = anchorOf(object, layout);
  return {
    objectId,
    classId,
    label,
    votes: new Map([[label, { votes: 1, classId }]]),
    score,
    bestScore: score,
    position,
    before: undefined,
    reach: boundsOfStep(position, position),
    seenMs: mediaTimeMs,
    beforeMs: mediaTimeMs,
    toldMs: mediaTimeMs,
    marginPx: marginOf(object),
  };
}

/** Takes in that the object was observed again. */
export function seeAgain(sighting: Sighting, object: TrackedObject, layout: SceneLayout, mediaTimeMs: number): void {
  sighting.before = sighting.position;
  sighting.beforeMs = sighting.seenMs;
  sighting.position = anchorOf(object, layout);
  sighting.reach = boundsOfStep(sighting.before, sighting.position);
  sighting.seenMs = mediaTimeMs;
  sighting.classId = object.classId;
  sighting.label = object.label;
  vote(sighting);
  sighting.score = object.score;
  sighting.bestScore = Math.max(sighting.bestScore, object.score);
  sighting.marginPx = marginOf(object);
}

/**
 * As what a zone or line asks for the object: as what it is now, else as what it mostly was lately, since a label may
 * waver in the very moment that counts. Undefined: it does not ask for it.
 */
export function admittedAs({ classes, minScore }: ObjectFilter, sighting: Sighting): ObjectKind | undefined {
  if (sighting.bestScore < minScore) return undefined;
  if (classes === undefined || classes.has(sighting.label)) return sighting;
  const usual = usualKind(sighting);
  return usual && classes.has(usual.label) ? usual : undefined;
}

/** An event of this object, as what it counts. */
export function eventOf(
  sighting: Sighting,
  { label, classId }: ObjectKind,
  event: Pick<SceneEvent, 'type' | 'id' | 'direction' | 'dwellMs'>,
): SceneEvent {
  const { objectId, score, position } = sighting;
  return { ...event, objectId, label, classId, score, position };
}

function vote({ votes, label, classId }: Sighting): void {
  for (const [known, entry] of votes) {
    entry.votes *= VOTE_MEMORY;
    if (entry.votes < LEAST_VOTES) votes.delete(known);
  }
  votes.set(label, { votes: (votes.get(label)?.votes ?? 0) + 1, classId });
}

function usualKind({ votes }: Sighting): ObjectKind | undefined {
  const [most] = [...votes].sort(([, a], [, b]) => b.votes - a.votes);
  return most && { label: most[0], classId: most[1].classId };
}

function anchorOf({ box: [x, y, width, height] }: TrackedObject, { anchor, limit }: SceneLayout): Point {
  return [Math.min(limit[0], x + width / 2), Math.min(limit[1], anchor === 'centre' ? y + height / 2 : y + height)];
}

function marginOf({ box: [, , width, height] }: TrackedObject): number {
  return Math.max(MIN_MARGIN_PX, MARGIN_OF_SIZE * Math.max(width, height));
}
