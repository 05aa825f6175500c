import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ObjectTracker } from '../../src/detection/index.js';
import { iou } from '../../src/detection/boxes.js';
import type { Detection } from '../../src/media/index.js';

const at = (x: number, y = 100, score = 0.9, classId = 0): Detection => ({
  box: [x, y, 60, 40],
  classId,
  label: `class ${classId}`,
  score,
});
const tracker = (): ObjectTracker => new ObjectTracker({ widthPx: 1280, heightPx: 720 });

describe('ObjectTracker', () => {
  it('keeps an id and moves the box at full frame rate between detections', () => {
    const objects = tracker();
    const speed = 0.2;
    let worst = 1;
    for (let t = 0; t <= 2000; t += 33) {
      if (t % 99 === 0) objects.update([at(100 + speed * t)], t);
      const [object] = objects.predict(t);
      assert.equal(object?.objectId, 1);
      if (t > 500) worst = Math.min(worst, iou(object.box, at(100 + speed * t).box));
    }
    assert.ok(worst > 0.85, `IoU ${worst}`);
  });

  it('takes a late result at the time of its own picture', () => {
    const objects = tracker();
    const speed = 0.3;
    for (let t = 0; t <= 1500; t += 100) {
      objects.predict(t + 80);
      objects.update([at(speed * t)], t);
    }
    const [object] = objects.predict(1580);
    assert.ok(iou(object!.box, at(speed * 1580).box) > 0.85);
  });

  it('makes the same of results whether they come at once or late', () => {
    const atOnce = tracker();
    const late = tracker();
    const frames = (objects: ObjectTracker, lateMs: number): unknown[] => {
      const reported: unknown[] = [];
      for (let t = 0; t <= 3000; t += 100) {
        for (let ahead = 0; ahead <= lateMs; ahead += 33) objects.predict(t + ahead);
        reported.push(objects.update([at(50 + 0.3 * t), at(900 - 0.2 * t, 130)], t));
      }
      return reported;
    };
    assert.deepEqual(frames(late, 100), frames(atOnce, 0));
  });

  it('shows a sure object at once and a doubtful one from its second hit', () => {
    const objects = tracker();
    objects.update([at(100, 100, 0.9), at(600, 100, 0.45)], 0);
    assert.deepEqual(
      objects.predict(0).map(({ objectId }) => objectId),
      [1],
    );
    objects.update([at(100, 100, 0.9), at(600, 100, 0.45)], 66);
    assert.deepEqual(
      objects.predict(66).map(({ objectId }) => objectId),
      [1, 2],
    );
  });

  it('keeps an object by weak detections and never makes one of them', () => {
    const objects = tracker();
    for (let t = 0; t < 600; t += 66) objects.update([at(100, 100, t < 150 ? 0.9 : 0.2), at(800, 100, 0.2)], t);
    assert.deepEqual(
      objects.predict(594).map(({ objectId }) => objectId),
      [1],
    );
  });

  it('never shows a score below the threshold', () => {
    const objects = tracker();
    for (let t = 0; t < 600; t += 66) objects.update([at(100, 100, t < 150 ? 0.5 : 0.15)], t);
    assert.ok(objects.predict(594).every(({ score }) => score >= 0.4));
  });

  it('hides an object soon after its last hit and gives it back its id for as long as it is remembered', () => {
    const objects = tracker();
    for (let t = 0; t <= 330; t += 66) objects.update([at(100)], t);
    for (let t = 396; t <= 1584; t += 66) objects.update([], t);
    assert.deepEqual(objects.predict(1584), []);
    objects.update([at(100)], 1650);
    assert.equal(objects.predict(1650)[0]?.objectId, 1);
    for (let t = 1716; t <= 3696; t += 66) objects.update([], t);
    objects.update([at(100)], 3762);
    assert.equal(objects.predict(3762)[0]?.objectId, 2, 'an id is never used again');
  });

  it('does not exchange the ids of objects that cross, nor of different classes at one place', () => {
    const objects = tracker();
    for (let t = 0; t <= 2000; t += 66)
      objects.update([at(100 + 0.25 * t, 100), at(600 - 0.25 * t, 112), at(100 + 0.25 * t, 100, 0.9, 1)], t);
    const shown = objects.predict(1980);
    assert.ok(iou(shown.find(({ objectId }) => objectId === 1)!.box, at(595, 100).box) > 0.7);
    assert.ok(iou(shown.find(({ objectId }) => objectId === 2)!.box, at(105, 112).box) > 0.7);
    assert.deepEqual(new Set(shown.map(({ objectId }) => objectId)), new Set([1, 2, 3]));
  });

  it('bridges the gaps of a slow detector', () => {
    const objects = tracker();
    for (let t = 0; t <= 5000; t += 1000) objects.update([at(100 + 0.02 * t)], t);
    assert.equal(objects.predict(5990).length, 1);
  });

  it('keeps boxes inside the picture and lets go of what has left it', () => {
    const objects = tracker();
    for (let t = 0; t <= 660; t += 66) objects.update([at(1100 + 0.2 * t)], t);
    for (let t = 660; t < 960; t += 33) {
      for (const { box } of objects.predict(t)) assert.ok(box[0] >= 0 && box[0] + box[2] <= 1280);
    }
  });

  it('starts anew when a cut moves every object elsewhere', () => {
    const objects = tracker();
    for (let t = 0; t <= 660; t += 66) objects.update([at(100), at(100, 400)], t);
    for (let t = 726; t <= 1122; t += 66) objects.update([at(900), at(900, 400)], t);
    assert.deepEqual(
      objects.predict(1122).map(({ objectId }) => objectId),
      [3, 4],
    );
    assert.ok(objects.predict(1122).every(({ box }) => iou(box, at(900, box[1]).box) > 0.8));
  });

  it('leaves out boxes that are none', () => {
    const objects = tracker();
    const broken = [
      [NaN, 0, 9, 9],
      [0, 0, Infinity, 9],
      [0, 0, 0, 0],
      [5, 5, -4, 4],
    ].map((box) => ({ ...at(0), box: box as unknown as Detection['box'] }));
    for (let t = 0; t <= 500; t += 100) objects.update([...broken, at(100), { ...at(300), score: NaN }], t);
    assert.deepEqual(
      objects.predict(500).map(({ objectId, box }) => [objectId, Math.round(box[0])]),
      [[1, 100]],
    );
  });

  it('forgets what was there before a gap in the media time', () => {
    const objects = tracker();
    for (let t = 0; t <= 1000; t += 100) objects.update([at(100)], t);
    assert.deepEqual(objects.predict(6000), []);
    assert.deepEqual(
      objects.update([at(100)], 6000).map(({ objectId }) => objectId),
      [2],
    );
  });

  it('leaves a result out that is not newer than the last, and starts anew where the clock does', () => {
    const objects = tracker();
    for (let t = 10_000; t <= 11_000; t += 100) objects.update([at(100)], t);
    assert.deepEqual(
      objects.update([at(600)], 11_000).map(({ objectId, box }) => [objectId, box[0]]),
      [[1, 100]],
      'the same picture again',
    );
    assert.deepEqual(
      objects.update([at(600)], 10_950).map(({ objectId, isObserved }) => [objectId, isObserved]),
      [[1, false]],
    );
    assert.deepEqual(
      objects.update([at(100)], 40).map(({ objectId }) => objectId),
      [2],
    );
    assert.deepEqual(
      objects.update([at(100)], 140).map(({ objectId }) => objectId),
      [2],
    );
  });

  it('holds objects in place while the same detections are repeated', () => {
    const objects = tracker();
    for (let t = 0; t <= 1000; t += 100) objects.update([at(100 + 0.2 * t)], t);
    for (let t = 1100; t <= 60_000; t += 100) {
      const [object] = objects.update([at(300)], t);
      assert.equal(object?.objectId, 1);
      if (t < 3000) continue;
      assert.ok(Math.hypot(...object.velocity) < 5, `velocity ${object.velocity.join(', ')}`);
      assert.ok(iou(objects.predict(t + 90)[0]!.box, at(300).box) > 0.95);
    }
  });

  it('keeps an object whose class wavers, and calls it what it was called most', () => {
    const objects = tracker();
    const labels = new Set<string>();
    for (let t = 0; t <= 3000; t += 100) {
      const [object, ...more] = objects.update([at(100 + 0.1 * t, 100, 0.9, t % 300 === 200 ? 7 : 2)], t);
      assert.equal(object?.objectId, 1);
      assert.deepEqual(more, []);
      labels.add(object.label);
    }
    assert.deepEqual([...labels], ['class 2']);
  });

  it('knows the speed of an object that the border of the picture cuts', () => {
    const objects = tracker();
    const seen = (x: number): Detection => {
      const left = Math.max(0, x);
      return { ...at(0), box: [left, 100, Math.min(1280, x + 200) - left, 100] };
    };
    for (let t = 0; t <= 1000; t += 100) objects.update([seen(-150 + 0.3 * t)], t);
    assert.ok(Math.abs(objects.predict(1000)[0]!.velocity[0] - 300) < 15, 'entering');
    for (let t = 1100; t <= 4400; t += 100) objects.update([seen(-150 + 0.3 * t)], t);
    const [object] = objects.predict(4500);
    assert.ok(Math.abs(object!.velocity[0] - 300) < 5, 'leaving');
    assert.ok(iou(object!.box, seen(1200).box) > 0.95);
  });

  it('gives a hidden object back its id when it comes out from behind something, moved on', () => {
    const objects = tracker();
    for (let t = 0; t <= 990; t += 66) objects.update([at(100 + 0.15 * t)], t);
    for (let t = 1056; t <= 1716; t += 66) objects.update([], t);
    objects.update([at(100 + 0.15 * 1782)], 1782);
    assert.deepEqual(
      objects.predict(1782).map(({ objectId }) => objectId),
      [1],
    );
  });

  it('is not set in motion by boxes that lie on two objects at once', () => {
    const objects = tracker();
    const standing = { ...at(0), box: [600, 100, 30, 120] as const };
    const walker = (t: number): Detection => ({ ...at(0), box: [400 + 0.15 * t, 100, 60, 120] });
    for (let t = 0; t <= 1000; t += 100) objects.update([standing, walker(t)], t);
    // The net takes part of the walker for the one who stands.
    for (let t = 1100; t <= 1200; t += 100) objects.update([{ ...standing, box: [575, 100, 55, 120] }, walker(t)], t);
    const object = objects.predict(1200).find(({ objectId }) => objectId === 1);
    assert.ok(Math.abs(object!.velocity[0]) < 20, `velocity ${object!.velocity[0]}`);
    assert.ok(iou(objects.predict(1400).find(({ objectId }) => objectId === 1)!.box, standing.box) > 0.6);
  });
});
