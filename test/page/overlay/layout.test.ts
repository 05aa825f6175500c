import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boxRect, contain, labelRect, type Fit, type Rect } from '../../../src/page/overlay/layout.js';

describe('the layout of the overlay', () => {
  it('finds the picture in an element that is wider or higher', () => {
    assert.deepEqual(contain(2000, 720, 1280, 720), { left: 360, top: 0, scale: 1, width: 1280, height: 720 });
    assert.deepEqual(contain(640, 480, 1280, 720), { left: 0, top: 60, scale: 0.5, width: 640, height: 360 });
  });

  it('puts boxes on whole pixels of the screen', () => {
    assert.deepEqual(boxRect([100.3, 50.2, 200.9, 99], contain(640, 480, 1280, 720)), [50, 85, 151, 135]);
  });

  it('puts a label above its box, below where there is no room, beside another label, and always inside the picture', () => {
    const fit = contain(640, 480, 1280, 720);
    const label = (box: Rect, within: Fit, taken: readonly Rect[] = []): Rect => labelRect({ box, width: 80, height: 17, taken }, within);
    assert.deepEqual(label([50, 200, 150, 300], fit), [50, 183, 130, 200]);
    assert.deepEqual(label([50, 62, 150, 300], fit), [50, 300, 130, 317]);
    assert.deepEqual(label([50, 200, 150, 300], fit, [[60, 190, 140, 207]]), [50, 300, 130, 317]);
    assert.deepEqual(label([620, 62, 640, 418], fit), [560, 62, 640, 79]);
    assert.deepEqual(label([-50, 0, 700, 480], fit).slice(0, 2), [0, 65 - 5 + 0]);
  });
});
