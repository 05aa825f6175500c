/**
 * YOLOv5 (Jocher, 2020), and YOLOv6 and YOLOv7, whose exports hold the same rows: RGB 0-1 in, letterbox in the
 * middle; out one row for each anchor of each cell: centre and size in input pixels, objectness, one probability
 * a class.
 */
import { Candidates } from '../candidates.js';
import { RGB_1 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family } from './family.js';
import { cellCount, indexOfLargest, stridesOf, USUAL_STRIDES } from './grids.js';
import { areOnes } from './values.js';

/** Anchors of a cell; YOLOv6 has no anchors, so one box, and its objectness is always one. */
const ANCHORS = 3;

/** YOLOv5, YOLOv6 and YOLOv7. */
export const yolov5: Family = {
  covers: 'YOLOv5, YOLOv6, YOLOv7',
  layout: RGB_1,
  scoreThreshold: 0.4,
  nmsIou: 0.45,

  expects(size, classes, strides = USUAL_STRIDES) {
    const cells = cellCount(size, strides);
    const columns = classes === undefined ? '5+classes' : 5 + classes;
    return cells === undefined
      ? `one output [1,N,${columns}]`
      : `one output [1,${ANCHORS * cells},${columns}], or [1,${cells},${columns}] of YOLOv6 (strides ${strides.join(', ')})`;
  },

  read({ outputs: [output, ...others], inputs, strides: declared, ...size }) {
    // Older exports of YOLOv5, and YOLOv7's with --grid, give the grids that the rows were made of as well.
    if (!output || others.some(({ dims }) => dims.length !== 5) || inputs.length !== 1) return undefined;
    const [batch, rows = 0, columns = 0, ...more] = output.dims;
    if (batch !== 1 || more.length > 0 || columns < 6) return undefined;
    const withAnchors = stridesOf(rows / ANCHORS, size, declared);
    const strides = withAnchors ?? stridesOf(rows, size, declared);
    return strides && { classes: columns - 5, strides, isAmbiguous: !(withAnchors || areOnes(output, 4)) };
  },

  decoder({ input, strides, labels, nmsIou }) {
    const columns = 5 + labels.length;
    const cells = cellCount(input, strides) ?? 0;
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const rows = outputs[0]?.data ?? new Float32Array(0);
      // With anchors, the probability of a class without rivals is not trained (YOLOv7: always 0.5).
      const isObjectnessAll = labels.length === 1 && rows.length > cells * columns;
      for (let at = 0; at + columns <= rows.length; at += columns) {
        const objectness = rows[at + 4] as number;
        if (!(objectness >= minScore)) continue;
        const classId = indexOfLargest(rows, at + 5, labels.length);
        const score = isObjectnessAll ? objectness : objectness * (rows[at + 5 + classId] as number);
        if (classId < 0 || !(score >= minScore)) continue;
        candidates.addCentred(rows[at] as number, rows[at + 1] as number, rows[at + 2] as number, rows[at + 3] as number, score, classId);
      }
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};
