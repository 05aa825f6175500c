/**
 * Follows objects from detection to detection and moves their boxes at full frame rate in between. Of the
 * SORT/ByteTrack family (Bewley et al., 2016; Zhang et al., 2022): constant velocity, and two rounds of
 * association, strong detections first, so that a weak one keeps an object but never makes one.
 *
 * Extrapolation never changes a filter, so a result that comes late is matched against the objects as they were
 * expected at its own picture's time.
 */
import type { Box, Detection, TrackedObject } from '../media/index.js';
import { iou } from './boxes.js';
import { ConstantVelocity, type MotionNoise } from './kalman.js';

export interface ObjectTrackerInit {
  /** Size of the pictures. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Detections from here up make new objects. Default 0.4. */
  readonly scoreThreshold?: number;
}

/** Overlap that makes a detection and an expected box the same object. */
const MIN_IOU = 0.3;
/** Weak detections must fit better. */
const MIN_IOU_WEAK = 0.5;
/** Small fast objects do not overlap where they were expected: centres this close, in box sizes, will do. */
const MAX_CENTRE_DISTANCE = 0.9;
/** A detection this sure is shown at once, others from their second hit. */
const SURE_SCORE = 0.65;
/** An object is shown this long after its last hit, or for this many detection intervals where those are longer. */
const COAST_MS = 300;
const COAST_INTERVALS = 2.5;
/** It is forgotten after this long, or this many detection intervals. */
const FORGET_MS = 1000;
const FORGET_INTERVALS = 5;

interface FollowedObject {
  readonly objectId: number;
  readonly classId: number;
  readonly label: string;
  score: number;
  hits: number;
  lastHitMs: number;
  isShown: boolean;
  readonly centreX: ConstantVelocity;
  readonly centreY: ConstantVelocity;
  readonly width: ConstantVelocity;
  readonly height: ConstantVelocity;
  /** As the detector saw it last. */
  lastBox: Box;
}

export class ObjectTracker {
  readonly #init: Required<ObjectTrackerInit>;
  #objects: FollowedObject[] = [];
  #nextId = 1;
  #lastUpdateMs: number | undefined;
  /** Between detections, moving average, ms. */
  #intervalMs = 100;

  constructor(init: ObjectTrackerInit) {
    this.#init = { scoreThreshold: 0.4, ...init };
  }

