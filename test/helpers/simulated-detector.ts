/** A detector that looks at labels instead of pixels, with the faults of a small net: jitter, misses, false boxes, weak scores, delay. */
import { iou } from '../../src/detection/boxes.js';
import type { Box, Detection } from '../../src/media/index.js';
import { cut, FPS, HEIGHT, isShown, MIN_SHOWN, WIDTH, type LabelSequence, type LabelledObject } from './label-sequences.js';
import { seededRandom } from './random.js';
import type { IdentifiedBox, ScoredPicture } from './tracking-metrics.js';

export interface DetectorFaults {
  /** Standard deviation of centre and size, in box sizes. Default 0.03. */
  readonly jitter?: number;
  /** Share of objects not found though in full view. Default 0.08. */
  readonly missRate?: number;
  /** False boxes a picture. Default 0.1. */
  readonly falseRate?: number;
  /** Share of detections with another class than the object's. Default 0. */
  readonly wrongClassRate?: number;
}

/** What was found in one picture, and when the program gets to know. */
export interface TimedDetections {
  readonly frame: number;
  readonly mediaTimeMs: number;
  readonly availableMs: number;
  readonly detections: readonly Detection[];
}

/** Pictures from detection to detection: ten detections a second. */
export const DETECT_EVERY = 3;

/** Looks at every third picture; results come 50 to 100 ms after it. */
export function simulateDetections(sequence: LabelSequence, seed: number, faults: DetectorFaults = {}): TimedDetections[] {
  const random = seededRandom(seed);
  const results: TimedDetections[] = [];
  for (let frame = 0; frame < sequence.length; frame += DETECT_EVERY) {
    const mediaTimeMs = (frame * 1000) / FPS;
    results.push({
      frame,
      mediaTimeMs,
      availableMs: mediaTimeMs + 50 + 50 * random(),
      detections: detectionsOf(sequence[frame]!, random, faults),
    });
  }
  return results;
}

function detectionsOf(objects: readonly LabelledObject[], random: () => number, faults: DetectorFaults): Detection[] {
  const { jitter = 0.03, missRate = 0.08, falseRate = 0.1, wrongClassRate = 0 } = faults;
  const found: Detection[] = [];
  for (const object of objects) {
    if (!isShown(object) || random() < missRate) continue;
    const { classId, box, visibility } = object;
    const isClear = visibility >= 0.7;
    // Half hidden objects are found less exactly, and with a weak score.
    const seen = cut(shaken(box, jitter * (isClear ? 1 : 1.7), random));
    const score = isClear ? 0.5 + 0.45 * Math.sqrt(random()) : 0.15 + (0.4 * (visibility - MIN_SHOWN)) / 0.4 + 0.15 * (random() - 0.5);
    const shown = random() < wrongClassRate ? classId + 10 : classId;
    if (seen) found.push({ box: seen, classId: shown, label: `class ${shown}`, score: Math.max(0.1, score) });
  }
  if (random() < falseRate) found.push(falseBox(random));
  return withoutDuplicates(found);
}

function falseBox(random: () => number): Detection {
  const size = 30 + 90 * random();
  const box: Box = [random() * (WIDTH - size), random() * (HEIGHT - size), size, size];
  return { box, classId: 0, label: 'class 0', score: 0.3 + 0.4 * random() };
}

/** Non-maximum suppression: of two boxes of a class that nearly coincide, the weaker is not reported. */
function withoutDuplicates(detections: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    if (!kept.some(({ classId, box }) => classId === detection.classId && iou(box, detection.box) > 0.6)) kept.push(detection);
  }
  return kept;
}

function shaken([x, y, width, height]: Box, jitter: number, random: () => number): Box {
  const w = width * (1 + jitter * gaussian(random));
  const h = height * (1 + jitter * gaussian(random));
  return [x + width / 2 + width * jitter * gaussian(random) - w / 2, y + height / 2 + height * jitter * gaussian(random) - h / 2, w, h];
}

/** Box and Muller, 1958. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Any tracker. */
export interface AnyTracker {
  update(detections: readonly Detection[], mediaTimeMs: number): unknown;
  predict(mediaTimeMs: number): readonly IdentifiedBox[];
}

/**
 * Plays a sequence to a tracker as a server does: each picture shows what is known at its time.
 */
export function track(
  labels: readonly ScoredPicture['labels'][],
  results: readonly TimedDetections[],
  tracker: AnyTracker,
): ScoredPicture[] {
  const waiting = [...results];
  const looked = new Set(results.map(({ frame }) => frame));
  return labels.map((objects, frame) => {
    const mediaTimeMs = (frame * 1000) / FPS;
    while (waiting[0] && waiting[0].availableMs <= mediaTimeMs) {
      const result = waiting.shift()!;
      tracker.update(result.detections, result.mediaTimeMs);
    }
    return { labels: objects, tracked: tracker.predict(mediaTimeMs), isBetweenDetections: !looked.has(frame) };
  });
}

/**
 * What a tracker is judged by: the objects that are shown. Those of which little is to be seen do not count, for it
 * or against it; a hidden one must not be shown.
 */
export function labelsOf(sequence: LabelSequence): ScoredPicture['labels'][] {
  return sequence.map((objects) =>
    objects.filter(({ visibility }) => visibility > 0).map((object) => ({ ...object, isIgnored: !isShown(object) })),
  );
}
