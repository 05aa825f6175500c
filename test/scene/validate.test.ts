import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { parseZones, type PictureFacts } from '../../src/scene/index.js';

const FACTS = { widthPx: 1280, heightPx: 720, labels: ['person', 'car', 'drone'] };
const SQUARE = [
  [100, 100],
  [200, 100],
  [200, 200],
  [100, 200],
];

function faultOf(value: unknown, facts: PictureFacts | 'unknown' = FACTS): string {
  try {
    parseZones(value, facts === 'unknown' ? undefined : facts);
  } catch (error) {
    assert.ok(error instanceof MediaPeerError && error.code === 'ZONES_INVALID', String(error));
    return error.message;
  }
  return 'none';
}

describe('zones from outside', () => {
  it('are taken as they are when all is well', () => {
    const zones = {
      zones: [{ id: 'gate', polygon: SQUARE, classes: ['person'], min_score: 0.5, min_dwell_ms: 2000 }],
      lines: [{ id: 'road', from: [0, 360], to: [1280, 360] }],
      always: true,
      anchor: 'centre',
    };
    assert.deepEqual(parseZones(zones, FACTS), zones);
    assert.deepEqual(parseZones({}, undefined), {});
    assert.equal(faultOf({ zones: [{ id: 'closed', polygon: [...SQUARE, SQUARE[0]] }] }), 'none');
    assert.equal(
      faultOf({
        units: 'fraction',
        zones: [
          {
            id: 'all',
            polygon: [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 1],
            ],
          },
        ],
      }),
      'none',
    );
  });

  for (const [what, value, expected] of [
    ['no object', [], '[] is not zones; expected an object such as {"zones":[],"lines":[]}'],
    ['null', null, 'null is not zones; expected an object such as {"zones":[],"lines":[]}'],
    ['unknown members', { zonez: [] }, "the file has the unknown member 'zonez'; known: zones, lines, units, anchor, always"],
    [
      'unknown members of a zone',
      { zones: [{ id: 'a', polygon: SQUARE, color: 1 }] },
      "zones[0] has the unknown member 'color'; known: id, polygon, classes, min_score, min_dwell_ms",
    ],
    ['a zone without polygon', { zones: [{ id: 'a' }] }, "zones[0] lacks 'polygon'"],
    [
      'a bad id',
      { lines: [{ id: 'a b', from: [0, 0], to: [100, 100] }] },
      'lines[0].id must match pattern "^[A-Za-z0-9._-]{1,64}$", found "a b"',
    ],
    ['unknown units', { units: 'metres' }, 'units is "metres"; expected one of pixels, fraction'],
    [
      'two corners',
      { zones: [{ id: 'a', polygon: SQUARE.slice(2) }] },
      'zones[0].polygon must not have fewer than 3 items, found [[200,200],[100,200]]',
    ],
    [
      'a point that is no point',
      { zones: [{ id: 'a', polygon: [[1, 2], [3], ['x', 4]] }] },
      'zones[0].polygon[1] must not have fewer than 2 items, found [3]; zones[0].polygon[2][0] must be number, found "x"',
    ],
    [
      'three corners of which two are one',
      {
        zones: [
          {
            id: 'a',
            polygon: [
              [1, 2],
              [3, 400],
              [3, 400],
            ],
          },
        ],
      },
      "zone 'a': points 2 and 3 are the same; leave one out",
    ],
    [
      'a bow tie',
      {
        zones: [
          {
            id: 'tie',
            polygon: [
              [100, 100],
              [200, 200],
              [200, 100],
              [100, 200],
            ],
          },
        ],
      },
      "zone 'tie' crosses itself: the edge from point 1 to 2 and the edge from point 3 to 4 meet; list the corners in their order around the zone",
    ],
    [
      'a spike',
      {
        zones: [
          {
            id: 'a',
            polygon: [
              [0, 0],
              [100, 0],
              [50, 0],
              [50, 50],
            ],
          },
        ],
      },
      "zone 'a' crosses itself: the edge from point 1 to 2 and the edge from point 3 to 4 meet; list the corners in their order around the zone",
    ],
    [
      'corners on one line',
      {
        zones: [
          {
            id: 'a',
            polygon: [
              [0, 0],
              [100, 100],
              [200, 200],
            ],
          },
        ],
      },
      "zone 'a' has no area: its corners lie on one line",
    ],
    [
      'a point outside',
      {
        zones: [
          {
            id: 'a',
            polygon: [
              [100, 100],
              [1300, 100],
              [200, 200],
            ],
          },
        ],
      },
      "zone 'a': point 2 (1300, 100) lies outside the picture of 1280x720 pixels; move it inside",
    ],
    [
      'a fraction outside',
      { units: 'fraction', lines: [{ id: 'a', from: [0.5, -0.1], to: [0.5, 1] }] },
      "line 'a': from (0.5, -0.1) lies outside the picture, which reaches from (0, 0) to (1, 1) in fractions; move it inside",
    ],
    [
      'fractions that do not say so',
      { lines: [{ id: 'a', from: [0, 0.5], to: [1, 0.5] }] },
      'all coordinates lie between 0 and 1, which is one pixel; add "units": "fraction" where they are fractions of the picture',
    ],
    [
      'a line without length',
      { lines: [{ id: 'a', from: [50, 50], to: [50, 50] }] },
      "line 'a' has no length: from and to must be at least a pixel apart",
    ],
    [
      'one id twice',
      { zones: [{ id: 'a', polygon: SQUARE }], lines: [{ id: 'a', from: [0, 0], to: [100, 100] }] },
      "the id 'a' is used more than once; zones and lines need ids of their own",
    ],
    [
      'a misspelt label',
      { zones: [{ id: 'a', polygon: SQUARE, classes: ['persn'] }] },
      "zone 'a': the model knows no 'persn'; did you mean person?",
    ],
    [
      'a label of another world',
      { lines: [{ id: 'a', from: [0, 0], to: [100, 100], classes: ['elephant'] }] },
      "line 'a': the model knows no 'elephant'; it knows person, car, drone",
    ],
    [
      'too many zones',
      { zones: Array.from({ length: 65 }, (_, index) => ({ id: `z${index}`, polygon: SQUARE })) },
      /must not have more than 64 items/,
    ],
    [
      'too many corners',
      { zones: [{ id: 'a', polygon: Array.from({ length: 65 }, (_, index) => [index, index * index]) }] },
      /zones\[0\]\.polygon must not have more than 64 items/,
    ],
  ] as const) {
    it(`are refused with the reason: ${what}`, () => {
      const message = faultOf(value);
      if (typeof expected === 'string') assert.equal(message, expected);
      else assert.match(message, expected);
    });
  }

  it('are told all their faults at once, and only the first twenty when there are many', () => {
    const message = faultOf({
      zones: [
        {
          id: 'a',
          polygon: [
            [0, 0],
            [2000, 0],
            [0, 100],
          ],
          classes: ['cra'],
        },
      ],
      lines: [{ id: 'a', from: [1, 1], to: [1, 1] }],
    });
    for (const part of ['(2000, 0)', "'cra'; did you mean car?", 'no length', 'more than once']) assert.ok(message.includes(part), message);
    assert.match(faultOf({ lines: Array.from({ length: 40 }, () => 7) }), /; and 20 more$/);
  });

  it('are not measured against a picture nobody knows', () => {
    assert.equal(faultOf({ lines: [{ id: 'a', from: [5000, 0], to: [0, 5000], classes: ['elephant'] }] }, 'unknown'), 'none');
  });

  it('never make the validator fail otherwise, whatever comes', () => {
    const junk: unknown[] = [
      undefined,
      0,
      '',
      'x',
      true,
      [[]],
      {},
      { zones: null },
      { zones: [null] },
      { zones: [[]] },
      { lines: [{ from: null, to: {} }] },
      { zones: [{ id: 1, polygon: [[null, 1], [], {}] }] },
      JSON.parse('{"__proto__":{"zones":1},"constructor":1}'),
    ];
    for (const value of junk) faultOf(value);
  });
});

