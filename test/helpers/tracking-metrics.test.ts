import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scoreTracking, type IdentifiedBox, type ScoredPicture } from './tracking-metrics.js';

const box = (objectId: number, x: number): IdentifiedBox => ({ objectId, box: [x, 0, 100, 100] });
const pictures = (count: number, picture: (index: number) => Partial<ScoredPicture>): ScoredPicture[] =>
  Array.from({ length: count }, (_, index) => ({ labels: [], tracked: [], isBetweenDetections: true, ...picture(index) }));

describe('scoreTracking', () => {
  it('gives full marks for boxes that lie on their objects under one id', () => {
    const score = scoreTracking(pictures(10, (i) => ({ labels: [box(1, 0), box(2, 500)], tracked: [box(8, 500), box(9, i)] })));
    assert.deepEqual([score.idf1, score.mota, score.idSwitches], [1, 1, 0]);
    assert.ok(score.iouBetween > 0.95 && score.iouBetween < 1);
  });

  it('counts the longer part of an object that is followed under two ids', () => {
    const score = scoreTracking(pictures(10, (i) => ({ labels: [box(1, 0)], tracked: [box(i < 7 ? 5 : 6, 0)] })));
    assert.deepEqual([score.idf1, score.idSwitches, score.mota], [0.7, 1, 0.9]);
  });

  it('assigns ids over the whole sequence, not picture by picture', () => {
    // Two objects exchange ids after 4 of 10 pictures: 6 pictures of each are right.
    const score = scoreTracking(
      pictures(10, (i) => ({ labels: [box(1, 0), box(2, 500)], tracked: [box(i < 4 ? 5 : 6, 0), box(i < 4 ? 6 : 5, 500)] })),
    );
    assert.deepEqual([score.idf1, score.idSwitches], [0.6, 2]);
  });

  it('counts misses and false boxes against it', () => {
    const score = scoreTracking(pictures(10, (i) => ({ labels: [box(1, 0)], tracked: i < 5 ? [box(3, 0), box(4, 900)] : [] })));
    assert.deepEqual([score.misses, score.falseBoxes, score.labels, score.mota], [5, 5, 10, 0]);
    assert.equal(score.idf1, (2 * 5) / (10 + 10));
  });

  it('takes a box that overlaps by less than half for a miss, but into the mean overlap', () => {
    const score = scoreTracking(pictures(4, () => ({ labels: [box(1, 0)], tracked: [box(2, 50)] })));
    assert.deepEqual([score.idf1, score.misses], [0, 4]);
    assert.ok(Math.abs(score.iouBetween - 1 / 3) < 1e-9);
  });

  it('measures overlap on pictures between detections alone', () => {
    assert.equal(
      scoreTracking(pictures(2, (i) => ({ labels: [box(1, 0)], tracked: [box(2, i * 50)], isBetweenDetections: i === 0 }))).iouBetween,
      1,
    );
  });

  it('leaves out labels that do not count and the boxes on them', () => {
    const ignored = { ...box(2, 500), isIgnored: true };
    const score = scoreTracking(
      pictures(3, (i) => ({ labels: [box(1, 0), ignored], tracked: i === 0 ? [box(1, 0), box(2, 510)] : [box(1, 0)] })),
    );
    assert.deepEqual([score.idf1, score.misses, score.falseBoxes, score.labels], [1, 0, 0, 3]);
  });

  it('makes sense of emptiness', () => {
    assert.equal(scoreTracking([]).idf1, 1);
    assert.equal(scoreTracking(pictures(3, () => ({ tracked: [box(1, 0)] }))).idf1, 0);
  });
});
