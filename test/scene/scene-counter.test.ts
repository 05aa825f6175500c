import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SceneCounter, type ZonesJson } from '../../src/scene/index.js';
import { isInside, edgesOf, type Point } from '../../src/scene/geometry.js';
import { seededRandom } from '../helpers/random.js';
import { counterOf, inWords, layoutOf, objectAt, walk } from './scene-rig.js';

/** A square in the middle, and an upright line through x = 500 seen from its foot: `in` goes from left to right. */
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
    },
  ],
};
const ROAD: ZonesJson = { lines: [{ id: 'road', from: [500, 800], to: [500, 200] }] };

describe('zones', () => {
  it('tell of who enters and leaves, with the time inside and where', () => {
    const counter = counterOf(GATE);
    assert.deepEqual(
      walk(counter, [
        [300, 500],
        [390, 500],
        [410, 500],
        [500, 500],
        [590, 500],
        [700, 500],
      ]),
      ['enter gate 1', 'leave gate 1'],
    );
    const again = counterOf(GATE);
    again.observe([objectAt(500, 500)], 0);
    again.observe([objectAt(550, 500)], 1000);
    const [event] = again.observe([objectAt(700, 500)], 1100).events;
    assert.deepEqual(event, {
      type: 'leave',
      id: 'gate',
      objectId: 1,
      label: 'person',
      classId: 0,
      score: 0.9,
      position: [700, 500],
      dwellMs: 1000,
    });
  });

  it('count what is inside, longest there first, and by label', () => {
    const counter = counterOf(GATE);
    counter.observe([objectAt(500, 500, { objectId: 7 })], 0);
    const objects = [
      objectAt(450, 500, { objectId: 3, label: 'car', classId: 1 }),
      objectAt(500, 500, { objectId: 7 }),
      objectAt(100, 500, { objectId: 9 }),
    ];
    assert.deepEqual(counter.observe(objects, 100).zones, [{ id: 'gate', objectIds: [7, 3], byLabel: { person: 1, car: 1 } }]);
  });

  it('do not flicker for one who trembles on the border, and let go of one who stays a hair outside', () => {
    const counter = counterOf(GATE);
    const trembling = Array.from({ length: 100 }, (_, index): [number, number] => [400 + (index % 2 === 0 ? 1 : -1), 500]);
    assert.deepEqual(walk(counter, trembling), ['enter gate 1']);
    const outside = Array.from({ length: 12 }, (): [number, number] => [399, 500]);
    assert.deepEqual(walk(counter, outside, 10_000), ['leave gate 1']);
  });

  it('keep one who is hidden for a second, and let go of one who is gone', () => {
    const counter = counterOf(GATE);
    const hidden = Array.from({ length: 15 }, () => undefined);
    assert.deepEqual(walk(counter, [[500, 500], ...hidden, [520, 500]]), ['enter gate 1']);
    const gone = Array.from({ length: 30 }, () => undefined);
    assert.deepEqual(walk(counter, gone, 1700), ['leave gate 1']);
  });

  it('take no notice of where an object is merely expected', () => {
    const counter = counterOf(GATE);
    assert.deepEqual(walk(counter, [[300, 500]]), []);
    assert.deepEqual(
      walk(
        counter,
        [
          [450, 500],
          [500, 500],
        ],
        100,
        { isObserved: false },
      ),
      [],
    );
    assert.deepEqual(walk(counter, [[300, 500]], 300), []);
    assert.deepEqual(counterOf(GATE).observe([objectAt(500, 500, { isObserved: false })], 0).events, []);
  });

  it('see one who is so fast that no picture shows it inside, but not one who cuts a corner by a hair', () => {
    const counter = counterOf(GATE);
    assert.deepEqual(
      walk(counter, [
        [300, 500],
        [700, 500],
      ]),
      ['enter gate 1', 'leave gate 1'],
    );
    assert.deepEqual(
      walk(counterOf(GATE), [
        [399, 400.5],
        [400.5, 399],
        [399, 400.5],
        [400.5, 399],
      ]),
      [],
    );
  });

  it('let one in only after it has dwelt there, when they say so', () => {
    const loitering: ZonesJson = { zones: [{ ...GATE.zones![0]!, min_dwell_ms: 500 }] };
    const counter = counterOf(loitering);
    const stay = Array.from({ length: 6 }, (): [number, number] => [500, 500]);
    assert.deepEqual(walk(counter, stay.slice(0, 5)), []);
    assert.deepEqual(walk(counter, [[700, 500]], 500), []);
    assert.deepEqual(walk(counter, stay, 600), ['enter gate 1']);
    assert.deepEqual(walk(counter, [[700, 500]], 1200), ['leave gate 1']);
  });

  it('ask for classes, and for a score that once reached is kept', () => {
    const counter = counterOf({ zones: [{ ...GATE.zones![0]!, classes: ['car'], min_score: 0.6 }] });
    assert.deepEqual(walk(counter, [[500, 500]]), []);
    const car = { objectId: 2, label: 'car', classId: 1 };
    assert.deepEqual(walk(counter, [[500, 500]], 100, { ...car, score: 0.5 }), []);
    assert.deepEqual(walk(counter, [[500, 500]], 200, { ...car, score: 0.7 }), ['enter gate 2']);
    assert.deepEqual(walk(counter, [[500, 500]], 300, { ...car, score: 0.4 }), []);
  });

  it('that reach the lower edge hold one whose feet are below the picture', () => {
    const counter = counterOf({
      zones: [
        {
          id: 'front',
          polygon: [
            [0, 900],
            [1000, 900],
            [1000, 1000],
            [0, 1000],
          ],
        },
      ],
    });
    assert.deepEqual(walk(counter, [[500, 1000]]), ['enter front 1']);
    assert.deepEqual(walk(counter, [[1000, 1000]], 100, { objectId: 2 }), ['enter front 2']);
  });

  it('can go by the centre of a box', () => {
    const counter = counterOf({ ...GATE, anchor: 'centre' });
    assert.deepEqual(walk(counter, [[500, 410]]), []);
    assert.deepEqual(walk(counter, [[500, 610]], 100), ['enter gate 1']);
  });

  it('keep one whose class wavers, and count it under the label that holds', () => {
    const counter = counterOf({ zones: [{ ...GATE.zones![0]!, classes: ['person'] }] });
    assert.deepEqual(walk(counter, [[500, 500]]), ['enter gate 1']);
    assert.deepEqual(counter.observe([objectAt(510, 500, { classId: 1, label: 'rider' })], 100), {
      zones: [{ id: 'gate', objectIds: [1], byLabel: { rider: 1 } }],
      lines: [],
      events: [],
    });
  });

  it('wait longer for one who is hidden where the source is looked at rarely', () => {
    const counter = counterOf(GATE);
    const look = (seconds: number, isThere: boolean) =>
      counter.observe(isThere ? [objectAt(500, 500)] : [], seconds * 1000).events.map(inWords);
    for (let seconds = 0; seconds < 20; seconds++) look(seconds, true);
    assert.deepEqual([look(20, false), look(21, false), look(22, false), look(23, false), look(24, true)], [[], [], [], [], []]);
    assert.deepEqual(Array.from({ length: 6 }, (_, index) => look(25 + index, false)).flat(), ['leave gate 1']);
  });
});

