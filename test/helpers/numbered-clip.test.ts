import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { Detector } from '../../src/detection/index.js';
import { silentLogger } from '../../src/base/logger.js';
import { i420Size, VideoFrame } from '../../src/media/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { FRAME_NUMBER_MODEL, numberOfBox } from './frame-number-model.js';
import { makeNumberedClip, paintNumber, readLumaNumber, readRgbaNumber, type NumberedClip } from './numbered-clip.js';

const WIDTH = 640;
const HEIGHT = 360;

describe('a numbered clip', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-numbers-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function picturesOf(name: string, clip: NumberedClip, ...filter: string[]): Promise<Buffer[]> {
    const file = path.join(folder, name);
    await makeNumberedClip(file, clip);
    const all = execFileSync('ffmpeg', ['-v', 'error', '-i', file, ...filter, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'], {
      maxBuffer: 2 ** 30,
    });
    const size = i420Size(WIDTH, HEIGHT);
    return Array.from({ length: all.length / size }, (_unused, i) => all.subarray(i * size, (i + 1) * size));
  }

  it('carries its numbers through H.264, without and with B-frames', async () => {
    for (const bFrames of [0, 3]) {
      const pictures = await picturesOf(`b${bFrames}.mp4`, { seconds: 1, firstNumber: 1000, bFrames });
      assert.deepEqual(
        pictures.map((picture) => readLumaNumber(picture, WIDTH)),
        Array.from({ length: 30 }, (_unused, i) => 1000 + i),
      );
    }
  });

  it('is readable after scaling and noise', async () => {
    const pictures = await picturesOf('large.mp4', { seconds: 1, widthPx: 1280 }, '-vf', `scale=${WIDTH}:${HEIGHT},noise=alls=30`);
    assert.deepEqual(
      pictures.map((picture) => readLumaNumber(picture, WIDTH)),
      Array.from({ length: 30 }, (_unused, i) => i),
    );
  });

  it('tells a damaged number and a picture without one from a number', () => {
    const picture = paintNumber(77, WIDTH, HEIGHT);
    assert.equal(readLumaNumber(picture, WIDTH), 77);
    picture.fill(128, 0, WIDTH * 5);
    assert.equal(readLumaNumber(picture, WIDTH), 77, 'the edge is not what is read');
    for (let cell = 0; cell < 16; cell++) assert.equal(readLumaNumber(withCellTurned(cell), WIDTH), undefined, `cell ${cell} turned`);
    assert.equal(readLumaNumber(Buffer.alloc(i420Size(WIDTH, HEIGHT), 128), WIDTH), undefined);
    assert.equal(readLumaNumber(Buffer.alloc(0), WIDTH), undefined);
  });

  it('is read from RGBA as from luma', () => {
    const luma = paintNumber(3210, WIDTH, HEIGHT).subarray(0, WIDTH * HEIGHT);
    assert.equal(readRgbaNumber(Buffer.from(Array.from(luma, (y) => [y, y, y, 255]).flat()), WIDTH), 3210);
  });
});

/** Number 77 with one cell and its inverse exchanged. */
function withCellTurned(cell: number): Buffer {
  const picture = paintNumber(77, WIDTH, HEIGHT);
  const side = WIDTH / 16;
  for (let y = 0; y < 2 * side; y++)
    for (let x = cell * side; x < (cell + 1) * side; x++) picture[y * WIDTH + x] = 251 - picture[y * WIDTH + x]!;
  return picture;
}

describe('the detector of frame numbers', () => {
  let detector: Detector;
  before(async () => {
    const ledger = new ResourceLedger();
    detector = await Detector.open({ modelPath: FRAME_NUMBER_MODEL, clock: systemClock(ledger), ledger, logger: silentLogger });
  });
  after(() => detector.close());

  const seenIn = async (data: Buffer, widthPx: number, heightPx: number): Promise<(number | undefined)[]> => {
    const { detections } = await detector.detect(new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: 0 }));
    return detections.map(({ box }) => numberOfBox(box, widthPx));
  };

  it('says the number of every picture, whatever its size', async () => {
    for (let number = 0; number < 1024; number++)
      assert.deepEqual(await seenIn(paintNumber(number, WIDTH, HEIGHT), WIDTH, HEIGHT), [number]);
    assert.deepEqual(await seenIn(paintNumber(345, 1280, 720), 1280, 720), [345]);
  });

  it('sees nothing in a damaged number or another picture', async () => {
    assert.deepEqual(await seenIn(withCellTurned(5), WIDTH, HEIGHT), []);
    assert.deepEqual(await seenIn(Buffer.alloc(i420Size(WIDTH, HEIGHT), 128), WIDTH, HEIGHT), []);
  });
});
