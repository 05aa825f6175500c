/** One object that is followed: how it moves, what it is, when it was seen. */
import type { Box, Detection, TrackedObject } from '../media/index.js';
import { AxisMotion, type AxisSighting } from './axis-motion.js';
import type { TrackerOptions } from './tracker-options.js';

/** Weight of the votes for a class that remains with each further one. */
const VOTE_MEMORY = 0.9;

interface ClassVotes {
  readonly label: string;
  votes: number;
}

/** Size of the frames that objects are followed in. */
export interface PictureSize {
  /** In pixels. */
  readonly widthPx: number;
  /** In pixels. */
  readonly heightPx: number;
}

/** One object from its first detection on. */
export class FollowedObject {
  readonly objectId: number;
  readonly #options: TrackerOptions;
  readonly #picture: PictureSize;
  readonly #horizontal: AxisMotion;
  readonly #vertical: AxisMotion;
  readonly #classes = new Map<number, ClassVotes>();
  #classId: number;
  #score: number;
  #box: Box;
  #lastSeenMs: number;
  #hits = 1;
  /** Results without it since it was seen. */
  #misses = 0;

  constructor(objectId: number, detection: Detection, mediaTimeMs: number, picture: PictureSize, options: TrackerOptions) {
    this.objectId = objectId;
    this.#options = options;
    this.#picture = picture;
    const [horizontal, vertical] = sightings(detection.box, 1, false);
    this.#horizontal = new AxisMotion(horizontal, mediaTimeMs, picture.widthPx, options);
    this.#vertical = new AxisMotion(vertical, mediaTimeMs, picture.heightPx, options);
    this.#classId = detection.classId;
    this.#classes.set(detection.classId, { label: detection.label, votes: detection.score });
    this.#score = detection.score;
    this.#box = detection.box;
    this.#lastSeenMs = mediaTimeMs;
  }

  get classId(): number {
    return this.#classId;
  }

  get lastSeenMs(): number {
    return this.#lastSeenMs;
  }

  /** Sightings. */
  get hits(): number {
    return this.#hits;
  }

  /** True from its second sighting, or from a first one that is sure. */
  get isConfirmed(): boolean {
    return this.#hits > 1 || this.#score >= this.#options.sureScore;
  }

  /** True where it was seen once, and not in the result after that. */
  get isDoubtful(): boolean {
    return this.#hits === 1 && this.#misses > 0;
  }

  /** Where it is expected, cut at the border of the picture; undefined where nothing of it is inside. */
  boxAt(mediaTimeMs: number): Box | undefined {
    const [left, right] = this.#horizontal.at(mediaTimeMs);
    const [top, bottom] = this.#vertical.at(mediaTimeMs);
    return clip([left, top, right - left, bottom - top], this.#picture);
  }

  /**
   * Takes a sighting in. A weak one moves the object; the score that is shown stays that of the strong ones. One among
   * others that cross is doubted where its size is odd.
   */
  hit(
    detection: Detection,
    mediaTimeMs: number,
    { isStrong, isCrossing }: { readonly isStrong: boolean; readonly isCrossing: boolean },
  ): void {
    const [horizontal, vertical] = sightings(detection.box, isStrong ? 1 : this.#options.weakNoise, isCrossing);
    this.#horizontal.update(horizontal, mediaTimeMs);
    this.#vertical.update(vertical, mediaTimeMs);
    this.#box = detection.box;
    this.#lastSeenMs = mediaTimeMs;
    this.#hits++;
    this.#misses = 0;
    if (isStrong) this.#score += (detection.score - this.#score) * 0.5;
    this.#vote(detection);
  }

  missed(): void {
    this.#misses++;
  }

  /** As the detector saw it in the picture of that time, else where it is expected; undefined where nothing of it is inside. */
  shownAt(mediaTimeMs: number, isObserved: boolean): TrackedObject | undefined {
    const box = isObserved ? clip(this.#box, this.#picture) : this.boxAt(mediaTimeMs);
    if (!box) return undefined;
    const { objectId } = this;
    const label = this.#classes.get(this.#classId)?.label ?? '';
    const velocity = [this.#horizontal.velocity * 1000, this.#vertical.velocity * 1000] as const;
    return { objectId, classId: this.#classId, label, score: this.#score, box, velocity, isObserved };
  }

  /** The class with the most votes, weighted by score, recent ones first. */
  #vote({ classId, label, score }: Detection): void {
    for (const entry of this.#classes.values()) entry.votes *= VOTE_MEMORY;
    const entry = this.#classes.get(classId) ?? { label, votes: 0 };
    entry.votes += score;
    this.#classes.set(classId, entry);
    if (entry.votes > (this.#classes.get(this.#classId)?.votes ?? 0)) this.#classId = classId;
  }
}

function sightings([x, y, width, height]: Box, doubt: number, isCrossing: boolean): [horizontal: AxisSighting, vertical: AxisSighting] {
  const size = Math.sqrt(width * height);
  return [
    { start: x, length: width, size, doubt, isCrossing },
    { start: y, length: height, size, doubt, isCrossing },
  ];
}

function clip([x, y, width, height]: Box, { widthPx, heightPx }: PictureSize): Box | undefined {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  const right = Math.min(widthPx, x + width);
  const bottom = Math.min(heightPx, y + height);
  return right - left >= 2 && bottom - top >= 2 ? [left, top, right - left, bottom - top] : undefined;
}
