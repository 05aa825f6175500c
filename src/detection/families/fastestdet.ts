/**
 * FastestDet (Ma, 2022): BGR 0-1 in, stretched; out one grid of stride 16: objectness, offset, size, one
 * probability a class, a plane each. Boxes are relative to the picture.
 */
import { Candidates } from '../candidates.js';
import { BGR_255 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family } from './family.js';
import { indexOfLargest, sigmoid } from './grids.js';

const STRIDE = 16;

/** FastestDet. */
export const fastestdet: Family = {
  covers: 'FastestDet',
  layout: { ...BGR_255, fit: 'stretch', scale: 1 / 255 },
  scoreThreshold: 0.6,
  nmsIou: 0.45,

  expects: ({ widthPx, heightPx }, classes) =>
    `one output [1,${classes === undefined ? '5+classes' : 5 + classes},${heightPx / STRIDE},${widthPx / STRIDE}]`,

  read({ outputs: [output, ...others], inputs, widthPx, heightPx }) {
    if (!output || others.length > 0 || inputs.length !== 1) return undefined;
    const [batch, planes = 0, rows = 0, columns = 0, ...more] = output.dims;
    const isGrid = rows * STRIDE === heightPx && columns * STRIDE === widthPx;
    return batch === 1 && more.length === 0 && isGrid && planes >= 6 ? { classes: planes - 5 } : undefined;
  },

  decoder({ input, labels, nmsIou }) {
    const candidates = new Candidates();
    const columns = input.widthPx / STRIDE;
    const rows = input.heightPx / STRIDE;
    const cells = columns * rows;
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const data = outputs[0]?.data ?? new Float32Array(0);
      for (let i = 0; i < cells; i++) {
        const objectness = data[i] as number;
        if (!(objectness > 0)) continue;
        const classId = indexOfLargest(data, 5 * cells + i, labels.length, cells);
        const score = objectness ** 0.6 * (data[(5 + classId) * cells + i] as number) ** 0.4;
        if (classId < 0 || !(score >= minScore)) continue;
        const x = (i % columns) + Math.tanh(data[cells + i] as number);
        const y = Math.floor(i / columns) + Math.tanh(data[2 * cells + i] as number);
        const width = sigmoid(data[3 * cells + i] as number) * input.widthPx;
        const height = sigmoid(data[4 * cells + i] as number) * input.heightPx;
        candidates.addCentred(x * STRIDE, y * STRIDE, width, height, score, classId);
      }
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};
