/** Pictures that are turned or mirrored for display, in all eight ways, wherever pictures of a file are shown. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { openInput } from '../../../src/cli/annotate/input-video.js';
import { FileSnapshots } from '../../../src/source/index.js';
import { eventually } from '../../helpers/deadline.js';
import { describeFile, play } from '../../helpers/file-feed.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { HEIGHT, setDisplayMatrix, shownAt, WIDTH, writeClip, type Rgb } from '../../helpers/patches.js';

const CORNERS: readonly Rgb[] = [
  [190, 20, 20],
  [20, 190, 20],
  [20, 20, 190],
  [190, 190, 190],
];
const NAMES = ['red', 'green', 'blue', 'white'];

/** Where (a, b) and (c, d) the right and the bottom of the picture go, and what is then seen: upper left, upper right, lower left, lower right. */
const ORIENTATIONS: readonly [
  name: string,
  matrix: readonly [number, number, number, number],
  seen: readonly string[],
  reason: RegExp | undefined,
][] = [
  ['as it is', [1, 0, 0, 1], ['red', 'green', 'blue', 'white'], undefined],
  ['turned by 90', [0, 1, -1, 0], ['blue', 'red', 'white', 'green'], /^it is turned by 90 degrees for display/],
  ['turned by 180', [-1, 0, 0, -1], ['white', 'blue', 'green', 'red'], /^it is turned by 180 degrees/],
  ['turned by 270', [0, -1, 1, 0], ['green', 'white', 'red', 'blue'], /^it is turned by 270 degrees/],
  ['mirrored left to right', [-1, 0, 0, 1], ['green', 'red', 'white', 'blue'], /^it is mirrored for display/],
  ['mirrored upside down', [1, 0, 0, -1], ['blue', 'white', 'red', 'green'], /^it is mirrored and turned by 180 degrees/],
  ['mirrored at one diagonal', [0, 1, 1, 0], ['red', 'blue', 'green', 'white'], /^it is mirrored and turned by 270 degrees/],
  ['mirrored at the other', [0, -1, -1, 0], ['white', 'green', 'blue', 'red'], /^it is mirrored and turned by 90 degrees/],
];

const nearest = (rgb: Rgb): string =>
  NAMES[
    CORNERS.map((corner) => corner.reduce((sum, value, i) => sum + Math.abs(value - (rgb[i] as number)), 0)).reduce(
      (best, far, i, all) => (far < (all[best] as number) ? i : best),
      0,
    )
  ] as string;
const PLACES = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
] as const;

describe('pictures that are turned or mirrored for display', { concurrency: 2 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-orientation-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const picture = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++)
    Buffer.from(CORNERS[(Math.floor(i / WIDTH) < HEIGHT / 2 ? 0 : 2) + (i % WIDTH < WIDTH / 2 ? 0 : 1)] as Rgb).copy(picture, 3 * i);

  for (const [name, matrix, seen, reason] of ORIENTATIONS) {
    it(`are shown upright in stream, still and annotated file: ${name}`, async () => {
      const deps = realDeps();
      const file = path.join(folder, `${name}.mp4`);
      // With B-frames, so that it is decoded in any case.
      writeClip(file, picture, ['-pix_fmt', 'rgb24'], ['-c:v', 'libx264', '-preset', 'superfast', '-bf', '2', '-pix_fmt', 'yuv420p']);
      setDisplayMatrix(file, matrix);
      const description = await describeFile(deps, file);
      const [width, height] = matrix[0] === 0 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
      assert.deepEqual([description.widthPx, description.heightPx], [width, height]);
      if (reason) assert.match(description.reason ?? '', /^it has B-frames|^it is /);

      let found: string[] | undefined;
      const { feed } = play(
        description,
        deps,
        {},
        (shown) => (found ??= PLACES.map(([x, y]) => nearest(shownAt(shown.data, width, height, x, y, shown.colour)))),
      );
      await eventually(() => found !== undefined, 15_000, 'a picture');
      await feed.close();
      assert.deepEqual(found, seen, 'in the stream');

      const still = await sharp(await new FileSnapshots(deps).get(description, width))
        .raw()
        .toBuffer({ resolveWithObject: true });
      const stillAt = ([x, y]: readonly [number, number]): Rgb => {
        const at = 3 * (Math.floor(y * still.info.height) * still.info.width + Math.floor(x * still.info.width));
        return [still.data[at] as number, still.data[at + 1] as number, still.data[at + 2] as number];
      };
      assert.deepEqual(
        PLACES.map((place) => nearest(stillAt(place))),
        seen,
        'in the still',
      );

      const input = await openInput(file, deps);
      assert.deepEqual([input.widthPx, input.heightPx], [width, height]);
      const annotated = execFileSync(
        'ffmpeg',
        ['-v', 'error', '-noautorotate', '-i', file, '-frames:v', '1', '-vf', input.filters.join(','), '-f', 'rawvideo', 'pipe:1'],
        { maxBuffer: 1 << 24 },
      );
      assert.deepEqual(
        PLACES.map(([x, y]) => nearest(shownAt(annotated, width, height, x, y, input.colour))),
        seen,
        'in the annotated file',
      );
      assertNothingHeld(deps);
    });
  }
});