it('faults of zones are told by place and kind, those of two edges at both', () => {
  const placesOf = (value: unknown): unknown => {
    try {
      parseZones(value, FACTS);
    } catch (error) {
      assert.ok(error instanceof MediaPeerError);
      return (error.facts?.['faults'] as { path: string; code: string }[]).map(({ path, code }) => `${path} ${code}`);
    }
    return undefined;
  };
  const [a, b, c, d] = SQUARE;
  assert.deepEqual(
    placesOf({
      zones: [
        { id: 'tie', polygon: [a, c, b, d], classes: ['person', 'cat'] },
        { id: 'tie', polygon: [a, b, [1281, 0]] },
      ],
      lines: [{ id: 'dot', from: [5, 5], to: [5, 5] }],
    }),
    [
      ...['/zones/0/id duplicate', '/zones/1/id duplicate', '/zones/0/polygon/0 crosses', '/zones/0/polygon/2 crosses'],
      ...['/zones/0/classes/1 unknown_class', '/zones/1/polygon/2 outside', '/lines/0/to no_length'],
    ],
  );
  assert.deepEqual(
    placesOf({
      zones: [
        { id: 'a b', polygon: [a, b, c] },
        { id: 'c', colour: 1 },
      ],
      units: 'metres',
    }),
    [...['/units enum', '/zones/0/id pattern', '/zones/1/polygon required', '/zones/1/colour unknown']],
  );
});
