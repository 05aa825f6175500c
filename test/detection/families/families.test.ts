/** Each family on tensors made by hand: boxes whose place in the picture can be told on paper. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES } from '../../../src/detection/families/index.js';
import type { OutputTensor } from '../../../src/detection/families/family.js';
import { FAMILY_NAMES, type FamilyName } from '../../../src/detection/families/names.js';
import { IMAGENET } from '../../../src/detection/input-layout.js';
import { detect, modelOf, read, rounded, tensor } from '../../helpers/families.js';

/** 64 x 64 in a letterbox: half size, 16 rows above and below. */
const WIDE = [128, 64] as const;
const SIZE = [64, 64] as const;
/** The logit of 0.9, and one whose sigmoid is next to nothing. */
const LOGIT_09 = Math.log(9);
const NEVER = -20;

/** Values at their places, zeros elsewhere. */
function sparse(dims: readonly number[], values: Readonly<Record<number, number>>, name?: string): OutputTensor {
  const output = tensor(dims, [], name);
  for (const [at, value] of Object.entries(values)) output.data[Number(at)] = value;
  return output;
}

function filled(dims: readonly number[], value: number, name?: string): OutputTensor {
  const output = tensor(dims, [], name);
  output.data.fill(value);
  return output;
}

describe('yolov5', () => {
  const model = modelOf('yolov5', SIZE);

  it('reads centre and size in pixels of a letterbox in the middle', () => {
    const rows = sparse([1, 252, 7], { 700: 32, 701: 32, 702: 16, 703: 8, 704: 0.9, 705: 0.1, 706: 0.8 });
    const [found, ...others] = detect(model, [rows], WIDE);
    assert.equal(others.length, 0);
    assert.deepEqual([rounded(found!.box), found!.label, found!.score.toFixed(3)], [[48, 24, 32, 16], 'b', '0.720']);
  });

  it('is told by three rows a cell, and not by one', () => {
    assert.deepEqual(read(model, [tensor([1, 252, 7])]), { classes: 2, strides: [8, 16, 32], isAmbiguous: false });
    assert.equal(read(model, [tensor([1, 84, 7])])?.isAmbiguous, true);
    assert.equal(read(model, [tensor([1, 253, 7])]), undefined);
  });
});

describe('relatives of yolov5', () => {
  const model = modelOf('yolov5', SIZE);

  it('passes over the grids that older exports give beside the rows', () => {
    const grids = [8, 4, 2].map((side) => tensor([1, 3, side, side, 7]));
    assert.deepEqual(read(model, [tensor([1, 252, 7]), ...grids])?.classes, 2);
    assert.equal(detect(model, [sparse([1, 252, 7], { 700: 32, 701: 32, 702: 16, 703: 8, 704: 0.9, 706: 0.8 }), ...grids], WIDE).length, 1);
  });

  it('is YOLOv6, and no YOLOX, where the objectness is always one', () => {
    const rows = Object.fromEntries(Array.from({ length: 84 }, (_, row) => [7 * row + 4, 1]));
    assert.equal(read(model, [sparse([1, 84, 7], rows)])?.isAmbiguous, false);
    assert.equal(read(modelOf('yolox', SIZE), [sparse([1, 84, 7], rows)])?.isAmbiguous, true);
  });

  it('scores the only class by objectness where there are anchors, for it is not trained, and by both where there are none', () => {
    const one = modelOf('yolov5', SIZE, { labels: ['only'] });
    const row = [32, 32, 16, 8, 0.9, 0.5];
    for (const [cells, score] of [
      [252, '0.90'],
      [84, '0.45'],
    ] as const)
      assert.equal(detect(one, [tensor([1, cells, 6], row)], WIDE)[0]?.score.toFixed(2), score);
  });
});

describe('yolov8', () => {
  const model = modelOf('yolov8', SIZE);

  it('reads columns of centre, size and classes without objectness', () => {
    const [found, ...others] = detect(model, [sparse([1, 6, 84], { 10: 32, 94: 32, 178: 16, 262: 8, 346: 0.2, 430: 0.7 })], WIDE);
    assert.equal(others.length, 0);
    assert.deepEqual([rounded(found!.box), found!.classId, found!.score.toFixed(3)], [[48, 24, 32, 16], 1, '0.700']);
  });

  it('suppresses overlaps of a class alone, and clips to the picture', () => {
    const columns: Record<number, number> = {};
    [
      [20, 20, 16, 8, 0.9, 0],
      [21, 20, 16, 8, 0.8, 0],
      [20, 20, 16, 8, 0, 0.7],
      [0, 16, 20, 20, 0, 0.6],
    ].forEach((values, i) => values.forEach((value, row) => (columns[row * 84 + i] = value)));
    const found = detect(model, [sparse([1, 6, 84], columns)], WIDE);
    assert.deepEqual(
      found.map(({ box, classId }) => [rounded(box), classId]),
      [
        [[24, 0, 32, 16], 0],
        [[24, 0, 32, 16], 1],
        [[0, 0, 20, 20], 1],
      ],
    );
  });

  it('keeps a score that just reaches the threshold', () => {
    assert.equal(detect(model, [sparse([1, 6, 84], { 10: 32, 94: 32, 178: 16, 262: 8, 346: 0.1 })], WIDE, 0.1).length, 1);
  });
});

