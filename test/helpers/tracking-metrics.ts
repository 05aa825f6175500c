/**
 * How well objects are followed, against labels: IDF1 (Ristani et al., "Performance Measures and a Data Set for
 * Multi-Target, Multi-Camera Tracking", 2016), identity switches and misses as MOTA counts them (Bernardin and
 * Stiefelhagen, 2008), and the overlap of the boxes. Objects match from an IoU of 0.5 up, as MOTChallenge has it.
 */
import { assign, FORBIDDEN } from '../../src/detection/assignment.js';
import { iou } from '../../src/detection/boxes.js';
import type { Box } from '../../src/media/index.js';

/** An object in one picture, labelled or followed. */
export interface IdentifiedBox {
  readonly objectId: number;
  readonly box: Box;
}

/** A label. */
interface LabelBox extends IdentifiedBox {
  /** True where the object is hardly to be seen: neither it nor the box that covers it counts. Default false. */
  readonly isIgnored?: boolean;
}

/** One picture: what is there, and what the tracker says. */
export interface ScoredPicture {
  readonly labels: readonly LabelBox[];
  readonly tracked: readonly IdentifiedBox[];
  /** True where the detector did not look at this picture. */
  readonly isBetweenDetections: boolean;
}

export interface TrackingScore {
  /** 2 IDTP / (2 IDTP + IDFP + IDFN), in [0, 1]. */
  readonly idf1: number;
  /** 1 - (misses + false boxes + identity switches) / labels; at most 1. */
  readonly mota: number;
  readonly idSwitches: number;
  /** Labels that no box covers, and boxes that cover no label. */
  readonly misses: number;
  readonly falseBoxes: number;
  readonly labels: number;
  /** Mean IoU of objects and their boxes, matched or not so well (IoU above 0), on pictures between detections. */
  readonly iouBetween: number;
}

const MIN_IOU = 0.5;

export function scoreTracking(all: readonly ScoredPicture[]): TrackingScore {
  const pictures = all.map(withoutIgnored);
  const labels = pictures.reduce((sum, picture) => sum + picture.labels.length, 0);
  const tracked = pictures.reduce((sum, picture) => sum + picture.tracked.length, 0);
  const { idSwitches, misses, falseBoxes } = clearEvents(pictures);
  return {
    idf1: labels + tracked === 0 ? 1 : (2 * identityTruePositives(pictures)) / (labels + tracked),
    mota: 1 - (misses + falseBoxes + idSwitches) / Math.max(1, labels),
    idSwitches,
    misses,
    falseBoxes,
    labels,
    iouBetween: meanIou(pictures.filter(({ isBetweenDetections }) => isBetweenDetections)),
  };
}

/** Leaves out the labels that do not count and the boxes that belong to them, as MOTChallenge does. */
function withoutIgnored(picture: ScoredPicture): ScoredPicture {
  const { labels, tracked } = picture;
  if (!labels.some(({ isIgnored }) => isIgnored)) return picture;
  const ignored = new Set(pairsOf(labels, tracked, MIN_IOU).flatMap(([label, object]) => (label.isIgnored ? [object] : [])));
  return { ...picture, labels: labels.filter(({ isIgnored }) => !isIgnored), tracked: tracked.filter((object) => !ignored.has(object)) };
}

/** Pictures in which each label and the one followed object that is assigned to it over the whole sequence match. */
function identityTruePositives(pictures: readonly ScoredPicture[]): number {
  const labelIndex = indexOf(pictures.flatMap(({ labels }) => labels));
  const trackedIndex = indexOf(pictures.flatMap(({ tracked }) => tracked));
  const costs = new Float64Array(labelIndex.size * trackedIndex.size);
  for (const { labels, tracked } of pictures) {
    for (const label of labels) {
      for (const object of tracked) {
        if (iou(label.box, object.box) < MIN_IOU) continue;
        const at = labelIndex.get(label.objectId)! * trackedIndex.size + trackedIndex.get(object.objectId)!;
        costs[at] = costs[at]! - 1;
      }
    }
  }
  const columns = assign(costs, labelIndex.size, trackedIndex.size);
  return columns.reduce((sum, column, row) => (column < 0 ? sum : sum - costs[row * trackedIndex.size + column]!), 0);
}

/** Counts picture by picture; a pair of the picture before stays a pair while it matches. */
function clearEvents(pictures: readonly ScoredPicture[]): Pick<TrackingScore, 'idSwitches' | 'misses' | 'falseBoxes'> {
  const partnerOf = new Map<number, number>();
  let idSwitches = 0;
  let misses = 0;
  let falseBoxes = 0;
  for (const { labels, tracked } of pictures) {
    const pairs = pairsOf(labels, tracked, MIN_IOU, (label, object) => (partnerOf.get(label.objectId) === object.objectId ? 10 : 0));
    for (const [label, object] of pairs) {
      const partner = partnerOf.get(label.objectId);
      if (partner !== undefined && partner !== object.objectId) idSwitches++;
      partnerOf.set(label.objectId, object.objectId);
    }
    misses += labels.length - pairs.length;
    falseBoxes += tracked.length - pairs.length;
  }
  return { idSwitches, misses, falseBoxes };
}

function meanIou(pictures: readonly ScoredPicture[]): number {
  let sum = 0;
  let count = 0;
  for (const { labels, tracked } of pictures) {
    for (const [label, object] of pairsOf(labels, tracked, 1e-6)) {
      sum += iou(label.box, object.box);
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** The best one-to-one pairs of a picture. */
function pairsOf<Label extends IdentifiedBox>(
  labels: readonly Label[],
  tracked: readonly IdentifiedBox[],
  minIou: number,
  bonus: (label: Label, object: IdentifiedBox) => number = () => 0,
): [Label, IdentifiedBox][] {
  const costs = labels.flatMap((label) =>
    tracked.map((object) => {
      const overlap = iou(label.box, object.box);
      return overlap < minIou ? FORBIDDEN : 1 - overlap - bonus(label, object);
    }),
  );
  return [...assign(costs, labels.length, tracked.length)].flatMap((column, row): [Label, IdentifiedBox][] =>
    column < 0 ? [] : [[labels[row]!, tracked[column]!]],
  );
}

function indexOf(boxes: readonly IdentifiedBox[]): Map<number, number> {
  return new Map([...new Set(boxes.map(({ objectId }) => objectId))].map((objectId, index) => [objectId, index]));
}
