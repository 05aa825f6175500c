/**
 * YOLO without suppression outside the model: YOLOv10 (Wang et al., 2024), YOLO26, Ultralytics exports with `nms=True`,
 * YOLOv7 exports with `--end2end --max-wh`. RGB 0-1 in, letterbox in the middle; out rows of corners in input pixels,
 * score and class; of YOLOv7 the picture's number, corners, class and score.
 */
import { Candidates } from '../candidates.js';
import { RGB_1 } from '../input-layout.js';
import { strongest } from '../nms.js';
import type { Family, OutputTensor } from './family.js';
import { stridesOf } from './grids.js';

/** Where in a row things stand. */
interface Row {
  readonly columns: number;
  readonly corners: number;
  readonly score: number;
  readonly classId: number;
}

const YOLOV10: Row = { columns: 6, corners: 0, score: 4, classId: 5 };
const YOLOV7: Row = { columns: 7, corners: 1, score: 6, classId: 5 };

/** Rows of most exports. */
const USUAL_ROWS = 300;
/** Grids of it alone are too rare to be looked for elsewhere. */
const LARGEST_STRIDE = 64;

/** YOLO that suppresses overlaps by itself. */
export const yoloEnd2end: Family = {
  covers: 'YOLOv10, YOLO26, Ultralytics exports with nms=True, YOLOv7 exports with --end2end --max-wh',
  layout: RGB_1,
  scoreThreshold: 0.4,
  nmsIou: undefined,

  expects: () =>
    'one output [1,N,6] of x1, y1, x2, y2, score, class (N is 300 in most exports), or [N,7] of picture, x1, y1, x2, y2, class, score (YOLOv7)',

  read({ outputs: [output, ...others], inputs, ...size }) {
    const row = output && rowOf(output);
    if (!row || others.length > 0 || inputs.length !== 1) return undefined;
    if (row === YOLOV7) return {};
    const rows = output.dims[1] ?? 0;
    if (rows < 1) return undefined;
    return { isAmbiguous: isGrid(rows, size) || !areObjects(output.data) };
  },

  decoder({ labels }) {
    const candidates = new Candidates();
    return ([output], geometry, minScore) => {
      candidates.clear();
      const { columns, corners, score: scoreAt, classId: classAt } = (output && rowOf(output)) ?? YOLOV10;
      const rows = output?.data ?? new Float32Array(0);
      for (let at = 0; at + columns <= rows.length; at += columns) {
        const score = rows[at + scoreAt] as number;
        const classId = Math.round(rows[at + classAt] as number);
        if (!(score >= minScore && classId >= 0)) continue;
        const box = at + corners;
        candidates.add(rows[box] as number, rows[box + 1] as number, rows[box + 2] as number, rows[box + 3] as number, score, classId);
      }
      return candidates.toDetections(strongest(candidates), geometry, labels);
    };
  },
};

/** True when there may be a row for each cell: a model of one class with objectness has six columns too. */
function isGrid(rows: number, size: Parameters<typeof stridesOf>[1]): boolean {
  if (rows === USUAL_ROWS) return false;
  const counts = [rows, rows / 3];
  return counts.some((cells) => stridesOf(cells, size) !== undefined || stridesOf(cells, size, [LARGEST_STRIDE]) !== undefined);
}

function rowOf({ dims }: OutputTensor): Row | undefined {
  if (dims.length === 2 && dims[1] === YOLOV7.columns) return YOLOV7;
  return dims.length === 3 && dims[0] === 1 && dims[2] === YOLOV10.columns ? YOLOV10 : undefined;
}

/** True when there are rows, in pixels, each with a whole class and a probability, and most with their corners in order: YOLO26 turns some that it does not believe in. */
function areObjects(rows: Float32Array): boolean {
  let isInPixels = false;
  let inOrder = 0;
  for (let at = 0; at + YOLOV10.columns <= rows.length; at += YOLOV10.columns) {
    const [left, top, right, bottom, score, classId] = rows.subarray(at, at + YOLOV10.columns) as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (!(score >= 0 && score <= 1 && classId >= 0 && Number.isInteger(classId))) return false;
    if (right >= left && bottom >= top) inOrder++;
    isInPixels ||= right > 1 || bottom > 1;
  }
  return isInPixels && inOrder * YOLOV10.columns * 2 > rows.length;
}