describe('yolov9', () => {
  it('reads the last of several outputs alike, the branch that matters', () => {
    const model = modelOf('yolov8', SIZE);
    const column = (score: number): OutputTensor => sparse([1, 6, 84], { 10: 32, 94: 32, 178: 16, 262: 8, 430: score });
    assert.deepEqual(read(model, [column(0.7), column(0.8)]), { classes: 2, strides: [8, 16, 32] });
    assert.equal(detect(model, [column(0.7), column(0.8)], WIDE)[0]?.score.toFixed(2), '0.80');
  });
});

describe('yolo-end2end', () => {
  const model = modelOf('yolo-end2end', SIZE);

  it('reads the rows of YOLOv7, however few, with the number of the picture first and the score last', () => {
    assert.deepEqual(read(model, [tensor([0, 7])]), {});
    assert.deepEqual(detect(model, [tensor([0, 7])], WIDE), []);
    const [found, ...others] = detect(model, [tensor([1, 7], [0, 24, 28, 40, 36, 1, 0.9])], WIDE);
    assert.deepEqual([rounded(found!.box), found!.label, found!.score.toFixed(2), others.length], [[48, 24, 32, 16], 'b', '0.90', 0]);
  });

  it('is in doubt about rows that are no objects', () => {
    const row = [10, 10, 20, 20, 0.5, 1];
    for (const [at, value] of [
      [4, 1.5],
      [4, -0.1],
      [5, 0.5],
      [5, -1],
      [2, 5],
    ] as const) {
      assert.equal(
        read(model, [
          tensor(
            [1, 2, 6],
            row.map((old, i) => (i === at ? value : old)),
          ),
        ])?.isAmbiguous,
        true,
        `${value} at ${at}`,
      );
    }
  });

  it('reads corners, score and class as they are, overlapping or not', () => {
    const rows = tensor([1, 4, 6], [24, 28, 40, 36, 0.9, 1, 24, 28, 40, 36, 0.8, 1, 0, 0, 64, 64, 0.05, 0, 0, 0, 10, 20, 0.7, 5]);
    const found = detect(model, [rows], WIDE);
    assert.deepEqual(
      found.map(({ box, label }) => [rounded(box), label]),
      [
        [[48, 24, 32, 16], 'b'],
        [[48, 24, 32, 16], 'b'],
        [[0, 0, 20, 8], 'class 5'],
      ],
    );
  });

  it('takes any number of rows, save those that other families have', () => {
    const values = [10, 10, 20, 20, 0.5, 1];
    assert.equal(read(model, [tensor([1, 100, 6], values)])?.isAmbiguous, false);
    assert.equal(read(model, [tensor([1, 84, 6], values)])?.isAmbiguous, true);
    assert.equal(read(model, [tensor([1, 100, 7], values)]), undefined);
  });
});

describe('detr', () => {
  const model = modelOf('detr', SIZE);
  const expected = [[48, 24, 32, 16], 'b', '0.900'];

  it('reads labels, corners in pixels of the picture, and scores, with a batch axis or without', () => {
    for (const batch of [[1], []]) {
      const outputs = [
        tensor([...batch, 2], [1, 0], 'labels', 'int64'),
        tensor([...batch, 2, 4], [48, 24, 80, 40, 0, 0, 9, 9], 'boxes'),
        tensor([...batch, 2], [0.9, 0.05], 'scores'),
      ];
      assert.deepEqual(read(model, outputs, ['images', 'orig_target_sizes']), {});
      for (const ordered of [outputs, [...outputs].reverse()])
        assert.deepEqual(
          detect(model, ordered, WIDE).map(({ box, label, score }) => [rounded(box), label, score.toFixed(3)]),
          [expected],
        );
    }
  });

  it('reads logits and boxes relative to the picture', () => {
    const logits = tensor([1, 2, 2], [NEVER, LOGIT_09, NEVER, NEVER], 'logits');
    const boxes = tensor([1, 2, 4], [0.5, 0.5, 0.25, 0.25, 0, 0, 1, 1], 'pred_boxes');
    assert.deepEqual(
      detect(model, [logits, boxes], WIDE).map(({ box, label, score }) => [rounded(box), label, score.toFixed(3)]),
      [expected],
    );
    assert.deepEqual(detect(model, [boxes, logits], WIDE).length, 1);
  });

  it('is prepared as RF-DETR where classes have the numbers of COCO itself, and refuses the 92 that softmax reads', () => {
    const fit = (classes: number, name = 'logits'): unknown =>
      read(model, [tensor([1, 5, classes], [], name), tensor([1, 5, 4], [], name === 'logits' ? 'pred_boxes' : 'dets')]);
    assert.deepEqual(fit(80), { classes: 80, isAmbiguous: false });
    assert.deepEqual(fit(91), { classes: 91, isAmbiguous: false, layout: IMAGENET });
    assert.deepEqual(fit(3, 'labels'), { classes: 3, isAmbiguous: false, layout: IMAGENET });
    assert.equal(fit(92), undefined);
  });

  it('reads rows of a relative box and probabilities', () => {
    const rows = tensor([1, 2, 6], [0.5, 0.5, 0.25, 0.25, 0.1, 0.9, 0, 0, 1, 1, 0.01, 0.02]);
    assert.deepEqual(
      detect(model, [rows], WIDE).map(({ box, label, score }) => [rounded(box), label, score.toFixed(3)]),
      [expected],
    );
  });
});

