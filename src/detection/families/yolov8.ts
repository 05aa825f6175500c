/**
 * YOLOv8 (Jocher et al., 2023) and its successors with suppression outside the model, YOLO11 and the like: RGB 0-1
 * in, letterbox in the middle; out one column for each cell: centre and size in input pixels, then one
 * probability a class, no objectness.
 */
import { Candidates } from '../candidates.js';
import { RGB_1 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family, OutputTensor } from './family.js';
import { cellCount, stridesOf, USUAL_STRIDES } from './grids.js';

const NO_CLASS = -1;

/** YOLOv8, YOLO11 and others of their layout. */
export const yolov8: Family = {
  covers: 'YOLOv8, YOLO11; YOLOv9 and YOLO12 of the same layout',
  layout: RGB_1,
  scoreThreshold: 0.4,
  nmsIou: 0.45,

  expects: (size, classes, strides = USUAL_STRIDES) =>
    `one output [1,${classes === undefined ? '4+classes' : 4 + classes},${cellCount(size, strides) ?? 'N'}] (strides ${strides.join(', ')})`,

  read({ outputs, inputs, strides: declared, ...size }) {
    const output = mainOutput(outputs);
    if (!output || inputs.length !== 1) return undefined;
    const [batch, rows = 0, cells = 0, ...more] = output.dims;
    // Several outputs tell less: those of a transformer may be alike too.
    const strides = stridesOf(cells, size, declared ?? (outputs.length > 1 ? USUAL_STRIDES : undefined));
    return batch === 1 && more.length === 0 && strides && rows >= 5 ? { classes: rows - 4, strides } : undefined;
  },

  decoder({ input, strides, labels, nmsIou }) {
    const cells = cellCount(input, strides) ?? 0;
    const candidates = new Candidates();
    const bestScore = new Float32Array(cells);
    const bestClass = new Int32Array(cells);
    return (outputs, geometry, minScore) => {
      candidates.clear();
      // The scores are 32 bits wide: one that was 0.1 is compared with what 0.1 is there.
      const lowest = Math.fround(minScore);
      const data = mainOutput(outputs)?.data ?? new Float32Array(0);
      bestScore.fill(0);
      bestClass.fill(NO_CLASS);
      // Class by class, in the order of the memory.
      for (let classId = 0, at = 4 * cells; classId < labels.length; classId++, at += cells) {
        for (let i = 0; i < cells; i++) {
          const score = data[at + i] as number;
          // Nearly every value fails the first comparison, which reads nothing but it.
          if (score >= lowest && score > (bestScore[i] as number)) {
            bestScore[i] = score;
            bestClass[i] = classId;
          }
        }
      }
      for (let i = 0; i < cells; i++) {
        const classId = bestClass[i] as number;
        if (classId === NO_CLASS) continue;
        candidates.addCentred(
          data[i] as number,
          data[cells + i] as number,
          data[2 * cells + i] as number,
          data[3 * cells + i] as number,
          bestScore[i] as number,
          classId,
        );
      }
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};

/** The only output, or the last of several alike: those of the branches that YOLOv9 is trained with, the main one last. */
function mainOutput(outputs: readonly OutputTensor[]): OutputTensor | undefined {
  const shape = outputs[0]?.dims.join();
  return outputs.every(({ dims }) => dims.join() === shape) ? outputs.at(-1) : undefined;
}