describe('lines', () => {
  it('count in from left to right of their direction, and out back, by label', () => {
    const counter = counterOf(ROAD);
    assert.deepEqual(
      walk(counter, [
        [400, 500],
        [600, 500],
        [400, 500],
      ]),
      ['cross road in 1', 'cross road out 1'],
    );
    const [state] = counter.observe([], 300).lines;
    assert.deepEqual(state, { id: 'road', in: 1, out: 1, inByLabel: { person: 1 }, outByLabel: { person: 1 } });
  });

  it('end at their ends', () => {
    assert.deepEqual(
      walk(counterOf(ROAD), [
        [400, 100],
        [600, 100],
        [600, 900],
        [400, 900],
      ]),
      [],
    );
  });

  it('count one who trembles on them once at most', () => {
    const trembling = Array.from({ length: 101 }, (_, index): [number, number] => [500 + (index % 2 === 0 ? -1 : 1), 500]);
    assert.deepEqual(walk(counterOf(ROAD), [[400, 500], ...trembling, [400, 500]]), []);
    assert.deepEqual(walk(counterOf(ROAD), [[400, 500], ...trembling, [600, 500]]), ['cross road in 1']);
  });

  it('count one who stops right behind them after a second, and one who is lost there', () => {
    const stopped = Array.from({ length: 15 }, (): [number, number] => [501, 500]);
    assert.deepEqual(walk(counterOf(ROAD), [[490, 500], ...stopped]), ['cross road in 1']);
    const gone = Array.from({ length: 30 }, () => undefined);
    assert.deepEqual(walk(counterOf(ROAD), [[490, 500], [501, 500], ...gone]), ['cross road in 1']);
  });

  it('count nobody who is merely expected on the other side, and one who was hidden while crossing once it is seen', () => {
    const counter = counterOf(ROAD);
    assert.deepEqual(walk(counter, [[450, 500]]), []);
    assert.deepEqual(
      walk(
        counter,
        [
          [520, 500],
          [560, 500],
        ],
        100,
        { isObserved: false },
      ),
      [],
    );
    assert.deepEqual(walk(counter, [[600, 500]], 300), ['cross road in 1']);
  });

  it('do not take one who comes back after it was given up for one who crossed', () => {
    const counter = counterOf(ROAD);
    assert.deepEqual(walk(counter, [[400, 500]]), []);
    assert.deepEqual(walk(counter, [[600, 500]], 5000), []);
  });

  it('keep their counts when the source begins anew, and no object crosses from one run to the next', () => {
    const counter = counterOf({ ...ROAD, ...GATE });
    walk(counter, [
      [400, 500],
      [610, 500],
      [450, 500],
    ]);
    counter.restart();
    assert.deepEqual(walk(counter, [[550, 500]], 1000), ['leave gate 1', 'enter gate 1']);
    assert.deepEqual(
      counter.observe([], 1100).lines.map((line) => [line.in, line.out]),
      [[1, 1]],
    );
  });
});

