import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classColour } from '../../../src/detection/palette.js';
import { classColours } from '../../../src/page/overlay/palette.js';

describe('the colours of classes', () => {
  it('are those of the processed rendition', () => {
    for (let classId = 0; classId < 80; classId++) {
      const { background, text } = classColours(classId);
      const [r, g, b] = (background.match(/\d+/g) ?? []).map(Number) as [number, number, number];
      const server = classColour(classId);
      const near = (mine: number, theirs: number): boolean => Math.abs(mine - theirs) <= 1;
      assert.ok(near(16 + 0.257 * r + 0.504 * g + 0.098 * b, server.y), `class ${classId}`);
      assert.ok(near(128 - 0.148 * r - 0.291 * g + 0.439 * b, server.u), `class ${classId}`);
      assert.equal(text, server.y > 130 ? '#000' : '#fff', `text on class ${classId}`);
    }
  });
});
