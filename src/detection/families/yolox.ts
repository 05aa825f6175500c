/**
 * YOLOX (Ge et al., 2021): BGR 0-255 in; out one row for each grid cell, strides ascending, then row-major:
 * centre and log size relative to the cell, objectness, one probability a class. Exports made with
 * `--decode_in_inference` hold pixels already.
 */
import { Candidates } from '../candidates.js';
import { BGR_255 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family, OutputTensor, Probe } from './family.js';
import { cellCount, gridCells, indexOfLargest, stridesOf, USUAL_STRIDES } from './grids.js';
import { areOnes, areProbabilities } from './values.js';

/** YOLOX. */
export const yolox: Family = {
  covers: 'YOLOX',
  layout: BGR_255,
  scoreThreshold: 0.4,
  nmsIou: 0.45,

  expects: (size, classes, strides = USUAL_STRIDES) =>
    `one output [1,${cellCount(size, strides) ?? 'N'},${classes === undefined ? '5+classes' : 5 + classes}] (strides ${strides.join(', ')})`,

  read(probe) {
    const [output, ...others] = probe.outputs;
    if (!output || others.length > 0 || probe.inputs.length !== 1) return undefined;
    const [batch, cells = 0, columns = 0, ...more] = output.dims;
    const strides = stridesOf(cells, probe, probe.strides);
    if (batch !== 1 || more.length > 0 || !strides || columns < 6) return undefined;
    const decoded = holdsPixels(output, probe, strides);
    // YOLOv6 gives decoded rows too, from another input, and its objectness is always one; the official YOLOX export calls its output so.
    const isOther = (decoded && output.name !== 'output') || areOnes(output, 4) || !areProbabilities(output, 4, columns);
    return { classes: columns - 5, strides, decoded, isAmbiguous: isOther };
  },

  decoder({ input, strides, labels, nmsIou, decoded }) {
    const cells = gridCells(input, strides);
    const columns = 5 + labels.length;
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const rows = outputs[0]?.data ?? new Float32Array(0);
      const count = Math.min(cells.x.length, Math.floor(rows.length / columns));
      for (let i = 0, at = 0; i < count; i++, at += columns) {
        const objectness = rows[at + 4] as number;
        // Also true for NaN, which damaged weights give.
        if (!(objectness >= minScore)) continue;
        const classId = indexOfLargest(rows, at + 5, labels.length);
        const score = objectness * (rows[at + 5 + classId] as number);
        if (classId < 0 || !(score >= minScore)) continue;
        const [x, y, w, h] = [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]] as [number, number, number, number];
        if (decoded) {
          candidates.addCentred(x, y, w, h, score, classId);
        } else {
          const stride = cells.stride[i] as number;
          candidates.addCentred(
            (x + (cells.x[i] as number)) * stride,
            (y + (cells.y[i] as number)) * stride,
            Math.exp(w) * stride,
            Math.exp(h) * stride,
            score,
            classId,
          );
        }
      }
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};

/** True when the centres lie at their cells' places in the input rather than at about zero. */
function holdsPixels({ data, dims }: OutputTensor, size: Probe, strides: readonly number[]): boolean {
  const columns = dims[2] ?? 0;
  const { x, stride } = gridCells(size, strides);
  let asPixels = 0;
  let asOffsets = 0;
  for (let i = 0; i < x.length; i++) {
    const value = data[i * columns] as number;
    asPixels += Math.abs(value / (stride[i] as number) - (x[i] as number) - 0.5);
    asOffsets += Math.abs(value - 0.5);
  }
  return asPixels < asOffsets;
}
