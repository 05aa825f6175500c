/**
 * Yolo-FastestV2 (Ma, 2021): BGR 0-1 in, stretched; out three tensors for each of two grids: boxes relative to
 * three anchors, objectness of each anchor, and classes that the anchors share; before their sigmoid and softmax.
 */
import { Candidates } from '../candidates.js';
import { BGR_255 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family, OutputTensor } from './family.js';
import { indexOfLargest, sigmoid } from './grids.js';

const STRIDES = [16, 32];
/** Width and height of three anchors a stride, in pixels of the input; of the COCO model. */
const COCO_ANCHORS = [
  [12.64, 19.39, 37.88, 51.48, 55.71, 138.31],
  [126.91, 78.23, 131.57, 214.55, 279.92, 258.87],
];
const ANCHORS = 3;

/** Yolo-FastestV2. */
export const yoloFastestv2: Family = {
  covers: 'Yolo-FastestV2',
  layout: { ...BGR_255, fit: 'stretch', scale: 1 / 255 },
  scoreThreshold: 0.4,
  nmsIou: 0.45,

  expects: ({ widthPx, heightPx }, classes = NaN) =>
    `for each stride of ${STRIDES.join(' and ')} the outputs ` +
    STRIDES.map((stride) =>
      [4 * ANCHORS, ANCHORS, classes || 'classes'].map((planes) => `[1,${planes},${heightPx / stride},${widthPx / stride}]`).join(', '),
    ).join('; '),

  read({ outputs, inputs, widthPx, heightPx }) {
    if (inputs.length !== 1 || outputs.length !== 3 * STRIDES.length) return undefined;
    const classes = outputs[2]?.dims[1] ?? 0;
    const fits = STRIDES.every((stride, level) =>
      [4 * ANCHORS, ANCHORS, classes].every((planes, part) => {
        const [batch, found, rows, columns, ...more] = outputs[3 * level + part]?.dims ?? [];
        return batch === 1 && found === planes && rows === heightPx / stride && columns === widthPx / stride && more.length === 0;
      }),
    );
    return fits && classes > 0 ? { classes } : undefined;
  },

  decoder({ input, labels, nmsIou, anchors = COCO_ANCHORS }) {
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      STRIDES.forEach((stride, level) => {
        const [boxes, objectness, classes] = outputs.slice(3 * level, 3 * level + 3);
        if (boxes && objectness && classes) {
          decodeGrid(
            { boxes, objectness, classes },
            { stride, columns: input.widthPx / stride, anchors: anchors[level] ?? [] },
            labels.length,
            minScore,
            candidates,
          );
        }
      });
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};

interface Head {
  readonly boxes: OutputTensor;
  readonly objectness: OutputTensor;
  readonly classes: OutputTensor;
}

interface Grid {
  readonly stride: number;
  readonly columns: number;
  readonly anchors: readonly number[];
}

function decodeGrid(
  { boxes, objectness, classes }: Head,
  { stride, columns, anchors }: Grid,
  labels: number,
  minScore: number,
  candidates: Candidates,
): void {
  const cells = classes.data.length / labels;
  for (let i = 0; i < cells; i++) {
    let classId = -1;
    let probability = 0;
    for (let anchor = 0; anchor < ANCHORS; anchor++) {
      const objectProbability = sigmoid(objectness.data[anchor * cells + i] as number);
      if (!(objectProbability >= minScore)) continue;
      // The anchors of a cell share their class, and few cells have an object at all.
      if (classId < 0) {
        classId = indexOfLargest(classes.data, i, labels, cells);
        probability = softmaxAt(classes.data, i, labels, cells, classId);
      }
      const score = objectProbability * probability;
      if (classId < 0 || !(score >= minScore)) continue;
      const at = (part: number): number => sigmoid(boxes.data[(4 * anchor + part) * cells + i] as number) * 2;
      const x = (at(0) - 0.5 + (i % columns)) * stride;
      const y = (at(1) - 0.5 + Math.floor(i / columns)) * stride;
      candidates.addCentred(x, y, at(2) ** 2 * (anchors[2 * anchor] ?? 0), at(3) ** 2 * (anchors[2 * anchor + 1] ?? 0), score, classId);
    }
  }
}

/** The softmax of the largest of `count` values, `step` apart. */
function softmaxAt(values: Float32Array, from: number, count: number, step: number, largest: number): number {
  const top = values[from + largest * step] as number;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp((values[from + i * step] as number) - top);
  return 1 / sum;
}
