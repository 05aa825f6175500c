import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { iou } from '../../src/detection/boxes.js';
import { Candidates } from '../../src/detection/candidates.js';
import { MAX_CANDIDATES, strongest, suppressOverlaps } from '../../src/detection/nms.js';
import type { Box } from '../../src/media/index.js';
import { seededRandom } from '../helpers/random.js';

function boxOf({ left, top, right, bottom }: Candidates, i: number): Box {
  return [left[i]!, top[i]!, right[i]! - left[i]!, bottom[i]! - top[i]!];
}

describe('suppressOverlaps', () => {
  it('keeps no two boxes of a class that overlap more than allowed, and loses none that does not', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 50; round++) {
      const all = new Candidates();
      for (let i = 0; i < 40; i++) {
        const [x, y] = [random() * 100, random() * 100];
        all.add(x, y, x + 5 + random() * 50, y + 5 + random() * 50, random() + 1e-9, Math.floor(random() * 2));
      }
      const kept = suppressOverlaps(all, 0.45);
      const isOverlap = (a: number, b: number): boolean => all.classId[a] === all.classId[b] && iou(boxOf(all, a), boxOf(all, b)) > 0.45;
      for (const a of kept) for (const b of kept) assert.ok(a === b || !isOverlap(a, b));
      for (let lost = 0; lost < all.count; lost++) {
        assert.ok(kept.includes(lost) || kept.some((other) => all.score[other]! >= all.score[lost]! && isOverlap(other, lost)));
      }
    }
  });
});

describe('strongest', () => {
  it('takes the best of many, the earlier one among equals', () => {
    const random = seededRandom(4);
    const all = new Candidates();
    for (let i = 0; i < 9000; i++) all.add(0, 0, 1, 1, Math.ceil(random() * 300) / 300, 0);
    const expected = Array.from({ length: 9000 }, (_, i) => i).sort((a, b) => all.score[b]! - all.score[a]! || a - b);
    assert.deepEqual([...strongest(all)], expected.slice(0, MAX_CANDIDATES));
  });
});

describe('Candidates', () => {
  it('leaves out boxes that are empty or not finite, and such scores', () => {
    const all = new Candidates();
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (let at = 0; at < 5; at++) {
        const values: [number, number, number, number, number] = [0, 0, 1, 1, 0.5];
        values[at] = bad;
        all.add(...values, 0);
      }
    }
    all.add(1, 0, 1, 1, 0.5, 0);
    all.add(0, 2, 1, 1, 0.5, 0);
    assert.equal(all.count, 0);
    all.add(0, 0, 1, 1, 0.5, 7);
    const geometry = { widthPx: 10, heightPx: 10, ratioX: 0.5, ratioY: 0.25, offsetXPx: 0, offsetYPx: -1 };
    assert.deepEqual(all.toDetections([0], geometry, ['a']), [{ box: [0, 4, 2, 4], classId: 7, label: 'class 7', score: 0.5 }]);
  });
});
