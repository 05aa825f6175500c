import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { annotate, LabelRenderer, type DrawnObject } from '../../src/detection/index.js';
import { classColour } from '../../src/detection/palette.js';
import { VideoFrame } from '../../src/media/index.js';
import { plainPicture } from '../helpers/pictures.js';

const run = promisify(execFile);

const object = (box: DrawnObject['box'], classId = 0): DrawnObject => ({ box, classId, label: 'person', score: 0.87, objectId: 12 });

async function renderer(heightPx: number): Promise<LabelRenderer> {
  const labels = new LabelRenderer({ labels: ['person'] });
  await labels.prepare(heightPx);
  return labels;
}

/** Left, top, right and bottom of all brightness that changed. */
function changed(picture: VideoFrame): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let y = 0; y < picture.heightPx; y++) {
    for (let x = 0; x < picture.widthPx; x++) {
      if (picture.data[y * picture.widthPx + x] === 128) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  return [left, top, right, bottom];
}

describe('annotate', () => {
  it('draws nothing of a box outside the picture, not even its label', async () => {
    const picture = plainPicture(640, 360);
    annotate(
      picture,
      [object([-200, 100, 90, 50]), object([700, 100, 90, 50]), object([10, 400, 90, 50]), object([NaN, NaN, NaN, NaN])],
      await renderer(360),
    );
    assert.deepEqual(changed(picture), [Infinity, Infinity, -1, -1]);
  });

  it('draws names of any length and content on one line, and none of them spoils the others', async () => {
    const names = ['person', 'm'.repeat(100_000), 'two\nlines', 'a\u0000b', '\ud800', '   ', '<b>&', 'автомобиль', '行人'];
    const labels = new LabelRenderer({ labels: names });
    await labels.prepare(720);
    const sheet = labels.sheet(720);
    for (const name of names) {
      const bitmap = sheet?.name(name);
      assert.ok(bitmap && bitmap.height === sheet?.height && bitmap.width < 1280 / 2 + 200, name.slice(0, 20));
    }
    const [oneLine, spaced] = [sheet?.name('two\nlines'), sheet?.name('person')];
    assert.ok(oneLine && spaced && oneLine.width > spaced.width);
  });

  it('draws the box in the colour of its class and leaves its inside alone', async () => {
    const picture = plainPicture(640, 360);
    annotate(picture, [object([100, 100, 200, 120])], await renderer(360));
    const { y, u, v } = classColour(0);
    const at = (px: number, py: number): readonly number[] => {
      const chroma = (py >> 1) * 320 + (px >> 1);
      return [picture.data[py * 640 + px]!, picture.data[640 * 360 + chroma]!, picture.data[640 * 450 + chroma]!];
    };
    for (const [px, py] of [
      [100, 160],
      [299, 160],
      [200, 100],
      [200, 219],
    ] as const)
      assert.deepEqual(at(px, py), [y, u, v], `${px},${py}`);
    assert.deepEqual(at(200, 160), [128, 128, 128]);
  });

  for (const [width, height] of [
    [640, 360],
    [1920, 1080],
  ] as const) {
    it(`puts a label of legible size above the box at ${height} lines`, async () => {
      const picture = plainPicture(width, height);
      annotate(picture, [object([200, 200, 300, 100])], await renderer(height));
      const [left, top] = changed(picture);
      assert.equal(left, 200);
      assert.ok(200 - top >= 14 && 200 - top <= 50, `label of ${200 - top} px`);
      // Text is there: many different shades between its colour and the background.
      const shades = new Set(picture.data.subarray(top * width + 200, (top + 1) * width * 12));
      assert.ok(shades.size > 12);
    });
  }

  it('keeps labels inside the picture at every edge and draws boxes that leave it', async () => {
    const labels = await renderer(360);
    for (const box of [
      [0, 0, 50, 40],
      [600, 0, 40, 40],
      [0, 330, 640, 30],
      [620, 340, 20, 20],
      [0, 0, 640, 360],
      [-20, -20, 700, 400],
      [300.7, 100.3, 2, 2],
    ] as const) {
      annotate(plainPicture(640, 360), [object(box)], labels);
    }
    const [left, top, right, bottom] = changed(
      (() => {
        const picture = plainPicture(640, 360);
        annotate(picture, [object([600, 0, 40, 40])], labels);
        return picture;
      })(),
    );
    assert.ok(left < 600 && top >= 0 && right < 640 && bottom < 360);
  });

  it('draws the box and no text in the picture for which the text is not ready', async () => {
    const labels = new LabelRenderer({ labels: ['person'] });
    const picture = plainPicture(640, 360);
    annotate(picture, [object([100, 100, 200, 120])], labels);
    assert.deepEqual(changed(picture).slice(0, 2), [100, 100]);
    await labels.prepare(360);
  });

  it('draws the same colour into pictures of BT.709 as into those of BT.601', async () => {
    const labels = await renderer(360);
    const shown = [undefined, { primaries: 1, transfer: 1, matrix: 1 }].map((colour) => {
      const { data, widthPx, heightPx, mediaTimeMs } = plainPicture(640, 360);
      const picture = new VideoFrame({ data, widthPx, heightPx, mediaTimeMs, colour });
      annotate(picture, [object([100, 100, 200, 120])], labels);
      const chroma = 80 * 320 + 50;
      const [y, u, v] = [
        picture.data[160 * 640 + 100]! - 16,
        picture.data[640 * 360 + chroma]! - 128,
        picture.data[640 * 450 + chroma]! - 128,
      ];
      // The inverse of each standard's own equations (ITU-R BT.601 and BT.709).
      const [kr, kb] = colour ? [0.2126, 0.0722] : [0.299, 0.114];
      const [luma, pb, pr] = [(y * 255) / 219, (u * 255) / 224, (v * 255) / 224];
      const [r, b] = [luma + 2 * (1 - kr) * pr, luma + 2 * (1 - kb) * pb];
      return [r, (luma - kr * r - kb * b) / (1 - kr - kb), b];
    });
    const [in601, in709] = shown as [number[], number[]];
    in601.forEach((value, channel) => assert.ok(Math.abs(value - in709[channel]!) <= 4, `${in601.join()} and ${in709.join()}`));
  });

  it('gives every class a colour of its own that stays', () => {
    const colours = Array.from({ length: 80 }, (_, classId) => classColour(classId));
    assert.deepEqual(
      colours,
      Array.from({ length: 80 }, (_, classId) => classColour(classId)),
    );
    for (let i = 1; i < 80; i++) {
      const [a, b] = [colours[i - 1]!, colours[i]!];
      assert.ok(Math.abs(a.u - b.u) + Math.abs(a.v - b.v) > 40, `classes ${i - 1} and ${i}`);
    }
  });

  it('renders names with markup and other alphabets', async () => {
    const labels = new LabelRenderer({ labels: ['<b>&', 'собака', 'Änderung'] });
    await labels.prepare(720);
    const sheet = labels.sheet(720);
    for (const name of ['<b>&', 'собака', 'Änderung'])
      assert.ok((sheet?.name(name)?.alpha.filter((value) => value > 128).length ?? 0) > 40, name);
  });

  it('moves a label away from others where there is room', async () => {
    const labels = await renderer(360);
    const boxes = [
      [100, 100, 80, 60],
      [104, 102, 80, 60],
      [96, 98, 80, 60],
      [102, 104, 80, 60],
    ] as const;
    const alone = changed(
      (() => {
        const picture = plainPicture(640, 360);
        annotate(picture, [object(boxes[0])], labels);
        return picture;
      })(),
    );
    const picture = plainPicture(640, 360);
    annotate(
      picture,
      boxes.map((box) => object(box)),
      labels,
    );
    const [, top, , bottom] = changed(picture);
    assert.ok(bottom - top >= alone[3] - alone[1] + 2 * (100 - alone[1]), 'four labels need more room than one');
  });

  it('writes text where the machine has no font of its own', async () => {
    // fontconfig reads its settings once a process.
    const script = `import { LabelRenderer } from ${JSON.stringify(new URL('../../src/detection/index.js', import.meta.url).href)};
      const labels = new LabelRenderer({ labels: ['iiii', 'mmmm'] });
      await labels.prepare(720);
      const sheet = labels.sheet(720);
      console.log(sheet.name('iiii').width, sheet.name('mmmm').width);`;
    const empty = mkdtempSync(path.join(os.tmpdir(), 'sightline-fonts-'));
    const env = { PATH: process.env['PATH'], FONTCONFIG_PATH: empty, FONTCONFIG_SYSROOT: empty, HOME: empty };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 20_000 });
    rmSync(empty, { recursive: true, force: true });
    // A font that is missing gives boxes of one width for every letter.
    const [narrow = NaN, wide = NaN] = stdout.trim().split(' ').map(Number);
    assert.ok(wide > 2 * narrow, stdout);
  });
});
