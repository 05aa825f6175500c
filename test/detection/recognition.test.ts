import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { inspectModel, type ModelInspection } from '../../src/detection/index.js';
import { projectRoot } from '../helpers/assets.js';
import { ModelFolder } from '../helpers/models.js';
import { onnxModel, pictureInput, type Graph } from '../helpers/onnx.js';

const folder = new ModelFolder();
after(() => folder.remove());

const YOLOV8 = { name: 'output0', dims: [1, 6, 84] };
const SIZE = { name: 'orig_target_sizes', type: 'int64', dims: ['n', 2] } as const;

async function inspect(graph: Graph, json: unknown = {}): Promise<ModelInspection> {
  return inspectModel(folder.write(json, onnxModel(graph)));
}

async function reason(graph: Graph, json: unknown = {}): Promise<string> {
  const inspection = await inspect(graph, json);
  assert.equal(inspection.model, undefined);
  return inspection.reason!;
}

describe('recognition', () => {
  for (const [what, outputs, family, classes] of [
    ['YOLOv8', [YOLOV8], 'yolov8', 2],
    ['YOLOv5', [{ name: 'output0', dims: [1, 252, 7] }], 'yolov5', 2],
    ['YOLOX', [{ name: 'output', dims: [1, 84, 7] }], 'yolox', 2],
    ['an end-to-end YOLO', [{ name: 'output0', dims: [1, 300, 6], values: [10, 10, 50, 50, 0.9, 3] }], 'yolo-end2end', 80],
    ["Ultralytics' RT-DETR", [{ name: 'output0', dims: [1, 300, 6 + 3] }], 'detr', 5],
    [
      'a transformer of Hugging Face',
      [
        { name: 'logits', dims: [1, 20, 3] },
        { name: 'pred_boxes', dims: [1, 20, 4] },
      ],
      'detr',
      3,
    ],
    [
      'RF-DETR',
      [
        { name: 'dets', dims: [1, 20, 4] },
        { name: 'labels', dims: [1, 20, 4] },
      ],
      'detr',
      4,
    ],
    ['FastestDet', [{ name: '758', dims: [1, 7, 4, 4] }], 'fastestdet', 2],
  ] as const) {
    it(`knows ${what} by its outputs`, async () => {
      const { model, reason: why } = await inspect({ inputs: [pictureInput(64)], outputs });
      assert.equal(why, undefined);
      assert.deepEqual([model?.family, model?.labels.length, model?.input.widthPx], [family, classes, 64]);
      assert.equal(model?.input.mean[0], what === 'RF-DETR' ? 0.485 : 0);
    });
  }

  it('knows a transformer with two inputs, whatever type its labels have', async () => {
    for (const type of ['int64', 'float32'] as const) {
      const outputs = [
        { name: 'labels', type, dims: [1, 5] },
        { name: 'boxes', dims: [1, 5, 4] },
        { name: 'scores', dims: [1, 5] },
      ];
      const { model, assumptions } = await inspect({ inputs: [pictureInput(64), SIZE], outputs });
      assert.equal(model?.family, 'detr');
      assert.match(assumptions.join(), /taken for the 80 of COCO/);
    }
  });

  it('prepares the picture for a DINOv3 backbone where the file has one', async () => {
    const outputs = [
      { name: 'labels', dims: [1, 5] },
      { name: 'boxes', dims: [1, 5, 4] },
      { name: 'scores', dims: [1, 5] },
    ];
    for (const [note, mean] of [
      ['model.backbone.dinov3.norm', 0.485],
      ['model.backbone.stages', 0],
    ] as const) {
      assert.equal((await inspect({ inputs: [pictureInput(64), SIZE], outputs, metadata: { note } })).model?.input.mean[0], mean);
    }
  });

  it('takes class names and the size of open inputs from what Ultralytics stored', async () => {
    const metadata = { names: "{0: 'person', 1: \"driver's seat\"}", imgsz: '[64, 64]', task: 'detect' };
    const { model, assumptions } = await inspect({ inputs: [pictureInput('side')], outputs: [YOLOV8], metadata });
    assert.deepEqual([model?.labels, model?.input.widthPx, assumptions], [['person', "driver's seat"], 64, []]);
  });

  it('numbers classes whose names nobody knows', async () => {
    const { model, assumptions } = await inspect({ inputs: [pictureInput(64)], outputs: [YOLOV8] });
    assert.deepEqual(model?.labels, ['class 0', 'class 1']);
    assert.match(assumptions.join(), /the names of its 2 classes are not known; write them to its JSON as "labels"/);
  });

  it('assumes 640 pixels of an open input, and says so when that is wrong', async () => {
    assert.match(
      await reason({ inputs: [pictureInput('side')], outputs: [YOLOV8] }, { family: 'yolov8' }),
      /of 640x640 has one output \[1,4\+classes,8400\].*\[1,6,84\]/,
    );
    const { model } = await inspect({ inputs: [pictureInput('side')], outputs: [YOLOV8] }, { input: { width: 64, height: 64 } });
    assert.equal(model?.input.widthPx, 64);
  });

  it('names the candidates and the JSON to write where several families fit', async () => {
    const values = Array.from({ length: 84 * 7 }, () => 0);
    for (let i = 0; i < 64; i++) values[7 * i] = 8 * (i % 8) + 4;
    for (let i = 0; i < 16; i++) values[7 * (64 + i)] = 16 * (i % 4) + 8;
    const graph: Graph = { inputs: [pictureInput(64)], outputs: [{ name: 'outputs', dims: [1, 84, 7], values }] };
    assert.match(
      await reason(graph),
      /yolox \(YOLOX\) or of yolov5 .*Write .*model\.json .*\{"family":"yolox","input":\{"width":64,"height":64\},"labels":\["first class",\.\.\.\]\}/,
    );
    assert.equal((await inspect(graph, { family: 'yolov5' })).model?.family, 'yolov5');
    assert.deepEqual((await inspect(graph, { family: 'yolox' })).model?.decoded, true);
  });

  it('numbers the classes of COCO as COCO itself where there are 91, also where its JSON says coco', async () => {
    const graph: Graph = {
      inputs: [pictureInput(64)],
      outputs: [
        { name: 'dets', dims: [1, 20, 4] },
        { name: 'labels', dims: [1, 20, 91] },
      ],
    };
    for (const json of [{}, { labels: 'coco' }]) {
      const { model, reason: why } = await inspect(graph, json);
      assert.equal(why, undefined);
      assert.deepEqual(
        [1, 11, 12, 13, 90].map((id) => model?.labels[id]),
        ['person', 'fire hydrant', 'class 12', 'stop sign', 'toothbrush'],
      );
    }
  });

  it('refuses a YOLOX of one class with cells that nobody knows rather than take it for an end-to-end YOLO', async () => {
    const { reason: why } = await inspectModel(folder.copy(path.join(projectRoot, 'test/fixtures/frame-number.onnx')));
    assert.match(why ?? '', /may be those of yolo-end2end.*Write .*json/);
  });

  it('knows an end-to-end YOLO that sees nothing by what its exporter stored', async () => {
    const outputs = [{ name: 'output0', dims: [1, 300, 6] }];
    for (const metadata of [{ end2end: 'True' }, { args: "{'batch': 1, 'nms': True}" }])
      assert.equal((await inspect({ inputs: [pictureInput(64)], outputs, metadata })).model?.family, 'yolo-end2end');
  });

  it('takes class names from a list, as older YOLOv5 stores them', async () => {
    const { model } = await inspect({
      inputs: [pictureInput(64)],
      outputs: [{ name: 'output', dims: [1, 252, 7] }],
      metadata: { names: "['hat', \"driver's seat\"]" },
    });
    assert.deepEqual(model?.labels, ['hat', "driver's seat"]);
  });

  it('says what it refuses: grids that are not decoded, boxes apart from scores, transformers that want softmax', async () => {
    const of = (...shapes: readonly (readonly number[])[]): Graph => ({
      inputs: [pictureInput(64)],
      outputs: shapes.map((dims, i) => ({ name: `o${i}`, dims })),
    });
    assert.match(await reason(of([1, 3, 8, 8, 7], [1, 3, 4, 4, 7], [1, 3, 2, 2, 7])), /export it with --grid/);
    assert.match(await reason(of([1, 1344, 80], [1, 1344, 4])), /as DAMO-YOLO and YOLO-NAS give them, are not read$/);
    assert.match(await reason(of([1, 100, 92], [1, 100, 4])), /looks like DETR or YOLOS/);
  });

  it('refuses what PaddleDetection exports, and segmentation by transformers, by name', async () => {
    const outputs = [{ name: 'a', dims: [1, 6] }];
    assert.match(
      await reason({
        inputs: [
          { name: 'image', dims: [1, 3, 64, 64] },
          { name: 'scale_factor', dims: [1, 2] },
        ],
        outputs,
      }),
      /a model of PaddleDetection/,
    );
    const masks = [
      { name: 'dets', dims: [1, 20, 4] },
      { name: 'labels', dims: [1, 20, 91] },
      { name: 'masks', dims: [1, 20, 16, 16] },
    ];
    assert.match(await reason({ inputs: [pictureInput(64)], outputs: masks }), /looks like a segmentation model/);
  });

  it('says which family would fit when the JSON names another', async () => {
    assert.match(
      await reason({ inputs: [pictureInput(64)], outputs: [YOLOV8] }, { family: 'yolox' }),
      /a yolox model .* has one output \[1,84,5\+classes\].*this one has output0 float32 \[1,6,84\], which is what the family 'yolov8' gives/,
    );
  });

  it('refuses models of other tasks by what they look like or say they are', async () => {
    const of = (dims: readonly number[]): Graph => ({ inputs: [pictureInput(64)], outputs: [{ name: 'out', dims }] });
    assert.match(await reason(of([1, 1000])), /looks like a classifier of 1000 classes, a detection model is needed$/);
    assert.match(await reason(of([1, 1000, 1, 1]), { family: 'yolov8' }), /looks like a classifier of 1000 classes/);
    assert.match(
      await reason({
        inputs: [pictureInput(64)],
        outputs: [
          { name: 'a', dims: [1, 38, 84] },
          { name: 'b', dims: [1, 32, 16, 16] },
        ],
      }),
      /looks like a segmentation model/,
    );
    assert.match(
      await reason({ inputs: [pictureInput(64)], outputs: [YOLOV8], metadata: { task: 'pose' } }),
      /it is a pose model \(its task is 'pose'\)/,
    );
    assert.match(await reason(of([1, 3, 5, 7])), /no known family gives such outputs: out float32 \[1,3,5,7\]/);
  });

  it('says that a model gives no numbers', async () => {
    const { assumptions } = await inspect({
      inputs: [pictureInput(64)],
      outputs: [{ ...YOLOV8, values: Array.from({ length: 6 * 84 }, () => NaN) }],
    });
    assert.match(assumptions.join(), /not numbers \(NaN\), .*export it again/);
  });

  it('refuses inputs that no picture fits, saying what is taken', async () => {
    const outputs = [YOLOV8];
    for (const [inputs, message] of [
      [[pictureInput(64, 'uint8')], /of type uint8, float32 or float16 is expected/],
      [[{ name: 'x', dims: [1, 64, 64, 3] }], /channels last/],
      [[{ name: 'x', dims: [1, 1, 64, 64] }], /1 channels, 3 are expected/],
      [[{ name: 'x', dims: [8, 3, 64, 64] }], /8 pictures at once/],
      [[{ name: 'x', dims: [1, 64] }], /takes one picture.*this one takes x float32 \[1,64\]/],
      [[pictureInput(64), { name: 'mask', dims: [1, 64] }], /second input is the picture's size/],
      [[pictureInput(64), pictureInput(64)].map((input, i) => ({ ...input, name: `i${i}` })), /takes one picture/],
    ] as const) {
      assert.match(await reason({ inputs, outputs }), message);
    }
  });

  it('looks at float16 models', async () => {
    const { model } = await inspect({ inputs: [pictureInput(64, 'float16')], outputs: [{ ...YOLOV8, type: 'float16' }] });
    assert.equal(model?.family, 'yolov8');
  });
});
