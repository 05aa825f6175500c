import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { yolox } from '../../src/detection/yolox.js';
import { suppressOverlaps } from '../../src/detection/nms.js';
import { iou } from '../../src/detection/boxes.js';
import type { Detection } from '../../src/media/index.js';
import type { ModelDescription } from '../../src/detection/index.js';
import { seededRandom } from '../helpers/random.js';

const model: ModelDescription = {
  name: 'm', family: 'yolox', onnxPath: '', inputWidthPx: 64, inputHeightPx: 32, strides: [8, 16], labels: ['a', 'b'], scoreThreshold: 0.4, nmsIou: 0.45, decoded: false,
};
const CELLS = 8 * 4 + 4 * 2;
const COLUMNS = 7;
const picture = { widthPx: 640, heightPx: 320, ratio: 0.1 };

/** Rows of zeros save those given: cell index to [x, y, w, h, objectness, classes...]. */
function rows(filled: Record<number, readonly number[]>): { dims: number[]; data: Float32Array }[] {
  const data = new Float32Array(CELLS * COLUMNS);
  for (const [cell, values] of Object.entries(filled)) data.set(values, Number(cell) * COLUMNS);
  return [{ dims: [1, CELLS, COLUMNS], data }];
}

describe('yolox', () => {
  it('decodes centre and log size of a cell into pixels of the picture', () => {
    // Cell (2, 1) of stride 8: centre at (20, 12) of the input, 16 x 8.
    const [found, ...others] = yolox(model).decode(rows({ [1 * 8 + 2]: [0.5, 0.5, Math.log(2), 0, 0.9, 0.1, 0.8] }), picture, 0.1);
    assert.equal(others.length, 0);
    assert.deepEqual(found!.box.map(Math.round), [120, 80, 160, 80]);
    assert.deepEqual([found!.classId, found!.label], [1, 'b']);
    assert.ok(Math.abs(found!.score - 0.72) < 1e-6);
  });

  it('reads the grids in the order of their strides', () => {
    const [found] = yolox(model).decode(rows({ [32 + 4 + 1]: [0.5, 0.5, 0, 0, 1, 1, 0] }), picture, 0.1);
    assert.deepEqual(found!.box.map(Math.round), [160, 160, 160, 160]);
  });

  it('takes pixels as they are from an export that decodes itself', () => {
    const [found] = yolox({ ...model, decoded: true }).decode(rows({ 0: [32, 16, 10, 10, 1, 1, 0] }), picture, 0.1);
    assert.deepEqual(found!.box.map(Math.round), [270, 110, 100, 100]);
  });

  it('clips boxes to the picture and ignores rows that are weak, NaN or infinite outside', () => {
    const found = yolox(model).decode(
      rows({ 0: [0, 0, 3, 3, 1, 1, 0], 5: [0, 0, 0, 0, 0.2, 0.2, 0], 9: [NaN, 0, 0, 0, 1, 1, 0], 12: [0, 0, 0, 0, NaN, 1, 0], 20: [1e9, 0, 0, 0, 1, 1, 0] }),
      picture,
      0.1,
    );
    assert.equal(found.length, 1);
    const [x, y, width, height] = found[0]!.box;
    assert.ok(x === 0 && y === 0 && x + width <= 640 && y + height <= 320);
  });

  it('says which shape it expects of an output that does not fit', () => {
    assert.equal(yolox(model).mismatch(rows({})), undefined);
    assert.match(yolox(model).mismatch([{ dims: [1, 40, 85], data: new Float32Array(0) }])!, /one output \[1,40,7\], this one has \[1,40,85\]/);
    assert.match(yolox(model).mismatch([])!, /this one has none/);
  });
});

describe('suppressOverlaps', () => {
  it('keeps no two boxes of a class that overlap more than allowed, and loses none that does not', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 50; round++) {
      const all: Detection[] = Array.from({ length: 40 }, () => ({ box: [random() * 100, random() * 100, 5 + random() * 50, 5 + random() * 50], classId: Math.floor(random() * 2), label: '', score: random() }));
      const kept = suppressOverlaps(all, 0.45);
      for (const a of kept) for (const b of kept) assert.ok(a === b || a.classId !== b.classId || iou(a.box, b.box) <= 0.45);
      for (const lost of all.filter((one) => !kept.includes(one))) {
        assert.ok(kept.some((other) => other.classId === lost.classId && other.score >= lost.score && iou(other.box, lost.box) > 0.45));
      }
    }
  });
});
