import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BGR_255, IMAGENET, RGB_1, type InputLayout } from '../../src/detection/input-layout.js';
import { Letterbox, placement } from '../../src/detection/letterbox.js';
import { plainPicture } from '../helpers/pictures.js';
import { seededRandom } from '../helpers/random.js';

const layout: InputLayout = { ...BGR_255, widthPx: 64, heightPx: 64 };

describe('Letterbox', () => {
  it('puts the picture at the top left, keeps its shape and pads the rest', () => {
    const letterbox = new Letterbox(128, 64, layout);
    const planes = new Float32Array(3 * 64 * 64);
    letterbox.write(plainPicture(128, 64, 235).data, planes);
    assert.deepEqual([letterbox.geometry.ratioX, letterbox.geometry.ratioY, letterbox.geometry.offsetYPx], [0.5, 0.5, 0]);
    for (const plane of [0, 1, 2]) {
      assert.ok(Math.abs(planes[plane * 4096]! - 255) < 1);
      assert.ok(Math.abs(planes[plane * 4096 + 31 * 64 + 63]! - 255) < 1);
      assert.equal(planes[plane * 4096 + 32 * 64]!, 114);
    }
  });

  it('gives the colours of BT.601 in the order of the layout', () => {
    // Limited-range BT.601 of pure red (255, 0, 0).
    const red = plainPicture(64, 64, 81, 90, 240);
    for (const [channels, expected] of [
      ['bgr', [0, 0, 255]],
      ['rgb', [255, 0, 0]],
    ] as const) {
      const planes = new Float32Array(3 * 64 * 64);
      new Letterbox(64, 64, { ...layout, channels }).write(red.data, planes);
      expected.forEach((value, plane) =>
        assert.ok(Math.abs(planes[plane * 4096 + 100]! - value) < 3, `${channels} plane ${plane}: ${planes[plane * 4096 + 100]}`),
      );
    }
  });

  it('gives the colours of BT.709 where the picture has them', () => {
    // Limited-range BT.709 of pure red, green and blue.
    for (const [yuv, expected] of [
      [
        [63, 102, 240],
        [255, 0, 0],
      ],
      [
        [173, 42, 26],
        [0, 255, 0],
      ],
      [
        [32, 240, 118],
        [0, 0, 255],
      ],
    ] as const) {
      const planes = new Float32Array(3 * 64 * 64);
      new Letterbox(64, 64, { ...layout, channels: 'rgb' }).write(plainPicture(64, 64, ...yuv).data, planes, true);
      expected.forEach((value, plane) =>
        assert.ok(Math.abs(planes[plane * 4096 + 100]! - value) < 4, `plane ${plane}: ${planes[plane * 4096 + 100]}`),
      );
    }
  });

  it('interpolates as a plain bilinear scaling does', () => {
    const random = seededRandom(5);
    const picture = plainPicture(100, 70);
    for (let i = 0; i < 7000; i++) picture.data[i] = 16 + Math.floor(random() * 219);
    const planes = new Float32Array(3 * 64 * 64);
    new Letterbox(100, 70, layout).write(picture.data, planes);
    const luma = (x: number, y: number): number => picture.data[Math.min(69, y) * 100 + Math.min(99, x)]!;
    for (let y = 0; y < 44; y++) {
      for (let x = 0; x < 64; x++) {
        const sx = Math.max(0, ((x + 0.5) * 100) / 64 - 0.5);
        const sy = Math.max(0, ((y + 0.5) * 70) / 44 - 0.5);
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
    for (const fit of ['top-left', 'centre', 'stretch'] as const) {
      for (const [width, height] of [
        [2, 2],
        [90, 160],
        [7680, 4320],
        [4000, 2],
        [2, 4000],
      ] as const) {
        const planes = new Float32Array(3 * 64 * 64).fill(NaN);
        new Letterbox(width, height, { ...layout, fit }).write(plainPicture(width, height, 126).data, planes);
        assert.ok(
          planes.every((value) => value === 114 || Math.abs(value - 128) < 1),
          `${fit} of ${width}x${height}`,
        );
      }
    }
  });

  it('puts the picture in the middle with the odd pixel of padding below, as Ultralytics does', () => {
    const planes = new Float32Array(3 * 64 * 64);
    // 64 x 45: 19 rows of padding, 9 above and 10 below.
    const letterbox = new Letterbox(128, 90, { ...RGB_1, widthPx: 64, heightPx: 64 });
    letterbox.write(plainPicture(128, 90, 235).data, planes);
    assert.deepEqual([letterbox.geometry.offsetXPx, letterbox.geometry.offsetYPx], [0, 9]);
    const rows = Array.from({ length: 64 }, (_, y) => planes[y * 64 + 10]! > 0.9);
    assert.deepEqual([rows.indexOf(true), rows.lastIndexOf(true)], [9, 53]);
    assert.ok(Math.abs(planes[0]! - 114 / 255) < 1e-6);
  });

  it('rounds scaled sizes as the reference implementations do', () => {
    const scaled = (fit: InputLayout['fit'], width: number, height: number): number =>
      placement(width, height, { ...layout, fit, widthPx: 640, heightPx: 640 }).scaledHeightPx;
    // 1366 x 768 becomes 359.8 rows, 1280 x 723 becomes 361.5 and 1280 x 725 becomes 362.5.
    assert.deepEqual(
      [scaled('top-left', 1366, 768), scaled('centre', 1366, 768), scaled('centre', 1280, 723), scaled('centre', 1280, 725)],
      [359, 360, 362, 362],
    );
  });

  it('stretches a picture over the whole input', () => {
    const planes = new Float32Array(3 * 64 * 64);
    const letterbox = new Letterbox(128, 32, { ...layout, fit: 'stretch' });
    letterbox.write(plainPicture(128, 32, 235).data, planes);
    assert.deepEqual([letterbox.geometry.ratioX, letterbox.geometry.ratioY], [0.5, 2]);
    assert.ok(planes.every((value) => value > 254));
  });

  it('subtracts the mean and divides by the deviation of each plane, of padding too', () => {
    const planes = new Float32Array(3 * 64 * 64);
    new Letterbox(128, 64, { ...RGB_1, ...IMAGENET, fit: 'top-left', widthPx: 64, heightPx: 64 }).write(
      plainPicture(128, 64, 235).data,
      planes,
    );
    IMAGENET.mean.forEach((mean, plane) => {
      const std = IMAGENET.std[plane]!;
      assert.ok(Math.abs(planes[plane * 4096]! - (1 - mean) / std) < 0.02);
      assert.ok(Math.abs(planes[plane * 4096 + 4095]! - (114 / 255 - mean) / std) < 1e-5);
    });
  });
});
