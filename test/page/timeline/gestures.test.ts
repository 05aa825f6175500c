import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Gestures, type Gesture } from '../../../src/page/timeline/gestures.js';

function rig() {
  const seen: Gesture[] = [];
  return { gestures: new Gestures((gesture) => seen.push(gesture)), seen, kinds: () => seen.map(({ kind }) => kind) };
}

describe('gestures on a timeline', () => {
  it('are a click where the hand only trembles', () => {
    const { gestures, seen } = rig();
    gestures.down({ id: 1, x: 100 });
    gestures.move({ id: 1, x: 102 });
    gestures.up({ id: 1, x: 102 });
    assert.deepEqual(seen, [{ kind: 'click', x: 102, fromX: 100 }]);
  });

  it('are a drag from where it began', () => {
    const { gestures, kinds } = rig();
    gestures.down({ id: 1, x: 100 });
    for (const x of [105, 120, 90]) gestures.move({ id: 1, x });
    gestures.up({ id: 1, x: 90 });
    assert.deepEqual(kinds(), ['drag-start', 'drag', 'drag', 'drag-end']);
  });

  it('are a pinch with two fingers, and the one that stays drags nothing', () => {
    const { gestures, kinds, seen } = rig();
    gestures.down({ id: 1, x: 100 });
    gestures.move({ id: 1, x: 110 });
    gestures.down({ id: 2, x: 200 });
    gestures.move({ id: 2, x: 240 });
    gestures.up({ id: 2, x: 240 });
    gestures.move({ id: 1, x: 50 });
    gestures.up({ id: 1, x: 50 });
    assert.deepEqual(kinds(), ['drag-start', 'drag-cancel', 'pinch']);
    assert.deepEqual(seen.at(-1), { kind: 'pinch', before: [110, 200], now: [110, 240] });
  });

  it('end where the browser takes the pointer, and begin afresh', () => {
    const { gestures, kinds } = rig();
    gestures.down({ id: 1, x: 0 });
    gestures.move({ id: 1, x: 50 });
    gestures.cancel({ id: 1, x: 50 });
    gestures.move({ id: 1, x: 70 });
    gestures.up({ id: 1, x: 70 });
    gestures.down({ id: 7, x: 10 });
    gestures.up({ id: 7, x: 10 });
    assert.deepEqual(kinds(), ['drag-start', 'drag-cancel', 'click']);
  });
});
