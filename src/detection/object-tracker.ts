/**
 * Follows objects from detection to detection and moves their boxes at full frame rate in between. Of the
 * SORT/ByteTrack family (Bewley et al., 2016; Zhang et al., 2022): constant velocity, and rounds of association,
 * strong detections first, so that a weak one keeps an object but never makes one. An object that is hidden for a
 * while is remembered and moves on unseen; where it comes out it has its id again.
 *
 * Extrapolation never changes a filter, so a result that comes late is matched against the objects as they were
 * expected at its own picture's time.
 */
import type { Detection, TrackedObject } from '../media/index.js';
import { associate, motionFit, overlapFit, type Association } from './association.js';
import { findCrossing } from './crossing.js';
import { FollowedObject } from './followed-object.js';
import { TRACKER_DEFAULTS, type TrackerOptions } from './tracker-options.js';

/** Size of the frames, and what differs from the defaults. */
export interface ObjectTrackerInit extends Partial<TrackerOptions> {
  /** Size of the pictures. */
  readonly widthPx: number;
  /** In pixels. */
  readonly heightPx: number;
  /** Gives ids that were never given before. Default: from 1 up. */
  readonly nextObjectId?: () => number;
}

/** Weight of an interval in the moving average; a jump of the media time counts as no more than this many intervals. */
const INTERVAL_WEIGHT = 0.2;
const MAX_INTERVAL_GROWTH = 4;
/** What the average is before the second result, ms. */
const FIRST_INTERVAL_MS = 100;
/** What the first interval counts as at most, ms. */
const MAX_FIRST_INTERVAL_MS = 2500;

/** Follows the objects of one source. */
export class ObjectTracker {
  readonly #init: ObjectTrackerInit;
  readonly #options: TrackerOptions;
  #objects: FollowedObject[] = [];
  #idsGiven = 0;
  readonly #nextObjectId: () => number;
  #lastUpdateMs: number | undefined;
  /** Between detections, moving average, ms. */
  #intervalMs: number | undefined;

  constructor(init: ObjectTrackerInit) {
    this.#init = init;
    this.#nextObjectId = init.nextObjectId ?? (() => ++this.#idsGiven);
    this.#options = { ...TRACKER_DEFAULTS, ...init };
  }

  /** The objects in the picture of that media time, boxes clipped to it, oldest first. */
  predict(mediaTimeMs: number): TrackedObject[] {
    return this.#shownAt(mediaTimeMs, () => false);
  }

  /**
   * Takes in what was found in the picture of that media time. Results come in the order of their pictures: one that
   * does not is left out, unless the media time has stepped back for longer than objects are remembered.
   * Returns the objects of that very picture: what was found lies exactly where the detector saw it.
   */
  update(detections: readonly Detection[], mediaTimeMs: number): TrackedObject[] {
    if (this.#lastUpdateMs === undefined || this.#isNext(mediaTimeMs, this.#lastUpdateMs)) this.#takeIn(detections, mediaTimeMs);
    return this.#shownAt(mediaTimeMs, (object) => object.lastSeenMs === mediaTimeMs);
  }

  #isNext(mediaTimeMs: number, lastUpdateMs: number): boolean {
    if (mediaTimeMs > lastUpdateMs) return true;
    if (lastUpdateMs - mediaTimeMs <= this.#memoryMs()) return false;
    this.#objects = [];
    return true;
  }

  #takeIn(detections: readonly Detection[], mediaTimeMs: number): void {
    this.#measureInterval(mediaTimeMs);
    this.#forget(mediaTimeMs);
    const { scoreThreshold, minIouWeak, minIouOtherClass, crossingOverlap } = this.#options;
    const crossing = findCrossing(
      this.#objects.filter(({ isConfirmed }) => isConfirmed),
      mediaTimeMs,
      crossingOverlap,
    );
    const hit = (association: Association, isStrong: boolean): Association => {
      for (const [object, detection] of association.pairs)
        object.hit(detection, mediaTimeMs, { isStrong, isCrossing: crossing.has(object) });
      return association;
    };
    const usable = detections.filter(isUsable);
    const strong = usable.filter(({ score }) => score >= scoreThreshold);
    const weak = usable.filter(({ score }) => score < scoreThreshold);
    const first = hit(associate(this.#objects, strong, motionFit(mediaTimeMs, this.#options)), true);
    const other = hit(associate(first.objects, first.detections, overlapFit(mediaTimeMs, minIouOtherClass)), true);
    const { objects } = hit(associate(other.objects, weak, overlapFit(mediaTimeMs, minIouWeak)), false);
    for (const object of objects) object.missed();
    for (const detection of other.detections)
      this.#objects.push(new FollowedObject(this.#nextObjectId(), detection, mediaTimeMs, this.#init, this.#options));
  }

  #shownAt(mediaTimeMs: number, isObserved: (object: FollowedObject) => boolean): TrackedObject[] {
    const coastMs = Math.max(this.#options.coastMs, this.#options.coastIntervals * (this.#intervalMs ?? FIRST_INTERVAL_MS));
    const shown: TrackedObject[] = [];
    for (const object of this.#objects) {
      if (!object.isConfirmed || object.isDoubtful || mediaTimeMs - object.lastSeenMs > coastMs) continue;
      const tracked = object.shownAt(mediaTimeMs, isObserved(object));
      if (tracked) shown.push(tracked);
    }
    return shown;
  }

  #memoryMs(): number {
    return Math.max(this.#options.memoryMs, this.#options.memoryIntervals * (this.#intervalMs ?? FIRST_INTERVAL_MS));
  }

  /** Objects seen once are remembered for as long as others are shown. */
  #forget(mediaTimeMs: number): void {
    const memoryMs = this.#memoryMs();
    const doubtfulMs = this.#options.coastIntervals * (this.#intervalMs ?? FIRST_INTERVAL_MS);
    this.#objects = this.#objects.filter((object) => mediaTimeMs - object.lastSeenMs <= (object.isDoubtful ? doubtfulMs : memoryMs));
  }

  #measureInterval(mediaTimeMs: number): void {
    const elapsedMs = mediaTimeMs - (this.#lastUpdateMs ?? mediaTimeMs);
    if (elapsedMs > 0) {
      this.#intervalMs ??= Math.min(elapsedMs, MAX_FIRST_INTERVAL_MS);
      this.#intervalMs += (Math.min(elapsedMs, MAX_INTERVAL_GROWTH * this.#intervalMs) - this.#intervalMs) * INTERVAL_WEIGHT;
    }
    this.#lastUpdateMs = mediaTimeMs;
  }
}

/** False for boxes that are none: a model may give out anything. */
function isUsable({ box, score }: Detection): boolean {
  return box.every(Number.isFinite) && box[2] > 0 && box[3] > 0 && Number.isFinite(score);
}
