/**
 * Detection transformers without suppression: RT-DETR (Zhao et al., 2023), D-FINE, DEIM, RF-DETR. RGB 0-1 in,
 * stretched. They come in three kinds of export:
 * - two inputs, the second the picture's size as width and height: labels, corners in that size, scores;
 * - as Hugging Face transformers have it: logits and centre-and-size boxes in 0..1;
 * - as Ultralytics has it: rows of a centre-and-size box in 0..1 and one probability a class.
 */
import { Candidates } from '../candidates.js';
import { COCO_91_LABELS } from '../coco.js';
import { IMAGENET, RGB_1 } from '../input-layout.js';
import type { PictureGeometry } from '../letterbox.js';
import type { ModelDescription } from '../model.js';
import { strongest } from '../nms.js';
import type { Decode, Family, FamilyFit, OutputTensor, Probe } from './family.js';
import { indexOfLargest, sigmoid, stridesOf } from './grids.js';

/** More queries than any of these models has; models with grids have more cells. */
const MAX_QUERIES = 1000;
/** DETR (Carion et al., 2020) and YOLOS: COCO's numbers and one for no object, to be read by softmax rather than one by one. */
export const SOFTMAX_CLASSES = 92;

interface Labelled {
  readonly labels: OutputTensor;
  readonly boxes: OutputTensor;
  readonly scores: OutputTensor;
}

interface Logits {
  readonly logits: OutputTensor;
  readonly boxes: OutputTensor;
}

/** Detection transformers. */
export const detr: Family = {
  covers: 'RT-DETR, D-FINE, DEIM, RF-DETR',
  layout: { ...RGB_1, fit: 'stretch', pad: 0 },
  scoreThreshold: 0.5,
  nmsIou: undefined,

  expects: (_size, classes = NaN) =>
    `either a second input [1,2] and outputs labels [1,Q], boxes [1,Q,4], scores [1,Q]; or outputs logits [1,Q,${classes || 'classes'}] and boxes [1,Q,4]; ` +
    `or one output [1,Q,${4 + classes || '4+classes'}]`,

  read(probe) {
    const { inputs, outputs } = probe;
    // DEIMv2 of sizes S and up; the smaller ones have another backbone.
    if (inputs.length === 2) return labelled(outputs) && (probe.hasDinov3 === true ? { layout: IMAGENET } : {});
    if (inputs.length !== 1) return undefined;
    return outputs.length === 1 ? readRows(probe) : readLogits(outputs);
  },

  decoder(model) {
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const decode = outputs.length === 3 ? decodeLabelled : outputs.length === 2 ? decodeLogits : decodeRows;
      decode(candidates, outputs, model, minScore, geometry);
      const { widthPx, heightPx } = geometry;
      return candidates.toDetections(
        strongest(candidates),
        { widthPx, heightPx, ratioX: 1, ratioY: 1, offsetXPx: 0, offsetYPx: 0 },
        model.labels,
      );
    };
  },
} satisfies Family & { decoder(model: ModelDescription): Decode };

/** By their names where they have the usual ones, else in the usual order. */
function labelled(outputs: readonly OutputTensor[]): Labelled | undefined {
  if (outputs.length !== 3) return undefined;
  const named = (name: string, at: number): OutputTensor | undefined => outputs.find((output) => output.name === name) ?? outputs[at];
  const [labels, boxes, scores] = [named('labels', 0), named('boxes', 1), named('scores', 2)];
  if (!labels || !boxes || !scores) return undefined;
  const queries = scores.data.length;
  // Some exports have no batch axis.
  const isFlat = [labels, scores].every(({ dims, data }) => data.length === queries && dims.at(-1) === queries);
  return isFlat && boxes.dims.at(-1) === 4 && boxes.data.length === 4 * queries ? { labels, boxes, scores } : undefined;
}

