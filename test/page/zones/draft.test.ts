import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { draftOf, freeId, sameDraft, zonesOf } from '../../../src/page/zones/draft.js';
import { addedCorner, flipped, movedCorner, movedShape, removedCorner } from '../../../src/page/zones/edits.js';
import { faultsOf, placed } from '../../../src/page/zones/faults.js';
import { changed, historyOf, redone, undone } from '../../../src/page/zones/history.js';

const SIZE = { width: 1280, height: 720 };
const GATE = {
  id: 'gate',
  polygon: [
    [421, 300],
    [860, 300],
    [860, 701],
    [420, 700],
    [421, 300],
  ],
  classes: ['person'],
  min_dwell_ms: 2000,
};
const ROAD = { id: 'road', from: [640, 720], to: [640, 0], min_score: 0.5 };

describe('zones that are edited', () => {
  it('are written as they were read where nobody touched them, so that they keep their counts', () => {
    const draft = draftOf({ zones: [GATE], lines: [ROAD], always: true, anchor: 'centre' }, SIZE);
    assert.deepEqual(zonesOf(draft, SIZE), { units: 'pixels', anchor: 'centre', always: true, zones: [GATE], lines: [ROAD] });
    assert.equal(draft.shapes[0]?.points.length, 4, 'one that ends where it began has no corner twice');
    const moved = draft.shapes.map((shape) => (shape.id === 'gate' ? movedCorner(shape, 0, [0.5, 0.5]) : shape));
    const written = zonesOf({ ...draft, shapes: moved }, SIZE);
    assert.deepEqual(written.zones?.[0]?.polygon, [
      [640, 360],
      [860, 300],
      [860, 701],
      [420, 700],
    ]);
    assert.deepEqual(written.lines, [ROAD]);
  });

  it('begin in fractions where there are none, which fit a picture of any size', () => {
    const draft = draftOf({ zones: [], lines: [] }, undefined);
    assert.equal(draft.units, 'fraction');
    const shape = {
      key: 1,
      kind: 'line' as const,
      id: 'a',
      points: [
        [1 / 3, 0],
        [1, 1],
      ] as const,
      classes: [],
      minScore: 0,
      minDwellMs: 0,
    };
    assert.deepEqual(zonesOf({ ...draft, shapes: [shape] }, undefined).lines, [{ id: 'a', from: [0.3333, 0], to: [1, 1] }]);
    assert.equal(freeId([shape, { ...shape, id: 'zone-1' }], 'zone'), 'zone-2');
  });

  it('get and lose corners, but a zone keeps three and a line two', () => {
    const [gate, road] = draftOf({ zones: [GATE], lines: [ROAD] }, SIZE).shapes;
    assert.ok(gate && road);
    const more = addedCorner(gate, 3);
    assert.equal(more.points.length, 5);
    const three = removedCorner(removedCorner(more, 4), 0);
    assert.equal(three.points.length, 3);
    assert.equal(removedCorner(three, 0), three);
    assert.equal(addedCorner(road, 0), road);
    assert.equal(removedCorner(road, 0), road);
    assert.deepEqual(flipped(road).points, [
      [0.5, 0],
      [0.5, 1],
    ]);
    assert.deepEqual(
      movedShape(road, [0.1, 0.3]).points,
      [
        [0.6, 1],
        [0.6, 0],
      ],
      'not beyond the picture',
    );
  });

  it('are told apart from what is saved by what would be written', () => {
    const draft = draftOf({ zones: [GATE] }, SIZE);
    const there = draft.shapes.map((shape) => movedCorner(shape, 0, [0.7, 0.7]));
    const back = there.map((shape) => movedCorner(shape, 0, [421 / 1280, 300 / 720]));
    assert.equal(sameDraft(draft, { ...draft, shapes: there }, SIZE), false);
    assert.equal(sameDraft(draft, { ...draft, shapes: back }, SIZE), true);
  });
});

describe('steps', () => {
  it('go back and forth, and one drag is one of them', () => {
    let history = historyOf(0);
    for (const [value, step] of [
      [1, 'drag 1'],
      [2, 'drag 1'],
      [3, 'drag 2'],
      [4, undefined],
      [5, undefined],
    ] as const)
      history = changed(history, value, step);
    const seen = [];
    for (let i = 0; i < 6; i++) seen.push((history = undone(history)).present);
    assert.deepEqual(seen, [4, 3, 2, 0, 0, 0]);
    history = redone(redone(history));
    assert.deepEqual([history.present, redone(changed(history, 9)).present], [3, 9], 'a change after steps back ends what was undone');
  });

  it('are remembered up to a bound', () => {
    let history = historyOf(0);
    for (let i = 1; i <= 1000; i++) history = changed(history, i);
    assert.equal(history.past.length, 200);
  });
});

describe('faults', () => {
  it('are seen before the server is asked', () => {
    const { shapes } = draftOf(
      {
        zones: [
          GATE,
          {
            id: 'tie',
            polygon: [
              [0, 0],
              [100, 100],
              [100, 0],
              [0, 100],
            ],
          },
        ],
        lines: [{ id: 'gate', from: [5, 5], to: [5, 5] }],
      },
      SIZE,
    );
    assert.deepEqual(
      faultsOf([...shapes, { ...shapes[0]!, key: 99, id: 'with space' }], 16 / 9).map(({ code, field, corners }) => [
        code,
        field,
        ...corners,
      ]),
      [
        ['duplicate', 'id'],
        ['crosses', 'polygon', 0, 2],
        ['duplicate', 'id'],
        ['no_length', 'polygon', 0, 1],
        ['pattern', 'id'],
      ],
    );
  });

  it('of the server stand at the shape, the corner and the field that they are about', () => {
    const { shapes } = draftOf({ zones: [GATE, { ...GATE, id: 'b' }], lines: [ROAD] }, SIZE);
    const faults = placed(
      [
        { path: '/zones/1/polygon/0', code: 'crosses' },
        { path: '/zones/1/polygon/2', code: 'crosses' },
        { path: '/lines/0/to', code: 'outside' },
        { path: '/zones/0/classes/1', code: 'unknown_class' },
        { path: '/zones', code: 'maxItems' },
      ],
      shapes,
    );
    const [gate, b, road] = shapes.map(({ key }) => key);
    assert.deepEqual(faults, [
      { key: b, field: 'polygon', corners: [0, 2], code: 'crosses' },
      { key: road, field: 'polygon', corners: [1], code: 'outside' },
      { key: gate, field: 'classes', corners: [], code: 'unknown_class' },
      { key: undefined, field: 'zones', corners: [], code: 'maxItems' },
    ]);
  });
});