  /** The objects in the picture of that media time, boxes clipped to it, oldest first. */
  predict(mediaTimeMs: number): TrackedObject[] {
    const coastMs = Math.max(COAST_MS, COAST_INTERVALS * this.#intervalMs);
    const shown: TrackedObject[] = [];
    for (const object of this.#objects) {
      if (!object.isShown || mediaTimeMs - object.lastHitMs > coastMs) continue;
      const box = this.#clip(expectedBox(object, mediaTimeMs));
      if (box) shown.push(tracked(object, box, false));
    }
    return shown;
  }

  /**
   * Takes in what was found in the picture of that media time; results come in the order of their pictures.
   * Returns the objects of that very picture: what was found lies exactly where the detector saw it.
   */
  update(detections: readonly Detection[], mediaTimeMs: number): TrackedObject[] {
    this.#measureInterval(mediaTimeMs);
    const strong = detections.filter(({ score }) => score >= this.#init.scoreThreshold);
    const weak = detections.filter(({ score }) => score < this.#init.scoreThreshold);
    const free = new Set(this.#objects);
    const left = this.#associate(strong, free, mediaTimeMs, (object, box) => closeness(expectedBox(object, mediaTimeMs), box));
    this.#associate(weak, free, mediaTimeMs, (object, box) => {
      const overlap = iou(expectedBox(object, mediaTimeMs), box);
      return overlap >= MIN_IOU_WEAK ? overlap : 0;
    });
    for (const detection of left) this.#objects.push(this.#follow(detection, mediaTimeMs));
    const forgetMs = Math.max(FORGET_MS, FORGET_INTERVALS * this.#intervalMs);
    this.#objects = this.#objects.filter((object) => mediaTimeMs - object.lastHitMs <= (object.isShown ? forgetMs : COAST_INTERVALS * this.#intervalMs));
    return this.predict(mediaTimeMs).map((object) => {
      const seen = this.#objects.find(({ objectId }) => objectId === object.objectId);
      const box = seen?.lastHitMs === mediaTimeMs ? this.#clip(seen.lastBox) : undefined;
      return box ? { ...object, box, isObserved: true } : object;
    });
  }

  /** Pairs detections with free objects of their class, best fit first; returns the detections left over. */
  #associate(
    detections: readonly Detection[],
    free: Set<FollowedObject>,
    mediaTimeMs: number,
    fit: (object: FollowedObject, box: Box) => number,
  ): Detection[] {
    const pairs: { detection: Detection; object: FollowedObject; fit: number }[] = [];
    for (const detection of detections) {
      for (const object of free) {
        if (object.classId !== detection.classId) continue;
        const value = fit(object, detection.box);
        if (value > 0) pairs.push({ detection, object, fit: value });
      }
    }
    pairs.sort((a, b) => b.fit - a.fit);
    const left = new Set(detections);
    for (const { detection, object } of pairs) {
      if (!left.has(detection) || !free.has(object)) continue;
      left.delete(detection);
      free.delete(object);
      hit(object, detection, mediaTimeMs, detection.score >= this.#init.scoreThreshold);
    }
    return [...left];
  }

  #follow(detection: Detection, mediaTimeMs: number): FollowedObject {
    const [x, y, width, height] = detection.box;
    const noise = noiseOf(width, height);
    // An object may cross its own width in a third of a second when it is first seen.
    const speed = Math.max(width, height) / 300;
    return {
      objectId: this.#nextId++,
      classId: detection.classId,
      label: detection.label,
      score: detection.score,
      hits: 1,
      lastHitMs: mediaTimeMs,
      isShown: detection.score >= SURE_SCORE,
      centreX: new ConstantVelocity(x + width / 2, noise, speed),
      centreY: new ConstantVelocity(y + height / 2, noise, speed),
      width: new ConstantVelocity(width, noise, speed / 4),
      height: new ConstantVelocity(height, noise, speed / 4),
      lastBox: detection.box,
    };
  }

  #measureInterval(mediaTimeMs: number): void {
    if (this.#lastUpdateMs !== undefined) {
      const elapsedMs = Math.min(2000, Math.max(1, mediaTimeMs - this.#lastUpdateMs));
      this.#intervalMs += (elapsedMs - this.#intervalMs) * 0.2;
    }
    this.#lastUpdateMs = mediaTimeMs;
  }

  #clip([x, y, width, height]: Box): Box | undefined {
    const left = Math.max(0, x);
    const top = Math.max(0, y);
    const right = Math.min(this.#init.widthPx, x + width);
    const bottom = Math.min(this.#init.heightPx, y + height);
    return right - left >= 2 && bottom - top >= 2 ? [left, top, right - left, bottom - top] : undefined;
  }
}

/** A weak detection moves the object; the score that is shown stays that of the strong ones. */
function hit(object: FollowedObject, detection: Detection, mediaTimeMs: number, isStrong: boolean): void {
  const [x, y, width, height] = detection.box;
  const elapsedMs = mediaTimeMs - object.lastHitMs;
  const noise = noiseOf(width, height);
  const sizeNoise = { ...noise, acceleration: noise.acceleration / 4 };
  object.centreX.update(x + width / 2, elapsedMs, noise);
  object.centreY.update(y + height / 2, elapsedMs, noise);
  object.width.update(width, elapsedMs, sizeNoise);
  object.height.update(height, elapsedMs, sizeNoise);
  object.lastHitMs = mediaTimeMs;
  object.lastBox = detection.box;
  object.hits++;
  object.isShown = true;
  if (isStrong) object.score += (detection.score - object.score) * 0.5;
}

function tracked(object: FollowedObject, box: Box, isObserved: boolean): TrackedObject {
  const { objectId, classId, label, score, centreX, centreY } = object;
  return { objectId, classId, label, score, box, velocity: [centreX.velocity * 1000, centreY.velocity * 1000], isObserved };
}

/** Larger boxes are measured less exactly, and their objects, being nearer, change speed by more pixels. */
function noiseOf(width: number, height: number): MotionNoise {
  const size = Math.sqrt(width * height);
  return { acceleration: Math.max(2, size * 0.06) / 10_000, measurement: Math.max(1, size * 0.03) };
}

function expectedBox(object: FollowedObject, mediaTimeMs: number): Box {
  const elapsedMs = Math.max(0, mediaTimeMs - object.lastHitMs);
  const width = Math.max(2, object.width.at(elapsedMs));
  const height = Math.max(2, object.height.at(elapsedMs));
  return [object.centreX.at(elapsedMs) - width / 2, object.centreY.at(elapsedMs) - height / 2, width, height];
}

/** How well two boxes fit, above 0 when they may be one object: overlap, or else nearness of boxes of one size. */
function closeness(a: Box, b: Box): number {
  const overlap = iou(a, b);
  if (overlap >= MIN_IOU) return 1 + overlap;
  const size = Math.sqrt(Math.max(a[2] * a[3], b[2] * b[3]));
  const sizes = (a[2] * a[3]) / (b[2] * b[3]);
  if (sizes < 0.4 || sizes > 2.5) return 0;
  const distance = Math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2) / size;
  return distance < MAX_CENTRE_DISTANCE ? 1 - distance / MAX_CENTRE_DISTANCE : 0;
}