function logitsOf(outputs: readonly OutputTensor[]): Logits | undefined {
  if (outputs.length !== 2 || outputs.some(({ dims }) => dims.length !== 3 || dims[0] !== 1)) return undefined;
  // A model of four classes has two outputs of one shape; then the names tell.
  const boxes = outputs.find(({ name, dims }) => /box|dets/.test(name) && dims[2] === 4) ?? outputs.find(({ dims }) => dims[2] === 4);
  const logits = outputs.find((output) => output !== boxes);
  return boxes && logits && boxes.dims[1] === logits.dims[1] && (logits.dims[1] ?? 0) <= MAX_QUERIES ? { logits, boxes } : undefined;
}

function readLogits(outputs: readonly OutputTensor[]): FamilyFit | undefined {
  const found = logitsOf(outputs);
  if (!found) return undefined;
  const classes = found.logits.dims[2] ?? 0;
  if (classes === SOFTMAX_CLASSES) return undefined;
  // RF-DETR's names. It and what else has COCO's own numbers want ImageNet's mean and deviation; RT-DETR and D-FINE do not.
  const isRfDetr = found.boxes.name === 'dets';
  const isKnown = isRfDetr || found.logits.name === 'logits';
  return { classes, isAmbiguous: !isKnown, ...((isRfDetr || classes === COCO_91_LABELS.length) && { layout: IMAGENET }) };
}

function readRows({ outputs: [output], strides: _strides, inputs: _inputs, ...size }: Probe): FamilyFit | undefined {
  const [batch, queries = 0, columns = 0, ...more] = output?.dims ?? [];
  if (batch !== 1 || more.length > 0 || queries > MAX_QUERIES || columns < 5) return undefined;
  const isGrid = [queries, queries / 3, columns].some((cells) => stridesOf(cells, size) !== undefined);
  const isUnit = output?.data.every((value) => value >= -0.5 && value <= 1.5) ?? false;
  return { classes: columns - 4, isAmbiguous: isGrid || !isUnit };
}

type DecodeInto = (
  candidates: Candidates,
  outputs: readonly OutputTensor[],
  model: ModelDescription,
  minScore: number,
  picture: PictureGeometry,
) => void;

const decodeLabelled: DecodeInto = (candidates, outputs, _model, minScore) => {
  const found = labelled(outputs);
  if (!found) return;
  const { labels, boxes, scores } = found;
  for (let i = 0; i < scores.data.length; i++) {
    const score = scores.data[i] as number;
    const classId = labels.data[i] as number;
    if (!(score >= minScore && classId >= 0)) continue;
    const [left, top, right, bottom] = boxes.data.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    candidates.add(left, top, right, bottom, score, classId);
  }
};

const decodeLogits: DecodeInto = (candidates, outputs, _model, minScore, { widthPx, heightPx }) => {
  const found = logitsOf(outputs);
  if (!found) return;
  const classes = found.logits.dims[2] ?? 0;
  const queries = found.logits.dims[1] ?? 0;
  for (let i = 0; i < queries; i++) {
    const classId = indexOfLargest(found.logits.data, i * classes, classes);
    const score = sigmoid(found.logits.data[i * classes + classId] as number);
    if (classId < 0 || !(score >= minScore)) continue;
    addUnitBox(candidates, found.boxes.data, 4 * i, score, classId, widthPx, heightPx);
  }
};

const decodeRows: DecodeInto = (candidates, [output], { labels }, minScore, { widthPx, heightPx }) => {
  const rows = output?.data ?? new Float32Array(0);
  const columns = 4 + labels.length;
  for (let at = 0; at + columns <= rows.length; at += columns) {
    const classId = indexOfLargest(rows, at + 4, labels.length);
    const score = rows[at + 4 + classId] as number;
    if (classId < 0 || !(score >= minScore)) continue;
    addUnitBox(candidates, rows, at, score, classId, widthPx, heightPx);
  }
};

function addUnitBox(
  candidates: Candidates,
  data: Float32Array,
  at: number,
  score: number,
  classId: number,
  widthPx: number,
  heightPx: number,
): void {
  const [x, y, width, height] = [data[at], data[at + 1], data[at + 2], data[at + 3]] as [number, number, number, number];
  candidates.addCentred(x * widthPx, y * heightPx, width * widthPx, height * heightPx, score, classId);
}
