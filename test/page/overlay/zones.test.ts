import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shapesOf } from '../../../src/page/overlay/zones.js';
import { messageAt } from '../../client/messages.js';

describe('zones and lines', () => {
  it('are drawn in pixels of the frame with their counts', () => {
    const zones = [
      {
        id: 'door',
        polygon: [
          [0, 0],
          [0.5, 0],
          [0.5, 0.5],
        ],
      },
    ];
    const lines = [{ id: 'gate', from: [10, 20], to: [30, 40] }];
    const shapes = [...shapesOf({ units: 'fraction', zones }), ...shapesOf({ lines })];
    const message = { ...messageAt(0), zones: [{ zone: 'door', count: 2 }], lines: [{ line: 'gate', in: 3, out: 1 }] };
    assert.deepEqual(
      shapes.map((shape) => [shape.isArea, shape.text(message)]),
      [
        [true, 'door 2'],
        [false, 'gate in 3 · out 1'],
      ],
    );
    assert.deepEqual(
      shapes.map((shape) => shape.points(message)),
      [
        [
          [0, 0],
          [640, 0],
          [640, 360],
        ],
        [
          [10, 20],
          [30, 40],
        ],
      ],
    );
    assert.equal(shapes[0]?.text(messageAt(0)), 'door');
  });

  it('are left out where their geometry cannot be read', () => {
    for (const geometry of [
      undefined,
      null,
      7,
      {},
      { zones: 'all' },
      {
        lines: [{ id: 'd', from: [1, 2] }],
        zones: [
          null,
          { id: 'a' },
          { id: 'b', polygon: [[0]] },
          {
            id: 'c',
            polygon: [
              [0, 'x'],
              [1, 1],
            ],
          },
        ],
      },
    ]) {
      assert.deepEqual(shapesOf(geometry), [], JSON.stringify(geometry));
    }
  });
});
