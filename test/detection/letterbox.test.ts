import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Letterbox } from '../../src/detection/letterbox.js';
import { plainPicture } from '../helpers/pictures.js';
import { seededRandom } from '../helpers/random.js';

const layout = { widthPx: 64, heightPx: 64, channels: 'bgr', pad: 114 } as const;

describe('Letterbox', () => {
  it('puts the picture at the top left, keeps its shape and pads the rest', () => {
    const letterbox = new Letterbox(128, 64, layout);
    const planes = new Float32Array(3 * 64 * 64);
    letterbox.write(plainPicture(128, 64, 235).data, planes);
    assert.equal(letterbox.ratio, 0.5);
    for (const plane of [0, 1, 2]) {
      assert.ok(Math.abs(planes[plane * 4096]! - 255) < 1);
      assert.ok(Math.abs(planes[plane * 4096 + 31 * 64 + 63]! - 255) < 1);
      assert.equal(planes[plane * 4096 + 32 * 64]!, 114);
    }
  });

  it('gives the colours of BT.601 in the order of the layout', () => {
    // Limited-range BT.601 of pure red (255, 0, 0).
    const red = plainPicture(64, 64, 81, 90, 240);
    for (const [channels, expected] of [['bgr', [0, 0, 255]], ['rgb', [255, 0, 0]]] as const) {
      const planes = new Float32Array(3 * 64 * 64);
      new Letterbox(64, 64, { ...layout, channels }).write(red.data, planes);
      expected.forEach((value, plane) => assert.ok(Math.abs(planes[plane * 4096 + 100]! - value) < 3, `${channels} plane ${plane}: ${planes[plane * 4096 + 100]}`));
    }
  });

  it('interpolates as a plain bilinear scaling does', () => {
    const random = seededRandom(5);
    const picture = plainPicture(100, 70);
    for (let i = 0; i < 7000; i++) picture.data[i] = 16 + Math.floor(random() * 219);
    const planes = new Float32Array(3 * 64 * 64);
    const letterbox = new Letterbox(100, 70, layout);
    letterbox.write(picture.data, planes);
    const luma = (x: number, y: number): number => picture.data[Math.min(69, y) * 100 + Math.min(99, x)]!;
    for (let y = 0; y < 44; y++) {
      for (let x = 0; x < 64; x++) {
        const sx = Math.max(0, (x + 0.5) / letterbox.ratio - 0.5);
        const sy = Math.max(0, (y + 0.5) / letterbox.ratio - 0.5);
        const [ix, iy] = [Math.floor(sx), Math.floor(sy)];
        const [fx, fy] = [sx - ix, sy - iy];
        const top = luma(ix, iy) * (1 - fx) + luma(ix + 1, iy) * fx;
        const bottom = luma(ix, iy + 1) * (1 - fx) + luma(ix + 1, iy + 1) * fx;
        const expected = ((top * (1 - fy) + bottom * fy - 16) * 255) / 219;
        assert.ok(Math.abs(planes[y * 64 + x]! - Math.max(0, Math.min(255, expected))) < 2.5, `at ${x},${y}`);
      }
    }
  });

  it('takes portrait, tiny and huge pictures', () => {
    for (const [width, height] of [[2, 2], [90, 160], [7680, 4320]] as const) {
      const planes = new Float32Array(3 * 64 * 64);
      new Letterbox(width, height, layout).write(plainPicture(width, height, 126).data, planes);
      assert.ok(planes.every((value) => value >= 0 && value <= 255));
    }
  });
});