describe('fastestdet', () => {
  it('reads a grid of planes, boxes relative to the stretched picture', () => {
    const model = modelOf('fastestdet', SIZE);
    // Cell (1, 2) of 4 x 4; offset 0.5, half the width and a quarter of the height.
    const cell = 2 * 4 + 1;
    const planes = [0.9, Math.atanh(0.5), Math.atanh(0.5), 0, Math.log(1 / 3), 0.2, 0.8];
    const grid = sparse([1, 7, 4, 4], Object.fromEntries(planes.map((value, plane) => [plane * 16 + cell, value])));
    const [found, ...others] = detect(model, [grid], WIDE);
    assert.equal(others.length, 0);
    assert.deepEqual(
      [rounded(found!.box), found!.label, found!.score.toFixed(4)],
      [[16, 32, 64, 16], 'b', (0.9 ** 0.6 * 0.8 ** 0.4).toFixed(4)],
    );
  });
});

describe('yolo-fastestv2', () => {
  it('reads boxes relative to anchors, of both grids', () => {
    const model = modelOf('yolo-fastestv2', SIZE, {
      anchors: [
        [8, 8, 16, 8, 32, 32],
        [8, 8, 8, 8, 20, 40],
      ],
    });
    const level = (columns: number, cell: number, anchor: number): OutputTensor[] => {
      const cells = columns * columns;
      const objectness = filled([1, 3, columns, columns], NEVER);
      objectness.data[anchor * cells + cell] = LOGIT_09;
      // Zeros are the middle of the cell and the anchor's own size.
      return [tensor([1, 12, columns, columns]), objectness, sparse([1, 2, columns, columns], { [cells + cell]: 20 })];
    };
    const outputs = [...level(4, 5, 1), ...level(2, 3, 2)];
    assert.deepEqual(read(model, outputs), { classes: 2 });
    // Centres (24, 24) with 16 x 8, and (48, 48) with 20 x 40 cut off at the bottom.
    assert.deepEqual(
      detect(model, outputs, WIDE).map(({ box, label, score }) => [rounded(box), label, score.toFixed(3)]),
      [
        [[32, 20, 32, 8], 'b', '0.900'],
        [[76, 28, 40, 36], 'b', '0.900'],
      ],
    );
  });
});

describe('nanodet', () => {
  it('reads the expected distance of each side from the middle of a cell', () => {
    const model = modelOf('nanodet', SIZE);
    const classes = [64, 16, 4].map((cells) => tensor([1, cells, 2], [], `cls_pred_${cells}`));
    const distances = [64, 16, 4].map((cells) => tensor([1, cells, 32], [], `dis_pred_${cells}`));
    // Cell (1, 2) of stride 16, centre (23.5, 39.5): sides of 1, 0, 2 and 1 strides; the picture ends 17 pixels below the top.
    const cell = 2 * 4 + 1;
    classes[1]!.data[2 * cell + 1] = 0.9;
    [1, 0, 2, 1].forEach((bin, side) => (distances[1]!.data[32 * cell + 8 * side + bin] = 50));
    for (const outputs of [[...classes, ...distances], [...distances, ...classes].reverse()]) {
      assert.deepEqual(read(model, outputs), { classes: 2, strides: [8, 16, 32] });
      assert.deepEqual(
        detect(model, outputs, WIDE).map(({ box, label }) => [rounded(box), label]),
        [[[15, 47, 96, 17], 'b']],
      );
    }
  });
});

