import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SceneEvent } from '../../src/media/index.js';
import type { SceneCounter, ZonesJson } from '../../src/scene/index.js';
import { counterOf, inWords, objectAt } from './scene-rig.js';

const GATE: ZonesJson = {
  zones: [
    {
      id: 'gate',
      polygon: [
        [400, 400],
        [600, 400],
        [600, 600],
        [400, 600],
      ],
      classes: ['car'],
    },
  ],
};
/** Crossed at x = 500; boxes tremble by 2 px. */
const ROAD: ZonesJson = { lines: [{ id: 'road', from: [500, 800], to: [500, 200], classes: ['car'] }] };
const CLASSES = ['car', 'truck', 'bus'];

/** Looks at an object at these x, 100 ms apart, as these classes. */
function look(counter: SceneCounter, looks: readonly (readonly [x: number, label: string])[], startMs = 0): SceneEvent[] {
  return looks.flatMap(
    ([x, label], i) => counter.observe([objectAt(x, 500, { label, classId: CLASSES.indexOf(label) })], startMs + 100 * i).events,
  );
}

const inLabels = (events: readonly SceneEvent[]): string[] => events.map((event) => `${inWords(event)} ${event.label} ${event.classId}`);

describe('a line that asks for classes', () => {
  const ways: Readonly<Record<string, readonly (readonly [x: number, label: string])[]>> = {
    'in the look that crosses it, within its margin': [
      [480, 'car'],
      [501, 'truck'],
      [520, 'car'],
    ],
    'in the look before': [
      [480, 'car'],
      [499, 'truck'],
      [520, 'car'],
    ],
    'in the look that crosses it and settles': [
      [440, 'car'],
      [460, 'car'],
      [480, 'car'],
      [510, 'truck'],
      [530, 'car'],
    ],
    'in every second look': [
      [440, 'truck'],
      [460, 'car'],
      [480, 'truck'],
      [499, 'car'],
      [501, 'truck'],
      [520, 'car'],
    ],
    'until it is far away': [
      [440, 'truck'],
      [480, 'truck'],
      [501, 'truck'],
      [520, 'car'],
    ],
  };
  for (const [when, looks] of Object.entries(ways)) {
    it(`counts one whose label wavers ${when}, once and as what was asked for`, () => {
      const counter = counterOf(ROAD);
      assert.deepEqual(inLabels(look(counter, looks)), ['cross road in 1 car 0']);
      assert.deepEqual(counter.counts().lines[0]?.inByLabel, { car: 1 });
    });
  }

  it('does not count what it does not ask for, though its label wavers once before, on, or behind the line', () => {
    for (const wavering of [0, 1, 2, 3, 5]) {
      const looks = [440, 460, 480, 501, 520, 540].map((x, i) => [x, i === wavering ? 'car' : 'truck'] as const);
      assert.deepEqual(inLabels(look(counterOf(ROAD), looks)), [], `a car at look ${wavering}`);
    }
  });

  it('counts one that is gone before it settled, and one whose score comes late', () => {
    const counter = counterOf(ROAD);
    look(counter, [
      [460, 'car'],
      [480, 'car'],
      [501, 'truck'],
    ]);
    assert.deepEqual(inLabels(counter.observe([], 5000).events), ['cross road in 1 car 0']);
    const sure = counterOf({ lines: [{ ...ROAD.lines![0]!, min_score: 0.6 }] });
    const events = (
      [
        [480, 0.5],
        [501, 0.5],
        [520, 0.7],
      ] as const
    ).flatMap(([x, score], i) => sure.observe([objectAt(x, 500, { label: 'car', score })], 100 * i).events);
    assert.deepEqual(events.map(inWords), ['cross road in 1']);
  });
});

describe('a zone that asks for classes', () => {
  it('keeps one whose label wavers inside, and lets it leave as what it asks for', () => {
    const counter = counterOf(GATE);
    assert.deepEqual(
      inLabels(
        look(counter, [
          [380, 'car'],
          [450, 'car'],
          [480, 'truck'],
        ]),
      ),
      ['enter gate 1 car 0'],
    );
    assert.deepEqual(
      inLabels(
        look(
          counter,
          [
            [550, 'truck'],
            [560, 'bus'],
            [700, 'truck'],
          ],
          300,
        ),
      ),
      ['leave gate 1 car 0'],
    );
  });

  it('counts dwelling from the look at which it came, though its label wavered then', () => {
    const counter = counterOf({ zones: [{ ...GATE.zones![0]!, min_dwell_ms: 300 }] });
    const looks = [
      [360, 'car'],
      [380, 'car'],
      [450, 'truck'],
      [480, 'car'],
      [500, 'truck'],
      [520, 'car'],
    ] as const;
    assert.deepEqual(inLabels(look(counter, looks)), ['enter gate 1 car 0']);
  });

  it('sees one that is too fast to be seen inside, though its label wavers in that look', () => {
    assert.deepEqual(
      inLabels(
        look(counterOf(GATE), [
          [200, 'car'],
          [300, 'car'],
          [700, 'truck'],
        ]),
      ),
      ['enter gate 1 car 0', 'leave gate 1 car 0'],
    );
  });

  it('follows a label among the classes that it asks for', () => {
    const counter = counterOf({ zones: [{ ...GATE.zones![0]!, classes: ['car', 'bus'] }] });
    look(counter, [
      [450, 'car'],
      [460, 'bus'],
    ]);
    assert.deepEqual(counter.counts().zones[0]?.byLabel, { bus: 1 });
  });
});
