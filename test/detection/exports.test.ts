/** Exports as their tools make them, opened without a JSON and with one: an object lies where it lies in the picture. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { Detector } from '../../src/detection/index.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { rounded } from '../helpers/families.js';
import { ModelFolder } from '../helpers/models.js';
import { onnxModel, type Graph, type GraphInput } from '../helpers/onnx.js';
import { plainPicture } from '../helpers/pictures.js';

const folder = new ModelFolder();
const ledger = new ResourceLedger();
after(() => {
  folder.remove();
  assert.equal(ledger.snapshot().workers, 0);
});

/** The input is 96 x 64, the picture 384 x 192: a quarter of it and 8 rows of padding above and below, or stretched. */
const PICTURE = plainPicture(384, 192);
const BOX = [96, 48, 192, 96];
/** The box in a letterbox in the middle: centre and size, corners. */
const CENTRED = [48, 32, 48, 24];
const CORNERS = [24, 20, 72, 44];
const CELLS = 96 + 24 + 6;
const OPEN: GraphInput = { name: 'images', dims: ['batch', 3, 'height', 'width'] };
const FIXED: GraphInput = { name: 'images', dims: [1, 3, 64, 96] };
const SIZE: GraphInput = { name: 'orig_target_sizes', type: 'int64', dims: ['N', 2] };

function scattered(values: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: Math.max(...Object.keys(values).map(Number)) + 1 }, (_, i) => values[i] ?? 0);
}

/** One cell of YOLOv8: its numbers stand a plane each. */
function column(values: readonly number[]): number[] {
  return scattered(Object.fromEntries(values.map((value, plane) => [plane * CELLS, value])));
}

/** Bits of 16-bit floats: 48, 32, 48, 24, 1, 0.75. */
const HALVES = [0x5200, 0x5000, 0x5200, 0x4e00, 0x3c00, 0x3a00];
/** Classes, then sides of 3, 2, 3 and 2 cells of 8 pixels. */
const NANODET = { 1: 0.75, [2 + 3]: 50, [2 + 8 + 2]: 50, [2 + 16 + 3]: 50, [2 + 24 + 2]: 50 };

const EXPORTS: Readonly<Record<string, { readonly family: string; readonly graph: Graph; readonly classId: number }>> = {
  'YOLOv8, not square': {
    family: 'yolov8',
    classId: 1,
    graph: { inputs: [FIXED], outputs: [{ name: 'output0', dims: [1, 6, CELLS], values: column([...CENTRED, 0.1, 0.75]) }] },
  },
  'YOLO11 of one class, with open sizes': {
    ...{ family: 'yolov8', classId: 0 },
    graph: {
      inputs: [OPEN],
      outputs: [{ name: 'output0', dims: [1, 5, CELLS], values: column([...CENTRED, 0.75]) }],
      metadata: { imgsz: '[64, 96]', names: "{0: 'thing'}", task: 'detect' },
    },
  },
  'YOLOv5 in half precision': {
    family: 'yolov5',
    classId: 0,
    graph: {
      inputs: [{ ...FIXED, type: 'float16' }],
      outputs: [{ name: 'output0', type: 'float16', dims: [1, 3 * CELLS, 7], values: HALVES }],
    },
  },
  YOLOv6: {
    ...{ family: 'yolov5', classId: 0 },
    graph: {
      inputs: [FIXED],
      outputs: [
        {
          name: 'outputs',
          dims: [1, CELLS, 7],
          values: Array.from({ length: CELLS }, (_, i) => (i === 0 ? [...CENTRED, 1, 0.75, 0] : [0, 0, 0, 0, 1, 0, 0])).flat(),
        },
      ],
    },
  },
  'YOLOv7 with --end2end --max-wh': {
    family: 'yolo-end2end',
    classId: 3,
    graph: { inputs: [FIXED], outputs: [{ name: 'output', dims: [1, 7], values: [0, ...CORNERS, 3, 0.75] }] },
  },
  'YOLOv10, by what its exporter stored': {
    family: 'yolo-end2end',
    classId: 3,
    graph: {
      inputs: [FIXED],
      outputs: [{ name: 'output0', dims: [1, 300, 6], values: [...CORNERS, 0.75, 3] }],
      metadata: { end2end: 'True' },
    },
  },
  'D-FINE with an open batch': {
    ...{ family: 'detr', classId: 2 },
    graph: {
      inputs: [{ name: 'images', dims: ['N', 3, 64, 96] }, SIZE],
      outputs: [
        { name: 'labels', type: 'int64', dims: [1, 3], values: [2] },
        { name: 'boxes', dims: [1, 3, 4], values: [96, 48, 288, 144] },
        { name: 'scores', dims: [1, 3], values: [0.75] },
      ],
    },
  },
  'RT-DETR of Hugging Face': {
    ...{ family: 'detr', classId: 1 },
    graph: {
      inputs: [{ ...FIXED, name: 'pixel_values' }],
      outputs: [
        { name: 'logits', dims: [1, 1, 80], values: [0, Math.log(3)] },
        { name: 'pred_boxes', dims: [1, 1, 4], values: [0.5, 0.5, 0.5, 0.5] },
      ],
    },
  },
  'RF-DETR': {
    ...{ family: 'detr', classId: 1 },
    graph: {
      inputs: [{ ...FIXED, name: 'input' }],
      outputs: [
        { name: 'dets', dims: [1, 1, 4], values: [0.5, 0.5, 0.5, 0.5] },
        { name: 'labels', dims: [1, 1, 91], values: [0, Math.log(3)] },
      ],
    },
  },
  'NanoDet-Plus': {
    ...{ family: 'nanodet', classId: 1 },
    graph: {
      inputs: [{ ...FIXED, name: 'data' }],
      outputs: [
        {
          name: 'output',
          dims: [1, CELLS + 2, 34],
          values: scattered(Object.fromEntries(Object.entries(NANODET).map(([at, value]) => [34 * (4 * 12 + 6) + Number(at), value]))),
        },
      ],
    },
  },
};

describe('an export of', () => {
  for (const [name, { family, graph, classId }] of Object.entries(EXPORTS)) {
    it(`${name} shows an object where it lies, without a JSON and with one`, async () => {
      for (const json of [{}, { family, input: { width: 96, height: 64 } }]) {
        const detector = await Detector.open({
          modelPath: folder.write(json, onnxModel(graph)),
          clock: systemClock(ledger),
          logger: silentLogger,
          ledger,
        });
        try {
          assert.equal(detector.model.family, family);
          const [found, ...others] = (await detector.detect(PICTURE)).detections.filter(({ score }) => score > 0.6);
          assert.deepEqual([rounded(found!.box), found!.classId, found!.score.toFixed(2), others.length], [BOX, classId, '0.75', 0]);
        } finally {
          await detector.close();
        }
      }
    });
  }
});