describe('nanodet-plus', () => {
  const classes = 2;
  const columns = classes + 32;
  /** A row of the cell: its second class, and sides of 1, 0, 2 and 1 strides. */
  const rowsWith = (rows: number, row: number): OutputTensor => {
    const values: Record<number, number> = { [columns * row + 1]: 0.9 };
    [1, 0, 2, 1].forEach((bin, side) => (values[columns * row + classes + 8 * side + bin] = 50));
    return sparse([1, rows, columns], values, 'output');
  };

  it('reads rows of all strides, from the corners of cells, grids that jut out included, the picture stretched', () => {
    // 13 x 13, 7 x 7, 4 x 4 and 2 x 2 cells.
    const output = rowsWith(169 + 49 + 16 + 4, 169 + 2 * 7 + 1);
    const plain = modelOf('nanodet', [104, 104], { strides: [8, 16, 32, 64] });
    assert.deepEqual(read(plain, [output]), { classes, strides: [8, 16, 32, 64], isAmbiguous: false, layout: { fit: 'stretch' } });
    const model = { ...plain, input: { ...plain.input, fit: 'stretch' as const } };
    // Point (16, 32): from 0 to 48 across, from 32 to 48 down, of 104; the picture has 208 x 104.
    assert.deepEqual(
      detect(model, [output], [208, 104]).map(({ box, label }) => [rounded(box), label]),
      [[[0, 32, 96, 16], 'b']],
    );
  });

  it('reads rows of three strides from the middle of cells, in a letterbox', () => {
    const model = modelOf('nanodet', SIZE);
    const output = rowsWith(84, 64 + 2 * 4 + 1);
    assert.deepEqual(read(model, [output]), { classes, strides: [8, 16, 32], isAmbiguous: false });
    // Point (24, 40): from 8 to 56, from 40 to 56, of which the picture has 24 to 40 less the padding of 16.
    assert.deepEqual(
      detect(model, [rowsWith(84, 64 + 4 + 1)], WIDE).map(({ box }) => rounded(box)),
      [[16, 16, 96, 32]],
    );
    assert.equal(read(modelOf('yolox', SIZE), [output])?.isAmbiguous, true);
  });
});

/** Outputs that fit each family. */
const FITTING: Readonly<Record<FamilyName, readonly (readonly number[])[]>> = {
  yolox: [[1, 84, 7]],
  yolov5: [[1, 252, 7]],
  yolov8: [[1, 6, 84]],
  'yolo-end2end': [[1, 300, 6]],
  detr: [
    [1, 20, 2],
    [1, 20, 4],
  ],
  fastestdet: [[1, 7, 4, 4]],
  'yolo-fastestv2': [
    [1, 12, 4, 4],
    [1, 3, 4, 4],
    [1, 2, 4, 4],
    [1, 12, 2, 2],
    [1, 3, 2, 2],
    [1, 2, 2, 2],
  ],
  nanodet: [
    [1, 64, 2],
    [1, 16, 2],
    [1, 4, 2],
    [1, 64, 32],
    [1, 16, 32],
    [1, 4, 32],
  ],
};

describe('every family', () => {
  for (const family of FAMILY_NAMES) {
    const model = modelOf(family, SIZE);
    const shapes = FITTING[family];

    it(`${family} finds nothing in NaN and infinity, and nothing outside the picture`, () => {
      for (const value of [NaN, Infinity, -Infinity, 1e30, 0.9, -0.9, 40]) {
        for (const {
          box: [x, y, width, height],
          score,
        } of detect(
          model,
          shapes.map((dims) => filled(dims, value)),
          WIDE,
        )) {
          assert.ok(
            Number.isFinite(value) &&
              x >= 0 &&
              y >= 0 &&
              width > 0 &&
              height > 0 &&
              x + width <= 128.001 &&
              y + height <= 64.001 &&
              score <= 1,
            `${value}: ${[x, y, width, height, score].join()}`,
          );
        }
      }
    });

    it(`${family} takes its shapes and no others, and says which it takes`, () => {
      assert.ok(
        read(
          model,
          shapes.map((dims) => tensor(dims)),
        ),
      );
      for (const wrong of [
        [],
        shapes.slice(1),
        [...shapes, [1, 5, 5]],
        shapes.map((dims) => [2, ...dims.slice(1)]),
        shapes.map((dims) => [...dims, 1]),
        shapes.map((dims) => dims.map((size) => size + 1)),
      ]) {
        if (wrong.length > 0 || family !== 'detr')
          assert.equal(
            read(
              model,
              wrong.map((dims) => tensor(dims)),
            ),
            undefined,
            JSON.stringify(wrong),
          );
      }
      const { widthPx, heightPx } = model.input;
      for (const classes of [2, undefined])
        assert.doesNotMatch(FAMILIES[family].expects({ widthPx, heightPx }, classes, undefined), /NaN|undefined/);
    });
  }
});
