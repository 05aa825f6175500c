/**
 * The detector that reads the number in the pictures of a numbered clip: a few lines of arithmetic as ONNX, in the
 * contract of YOLOX (`scripts/fixtures/frame_number_model.py`). Its one box says the number, so that a picture as shown
 * and the box that came with it can be compared.
 */
import path from 'node:path';
import type { Box } from '../../src/media/index.js';
import { projectRoot } from './assets.js';

/** For `MODEL`. */
export const FRAME_NUMBER_MODEL = path.join(projectRoot, 'test/fixtures/frame-number.json');

/** Of number 0's box, in a picture that is 640 pixels wide; lower than the cells, so that what is drawn spares them. */
const LEFT = 16;
const TOP = 116;
/** What a step to the right, and a row of 64 numbers down, is worth. Small: the tracker sees one object that moves. */
const STEP = 4;
const COLUMNS = 64;

/** The number that a box says; undefined where it is none of the model's. */
export function numberOfBox([x, y]: Box, pictureWidthPx: number): number | undefined {
  const scale = 640 / pictureWidthPx;
  const column = (x * scale - LEFT) / STEP;
  const row = (y * scale - TOP) / STEP;
  const isExact = [column, row].every((value) => value > -0.1 && value < COLUMNS && Math.abs(value - Math.round(value)) < 0.1);
  return isExact ? Math.round(row) * COLUMNS + Math.round(column) : undefined;
}

/** The box that says a number, in a picture that is 640 pixels wide. */
export function boxOfNumber(number: number): Box {
  return [LEFT + (number % COLUMNS) * STEP, TOP + Math.floor(number / COLUMNS) * STEP, 40, 40];
}
