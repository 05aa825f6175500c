/** What a counter remembers of an object from one look to the next. */
import type { SceneEvent, TrackedObject } from '../media/index.js';
import { boundsOfStep, type Bounds, type Point } from './geometry.js';
import type { ObjectFilter, SceneLayout } from './resolve.js';

/** An object where it was last observed; where it is only expected to be does not count. */
export interface Sighting {
  readonly objectId: number;
  /** Detectors waver between like classes; the tracker says which holds. */
  classId: number;
  label: string;
  score: number;
  /** The best so far: who has once been sure enough stays in. */
  bestScore: number;
  /** The anchor, and where it was one look before; undefined at the first. */
  position: Point;
  before: Point | undefined;
  /** Of the last step. */
  reach: Bounds;
  /** Media time of the last observation and of the one before. */
  seenMs: number;
  beforeMs: number;
  /** Last time that the tracker told of it, observed or not. */
  toldMs: number;
  /** How far boxes of this size tremble, pixels. */
  marginPx: number;
}

/** Detectors place the edge of a box within a few percent of its size. */
const MARGIN_OF_SIZE = 0.05;
const MIN_MARGIN_PX = 2;

/** The sighting of an object that is observed for the first time. */
export function firstSighting(object: TrackedObject, layout: SceneLayout, mediaTimeMs: number): Sighting {
  const { objectId, classId, label, score } = object;
  const position = anchorOf(object, layout);
  return {
    objectId,
    classId,
    label,
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
  sighting.score = object.score;
  sighting.bestScore = Math.max(sighting.bestScore, object.score);
  sighting.marginPx = marginOf(object);
}

/** True for an object that a zone or line asks for. */
export function admits({ classes, minScore }: ObjectFilter, { label, bestScore }: Sighting): boolean {
  return bestScore >= minScore && (classes === undefined || classes.has(label));
}

/** An event of this object. */
export function eventOf(sighting: Sighting, event: Pick<SceneEvent, 'type' | 'id' | 'direction' | 'dwellMs'>): SceneEvent {
  const { objectId, label, classId, score, position } = sighting;
  return { ...event, objectId, label, classId, score, position };
}

function anchorOf({ box: [x, y, width, height] }: TrackedObject, { anchor, limit }: SceneLayout): Point {
  return [Math.min(limit[0], x + width / 2), Math.min(limit[1], anchor === 'centre' ? y + height / 2 : y + height)];
}

function marginOf({ box: [, , width, height] }: TrackedObject): number {
  return Math.max(MIN_MARGIN_PX, MARGIN_OF_SIZE * Math.max(width, height));
}