describe('other zones while running', () => {
  it('leave what stays the same alone, and let objects out of what goes', () => {
    const yard = {
      id: 'yard',
      polygon: [
        [0, 0],
        [1000, 0],
        [1000, 1000],
        [0, 1000],
      ],
    };
    const counter = counterOf({ zones: [...GATE.zones!, yard], ...ROAD });
    walk(counter, [
      [400, 500],
      [550, 500],
    ]);
    counter.use(layoutOf({ zones: [yard, { ...GATE.zones![0]!, min_score: 0.1 }], ...ROAD }));
    const scene = counter.observe([objectAt(560, 500)], 300);
    assert.deepEqual(scene.events.map(inWords), ['leave gate 1', 'enter gate 1']);
    assert.deepEqual(
      scene.lines.map((line) => line.in),
      [1],
    );
    assert.deepEqual(
      scene.zones.map(({ id, objectIds }) => [id, objectIds]),
      [
        ['yard', [1]],
        ['gate', [1]],
      ],
    );
  });

  it('count from zero when told to', () => {
    let nowMs = 1000;
    const counter = new SceneCounter({ layout: layoutOf(ROAD), wallClock: () => nowMs });
    walk(counter, [
      [400, 500],
      [600, 500],
    ]);
    nowMs = 2000;
    counter.resetLines();
    assert.deepEqual(counter.counts().lines, [{ id: 'road', in: 0, out: 0, inByLabel: {}, outByLabel: {}, sinceMs: 2000 }]);
  });
});

describe('random walks', () => {
  const edges = edgesOf(GATE.zones![0]!.polygon as unknown as Point[]);

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`keep every balance (seed ${seed})`, () => {
      const random = seededRandom(seed);
      // The line splits the whole picture, so in minus out must be the change of sides.
      const counter = counterOf({ ...GATE, lines: [{ id: 'road', from: [500, 1000], to: [500, 0] }] });
      const stepPx = seed % 2 === 0 ? 8 : 150;
      const walkers = Array.from({ length: 12 }, (_, index) => ({
        id: index + 1,
        x: 1000 * random(),
        y: 40 + 900 * random(),
        startX: NaN,
      }));
      const inside = new Set<number>();
      const crossed = new Map<number, number>();
      let mediaTimeMs = 0;
      const look = (isResting: boolean): void => {
        mediaTimeMs += 100;
        const objects = walkers
          .filter(() => isResting || random() > 0.2)
          .map((walker) => {
            if (!isResting) {
              walker.x = Math.min(999, Math.max(0, walker.x + (random() - 0.5) * stepPx));
              walker.y = Math.min(999, Math.max(0, walker.y + (random() - 0.5) * stepPx));
            }
            const isObserved = isResting || random() > 0.2;
            if (isObserved && Number.isNaN(walker.startX)) walker.startX = walker.x;
            return objectAt(walker.x, walker.y, { objectId: walker.id, isObserved });
          });
        const scene = counter.observe(objects, mediaTimeMs);
        for (const event of scene.events) {
          if (event.type === 'enter') assert.ok(!inside.has(event.objectId), 'nobody enters twice');
          if (event.type === 'leave') assert.ok(inside.has(event.objectId), 'nobody leaves who is not inside');
          if (event.type === 'enter') inside.add(event.objectId);
          if (event.type === 'leave') inside.delete(event.objectId);
          if (event.type === 'cross') crossed.set(event.objectId, (crossed.get(event.objectId) ?? 0) + (event.direction === 'in' ? 1 : -1));
        }
        assert.deepEqual([...scene.zones[0]!.objectIds].sort(), [...inside].sort());
      };
      for (let i = 0; i < 2000; i++) look(false);
      // Standing still makes everything definite.
      for (let i = 0; i < 15; i++) look(true);
      for (const { id, x, y, startX } of walkers) {
        assert.equal(inside.has(id), isInside([x, y], edges), `walker ${id} at ${x}, ${y}`);
        assert.equal(crossed.get(id) ?? 0, (x >= 500 ? 1 : 0) - (startX >= 500 ? 1 : 0), `walker ${id} from ${startX} to ${x}`);
      }
      assert.ok(crossed.size > 0, 'the walks cross at all');
      for (let i = 0; i < 25; i++) {
        mediaTimeMs += 100;
        for (const event of counter.observe([], mediaTimeMs).events) if (event.type === 'leave') inside.delete(event.objectId);
      }
      assert.equal(inside.size, 0, 'all are gone in the end');
    });
  }
});
