/**
 * Boxes that a model proposes, in pixels of its input, before overlaps are suppressed: thousands a picture with a
 * low threshold, so they live in typed arrays that are used again.
 */
import type { Detection } from '../media/index.js';
import type { PictureGeometry } from './letterbox.js';

/** The boxes of one inference. */
export class Candidates {
  count = 0;
  left = new Float64Array(256);
  top = new Float64Array(256);
  right = new Float64Array(256);
  bottom = new Float64Array(256);
  score = new Float64Array(256);
  classId = new Int32Array(256);

  /** Forgets all. */
  clear(): this {
    this.count = 0;
    return this;
  }

  /** Adds a box by its corners. One that is not finite, or empty, is left out: damaged weights give such. */
  add(left: number, top: number, right: number, bottom: number, score: number, classId: number): void {
    // A comparison with NaN is false, and the difference of infinite or huge corners is not finite.
    if (!(right > left && bottom > top && score > 0 && score < Infinity && right - left < Infinity && bottom - top < Infinity)) return;
    if (this.count === this.score.length) this.#grow();
    const i = this.count++;
    this.left[i] = left;
    this.top[i] = top;
    this.right[i] = right;
    this.bottom[i] = bottom;
    this.score[i] = score;
    this.classId[i] = classId;
  }

  /** Adds a box by centre and size. */
  addCentred(x: number, y: number, width: number, height: number, score: number, classId: number): void {
    this.add(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, classId);
  }

  /** The candidates of these indices in pixels of the picture, clipped to it; those outside are left out. */
  toDetections(indices: Iterable<number>, geometry: PictureGeometry, labels: readonly string[]): Detection[] {
    const { widthPx, heightPx, ratioX, ratioY, offsetXPx, offsetYPx } = geometry;
    const found: Detection[] = [];
    for (const i of indices) {
      const left = Math.max(0, ((this.left[i] ?? NaN) - offsetXPx) / ratioX);
      const top = Math.max(0, ((this.top[i] ?? NaN) - offsetYPx) / ratioY);
      const right = Math.min(widthPx, ((this.right[i] ?? NaN) - offsetXPx) / ratioX);
      const bottom = Math.min(heightPx, ((this.bottom[i] ?? NaN) - offsetYPx) / ratioY);
      if (!(right > left && bottom > top)) continue;
      const classId = this.classId[i] ?? 0;
      found.push({
        box: [left, top, right - left, bottom - top],
        classId,
        label: labels[classId] ?? `class ${classId}`,
        score: Math.min(1, this.score[i] ?? 0),
      });
    }
    return found;
  }

  #grow(): void {
    const size = this.score.length * 2;
    const copy = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(size);
      larger.set(old);
      return larger;
    };
    this.left = copy(this.left);
    this.top = copy(this.top);
    this.right = copy(this.right);
    this.bottom = copy(this.bottom);
    this.score = copy(this.score);
    const classId = new Int32Array(size);
    classId.set(this.classId);
    this.classId = classId;
  }
}
