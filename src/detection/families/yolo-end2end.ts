/**
 * YOLO without suppression outside the net: YOLOv10 (Wang et al., 2024), YOLO26, and Ultralytics exports with
 * `nms=True`. RGB 0-1 in, letterbox in the middle; out rows of corners in input pixels, score and class.
 */
import { Candidates } from '../candidates.js';
import { RGB_1 } from '../input-layout.js';
import { strongest } from '../nms.js';
import type { Family } from './family.js';
import { stridesOf } from './grids.js';

const COLUMNS = 6;

export const yoloEnd2end: Family = {
  covers: 'YOLOv10, YOLO26, Ultralytics exports with nms=True',
  layout: RGB_1,
  scoreThreshold: 0.4,
  nmsIou: undefined,

  expects: () => `one output [1,N,${COLUMNS}] of x1, y1, x2, y2, score, class (N is 300 in most exports)`,

  read({ outputs: [output, ...others], inputs, ...size }) {
    if (!output || others.length > 0 || inputs.length !== 1) return undefined;
    const [batch, rows = 0, columns, ...more] = output.dims;
    if (batch !== 1 || more.length > 0 || columns !== COLUMNS || rows < 1) return undefined;
    // A net of one class with objectness has six columns too, one row a cell.
    const isGrid = stridesOf(rows, size) !== undefined || stridesOf(rows / 3, size) !== undefined;
    return { isAmbiguous: isGrid || output.data.every((value) => value >= 0 && value <= 1) };
  },

  decoder({ labels }) {
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const rows = outputs[0]?.data ?? new Float32Array(0);
      for (let at = 0; at + COLUMNS <= rows.length; at += COLUMNS) {
        const score = rows[at + 4] as number;
        const classId = Math.round(rows[at + 5] as number);
        if (!(score >= minScore && classId >= 0)) continue;
        candidates.add(rows[at] as number, rows[at + 1] as number, rows[at + 2] as number, rows[at + 3] as number, score, classId);
      }
      return candidates.toDetections(strongest(candidates), geometry, labels);
    };
  },
};
