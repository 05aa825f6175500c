/**
 * YOLOX (Ge et al., 2021): BGR 0-255 in; out one row for each grid cell, strides ascending, then row-major:
 * centre and log size relative to the cell, objectness, one probability a class. Exports made with
 * `--decode_in_inference` hold pixels already.
 */
import type { Detection } from '../media/index.js';
import type { DetectorFamily, OutputTensor, PictureGeometry } from './family.js';
import type { ModelDescription } from './model.js';
import { suppressOverlaps } from './nms.js';

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

export function yolox(model: ModelDescription): DetectorFamily {
  const cells = gridCells(model);
  const columns = 5 + model.labels.length;

  const decode = (outputs: readonly OutputTensor[], picture: PictureGeometry, minScore: number): Detection[] => {
    const rows = outputs[0]?.data ?? new Float32Array(0);
    const found: Detection[] = [];
    cells.forEach((cell, i) => {
      const at = i * columns;
      const objectness = rows[at + 4] ?? NaN;
      // Also false for NaN, which damaged weights give.
      if (!(objectness >= minScore)) return;
      const { classId, probability } = bestClass(rows, at + 5, model.labels.length);
      const score = objectness * probability;
      if (!(score >= minScore)) return;
      const box = pictureBox(rows, at, model.decoded ? undefined : cell, picture);
      if (box) found.push({ box, classId, label: model.labels[classId] ?? String(classId), score: Math.min(1, score) });
    });
    return suppressOverlaps(found, model.nmsIou);
  };

  return {
    input: { widthPx: model.inputWidthPx, heightPx: model.inputHeightPx, channels: 'bgr', pad: 114 },
    mismatch(outputs) {
      const expected = `[1,${cells.length},${columns}]`;
      const found = outputs.map(({ dims }) => `[${dims.join(',')}]`).join(', ');
      if (outputs.length === 1 && found === expected) return undefined;
      return (
        `a YOLOX model of ${model.inputWidthPx}x${model.inputHeightPx} with strides ${model.strides.join(', ')} and ${model.labels.length} labels ` +
        `has one output ${expected}, this one has ${found || 'none'}`
      );
    },
    decode,
  };
}

function gridCells(model: ModelDescription): Cell[] {
  return model.strides.flatMap((stride) => {
    const columns = model.inputWidthPx / stride;
    const rows = model.inputHeightPx / stride;
    return Array.from({ length: rows * columns }, (_, i) => ({ x: i % columns, y: Math.floor(i / columns), stride }));
  });
}

function bestClass(rows: Float32Array, at: number, classes: number): { classId: number; probability: number } {
  let classId = 0;
  for (let i = 1; i < classes; i++) if ((rows[at + i] ?? 0) > (rows[at + classId] ?? 0)) classId = i;
  return { classId, probability: rows[at + classId] ?? 0 };
}

/** The row's box in pixels of the picture, clipped to it; undefined when nothing of it is inside. */
function pictureBox(rows: Float32Array, at: number, cell: Cell | undefined, picture: PictureGeometry): Detection['box'] | undefined {
  const [x = NaN, y = NaN, w = NaN, h = NaN] = rows.subarray(at, at + 4);
  const centreX = cell ? (x + cell.x) * cell.stride : x;
  const centreY = cell ? (y + cell.y) * cell.stride : y;
  const width = cell ? Math.exp(w) * cell.stride : w;
  const height = cell ? Math.exp(h) * cell.stride : h;
  if (!Number.isFinite(width) || !Number.isFinite(height)) return undefined;
  const left = Math.max(0, (centreX - width / 2) / picture.ratio);
  const top = Math.max(0, (centreY - height / 2) / picture.ratio);
  const right = Math.min(picture.widthPx, (centreX + width / 2) / picture.ratio);
  const bottom = Math.min(picture.heightPx, (centreY + height / 2) / picture.ratio);
  return right - left > 0 && bottom - top > 0 ? [left, top, right - left, bottom - top] : undefined;
}
