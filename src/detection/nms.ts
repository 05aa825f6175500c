/** Non-maximum suppression: of boxes of one class that overlap, the one with the highest score stays. */
import type { Detection } from '../media/index.js';
import { iou } from './boxes.js';

/** The detections that stay, highest score first. */
export function suppressOverlaps(detections: readonly Detection[], maxIou: number): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of [...detections].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => other.classId !== candidate.classId || iou(other.box, candidate.box) <= maxIou)) kept.push(candidate);
  }
  return kept;
}
