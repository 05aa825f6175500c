import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MotionGate } from '../../src/detection/index.js';
import { i420Size, VideoFrame } from '../../src/media/index.js';
import { seededRandom } from '../helpers/random.js';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAME_MS = 1000 / 30;

interface Scene {
  /** Top left of a 20x20 object; none where undefined. */
  readonly object?: readonly [x: number, y: number] | undefined;
  /** Levels that the object differs from what is behind it. */
  readonly contrast?: number;
  /** Levels added to everything. */
  readonly light?: number;
}

const NOISE = 1_000_003;
const random = seededRandom(3);
const noiseLevels = Int8Array.from({ length: NOISE }, () => Math.round(random() * 6 - 3));

/** A textured scene with sensor noise of up to 3 levels. */
function picture(frame: number, { object, contrast = 40, light = 0 }: Scene = {}, width = WIDTH, height = HEIGHT): VideoFrame {
  const data = Buffer.alloc(i420Size(width, height), 128);
  let noiseAt = (frame * 77_777) % NOISE;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      data[at] = 90 + ((x * 7 + y * 13) % 50) + light + noiseLevels[noiseAt]!;
      noiseAt = noiseAt + 1 < NOISE ? noiseAt + 1 : 0;
    }
  }
  if (object) paint(data, width, height, object, contrast);
  return new VideoFrame({ data, widthPx: width, heightPx: height, mediaTimeMs: frame * FRAME_MS });
}

function paint(data: Buffer, width: number, height: number, [left, top]: readonly [number, number], contrast: number): void {
  for (let y = top; y < Math.min(height, top + 20); y++) {
    for (let x = left; x < Math.min(width, left + 20); x++) data[y * width + x] = data[y * width + x]! + contrast;
  }
}

/** A gate that has seen an empty scene until it sleeps, and the number of the next picture. */
function asleep(options = {}): [MotionGate, number] {
  const gate = new MotionGate(options);
  for (let frame = 0; frame < 150; frame++) {
    if (!gate.look(picture(frame))) return [gate, frame + 1];
  }
  throw new Error('the gate never sleeps');
}

describe('MotionGate', () => {
  it('lets the first pictures through, then sleeps while there is only noise', () => {
    const gate = new MotionGate({ refreshMs: 1e6 });
    const seen = Array.from({ length: 90 }, (_, frame) => gate.look(picture(frame)));
    assert.ok(seen[0]);
    assert.ok([29, 30].includes(seen.lastIndexOf(true)), 'awake for the second after the beginning');
  });

  it('wakes within a few pictures for an object of 20x20 that moves 2 px a picture, wherever it is', () => {
    for (const [x, y] of [
      [100, 100],
      [391, 217],
      [632, 344],
      [1190, 695],
      [0, 8],
    ] as const) {
      const [gate, frame] = asleep({ refreshMs: 1e6 });
      const woken = Array.from({ length: 12 }, (_, i) => gate.look(picture(frame + i, { object: [x + 2 * i, y] }))).indexOf(true);
      assert.ok(woken >= 0 && woken <= 5, `at ${x},${y}: woken by picture ${woken}`);
    }
  });

  it('wakes for an object that was part of the scene when it sets off', () => {
    const gate = new MotionGate({ refreshMs: 1e6 });
    let frame = 0;
    for (; frame < 60; frame++) gate.look(picture(frame, { object: [500, 300] }));
    assert.equal(gate.look(picture(frame++, { object: [500, 300] })), false);
    const woken = Array.from({ length: 10 }, (_, i) => gate.look(picture(frame + i, { object: [500 + 2 * i, 300] }))).indexOf(true);
    assert.ok(woken >= 0 && woken <= 6, `woken by picture ${woken}`);
  });

  it('sleeps again when what came stays', () => {
    const [gate, frame] = asleep({ refreshMs: 1e6 });
    const seen = Array.from({ length: 180 }, (_, i) => gate.look(picture(frame + i, { object: [300, 300], contrast: 80 })));
    assert.ok(seen[0]);
    assert.ok(seen.slice(0, 30).every(Boolean), 'awake for a second at least');
    assert.ok(!seen.slice(150).some(Boolean), 'asleep after five');
  });

  it('does not wake for light that changes slowly, nor for a jump of the exposure', () => {
    const [gate, frame] = asleep({ refreshMs: 1e6 });
    for (let i = 0; i < 150; i++) assert.equal(gate.look(picture(frame + i, { light: Math.round((i / 30) * 8) })), false, `picture ${i}`);
    assert.equal(gate.look(picture(frame + 150, { light: 60 })), false);
  });

  it('lets one picture through every so often though nothing moves', () => {
    const [gate, frame] = asleep({ refreshMs: 2000 });
    const seen = Array.from({ length: 200 }, (_, i) => gate.look(picture(frame + i)));
    const woken = seen.flatMap((isAwake, i) => (isAwake ? [i] : []));
    assert.equal(woken.length, 3);
    assert.deepEqual(
      woken.slice(1).map((i, n) => i - woken[n]!),
      [60, 60],
    );
  });

  it('begins anew with another size and with another clock', () => {
    const [gate, frame] = asleep();
    assert.ok(gate.look(picture(frame, {}, 640, 360)));
    assert.ok(gate.look(picture(0, {}, 640, 360)));
  });

  it('takes pictures of any size', () => {
    for (const [width, height] of [
      [2, 2],
      [16, 8],
      [322, 182],
      [1278, 718],
      [3840, 2160],
    ] as const) {
      const gate = new MotionGate();
      assert.ok(gate.look(picture(0, {}, width, height)));
      for (let frame = 1; frame < 4; frame++) gate.look(picture(frame, {}, width, height));
    }
  });
});
