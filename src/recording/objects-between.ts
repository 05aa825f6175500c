/** Where objects were between two frames that a detector looked at. Both are known, so nothing has to be guessed ahead. Pure. */
import type { Box, TrackedObject } from '../media/index.js';
import type { RecordedDetections } from './recorded.js';

/** Frames further apart say nothing of what is between them. */
const MAX_APART_MS = 2_000;
/** So long an object that nothing more is known of goes on as it moved. */
const MAX_COAST_MS = 500;

/** The objects of a frame that lies between two that were looked at; either may be missing. */
export function objectsBetween(
  before: RecordedDetections | undefined,
  after: RecordedDetections | undefined,
  atMs: number,
): readonly TrackedObject[] {
  if (!before || atMs - before.wallMs > MAX_APART_MS) return [];
  const { objects } = before.detections;
  if (!after || after.wallMs - before.wallMs > MAX_APART_MS) {
    const sinceMs = atMs - before.wallMs;
    return sinceMs > MAX_COAST_MS ? [] : objects.map((object) => moved(object, sinceMs, before));
  }
  const share = (atMs - before.wallMs) / (after.wallMs - before.wallMs);
  const later = new Map(after.detections.objects.map((object) => [object.objectId, object]));
  return objects.flatMap((object) => {
    const next = later.get(object.objectId);
    if (next) return { ...object, box: between(object.box, next.box, share), isObserved: false };
    return share < 0.5 ? moved(object, atMs - before.wallMs, before) : [];
  });
}

function between(from: Box, to: Box, share: number): Box {
  const at = (i: 0 | 1 | 2 | 3): number => from[i] + (to[i] - from[i]) * share;
  return [at(0), at(1), at(2), at(3)];
}

function moved(object: TrackedObject, ms: number, { detections: { widthPx, heightPx } }: RecordedDetections): TrackedObject {
  const [x, y, width, height] = object.box;
  const [dx, dy] = object.velocity.map((pixels) => (pixels * ms) / 1000) as [number, number];
  const left = Math.min(Math.max(0, x + dx), Math.max(0, widthPx - width));
  const top = Math.min(Math.max(0, y + dy), Math.max(0, heightPx - height));
  return { ...object, box: [left, top, width, height], isObserved: false };
}
