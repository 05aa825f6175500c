/** The least that can be called a tracker, as a yardstick: the last box stands still, ids go by greatest overlap. */
import { iou } from '../../src/detection/boxes.js';
import type { Box, Detection } from '../../src/media/index.js';
import type { IdentifiedBox } from './tracking-metrics.js';

const MIN_IOU = 0.3;
/** An object is shown, and remembered, this long after it was seen, as SORT does with a max age of three results. */
const MEMORY_MS = 300;

export class PlainTracker {
  #objects: { objectId: number; classId: number; box: Box; seenMs: number }[] = [];
  #nextId = 1;
  readonly #scoreThreshold: number;

  constructor(scoreThreshold = 0.4) {
    this.#scoreThreshold = scoreThreshold;
  }

  update(detections: readonly Detection[], mediaTimeMs: number): void {
    const free = new Set(this.#objects);
    for (const { box, classId } of detections.filter(({ score }) => score >= this.#scoreThreshold).sort((a, b) => b.score - a.score)) {
      const [best] = [...free]
        .filter((object) => object.classId === classId && iou(object.box, box) >= MIN_IOU)
        .sort((a, b) => iou(b.box, box) - iou(a.box, box));
      if (best) {
        free.delete(best);
        Object.assign(best, { box, seenMs: mediaTimeMs });
      } else this.#objects.push({ objectId: this.#nextId++, classId, box, seenMs: mediaTimeMs });
    }
    this.#objects = this.#objects.filter(({ seenMs }) => mediaTimeMs - seenMs <= MEMORY_MS);
  }

  predict(mediaTimeMs: number): IdentifiedBox[] {
    return this.#objects.filter(({ seenMs }) => mediaTimeMs - seenMs <= MEMORY_MS).map(({ objectId, box }) => ({ objectId, box }));
  }
}
