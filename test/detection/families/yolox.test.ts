import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutputTensor } from '../../../src/detection/families/family.js';
import { detect, modelOf, read, rounded, tensor } from '../../helpers/families.js';

const model = modelOf('yolox', [64, 32], { strides: [8, 16] });
const CELLS = 8 * 4 + 4 * 2;
const COLUMNS = 7;
const PICTURE = [640, 320] as const;

/** Rows of zeros save those given: cell index to [x, y, w, h, objectness, classes...]. */
function rows(filled: Record<number, readonly number[]>): OutputTensor[] {
  const data = new Float32Array(CELLS * COLUMNS);
  for (const [cell, values] of Object.entries(filled)) data.set(values, Number(cell) * COLUMNS);
  return [tensor([1, CELLS, COLUMNS], data)];
}

describe('yolox', () => {
  it('decodes centre and log size of a cell into pixels of the picture', () => {
    // Cell (2, 1) of stride 8: centre at (20, 12) of the input, 16 x 8.
    const [found, ...others] = detect(model, rows({ [1 * 8 + 2]: [0.5, 0.5, Math.log(2), 0, 0.9, 0.1, 0.8] }), PICTURE);
    assert.equal(others.length, 0);
    assert.deepEqual(found!.box.map(Math.round), [120, 80, 160, 80]);
    assert.deepEqual([found!.classId, found!.label], [1, 'b']);
    assert.ok(Math.abs(found!.score - 0.72) < 1e-6);
  });

  it('reads the grids in the order of their strides', () => {
    const [found] = detect(model, rows({ [32 + 4 + 1]: [0.5, 0.5, 0, 0, 1, 1, 0] }), PICTURE);
    assert.deepEqual(found!.box.map(Math.round), [160, 160, 160, 160]);
  });

  it('takes pixels as they are from an export that decodes itself', () => {
    const [found] = detect({ ...model, decoded: true }, rows({ 0: [32, 16, 10, 10, 1, 1, 0] }), PICTURE);
    assert.deepEqual(found!.box.map(Math.round), [270, 110, 100, 100]);
  });

  it('clips boxes to the picture and ignores rows that are weak, NaN or infinite outside', () => {
    const found = detect(
      model,
      rows({
        0: [0, 0, 3, 3, 1, 1, 0],
        5: [0, 0, 0, 0, 0.2, 0.2, 0],
        9: [NaN, 0, 0, 0, 1, 1, 0],
        12: [0, 0, 0, 0, NaN, 1, 0],
        20: [1e9, 0, 0, 0, 1, 1, 0],
      }),
      PICTURE,
    );
    assert.equal(found.length, 1);
    const [x, y, width, height] = found[0]!.box;
    assert.ok(x === 0 && y === 0 && x + width <= 640 && y + height <= 320);
  });

  it('finds nothing where every value is NaN or infinite', () => {
    for (const value of [NaN, Infinity, -Infinity])
      assert.deepEqual(detect(model, [tensor([1, CELLS, COLUMNS], new Float32Array(CELLS * COLUMNS).fill(value))], PICTURE), []);
  });

  it('divides by one ratio and keeps what lies in the padding out', () => {
    // A picture of 100 x 80 at the top left of 64 x 32: 40 x 32.
    const found = detect({ ...model, decoded: true }, rows({ 0: [10, 10, 8, 4, 1, 1, 0], 1: [50, 10, 8, 4, 1, 1, 0] }), [100, 80]);
    assert.deepEqual(
      found.map(({ box }) => rounded(box)),
      [[15, 20, 20, 10]],
    );
  });

  it('tells classes, strides and whether pixels are given from the output', () => {
    assert.deepEqual(read(model, rows({})), { classes: 2, strides: [8, 16], decoded: false, isAmbiguous: false });
    const pixels = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [i, [8 * (i % 8) + 4, 0, 0, 0, 0, 0, 0]]));
    const decoded = {
      ...pixels,
      ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [32 + i, [16 * (i % 4) + 8, 0, 0, 0, 0, 0, 0]])),
    };
    assert.equal(read(model, rows(decoded))?.decoded, true);
    assert.equal(read(model, [{ ...rows(decoded)[0]!, name: 'outputs' }])?.isAmbiguous, true);
    for (const other of [
      [],
      [tensor([1, 41, 7])],
      [tensor([1, 40, 5])],
      [tensor([2, 40, 7])],
      [tensor([40, 7])],
      [...rows({}), ...rows({})],
    ])
      assert.equal(read(model, other), undefined);
  });
});
