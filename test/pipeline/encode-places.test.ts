import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeCost, EncodePlaces, type EncodePlaceHolder } from '../../src/pipeline/encode-places.js';

const sized = (shortSidePx: number, fps = 30): { widthPx: number; heightPx: number; fps: number } => ({
  widthPx: (shortSidePx * 16) / 9,
  heightPx: shortSidePx,
  fps,
});
const cost = (source: number, target: number, fps?: number): number =>
  Math.round(100 * encodeCost(sized(source, fps), sized(target))) / 100;

describe('what an encoder of a rung takes', () => {
  it('grows with the pixels that are encoded, those that are read, and the rate', () => {
    assert.deepEqual(
      [cost(720, 540), cost(1080, 720), cost(2160, 180), cost(2160, 720), cost(2160, 1080), cost(1080, 720, 60), cost(1080, 720, 15)],
      [0.73, 1.38, 1.56, 2.5, 3.75, 2.75, 0.69],
    );
  });

  it('is never next to nothing, however small the pictures are', () => {
    assert.deepEqual([cost(360, 180), cost(180, 90), cost(720, 180), cost(2160, 180, 1)], [0.25, 0.25, 0.25, 0.25]);
  });
});

describe('places of encoders', () => {
  const holder = (isIdle = false): EncodePlaceHolder & { gaveUp: number } => ({
    isIdle,
    gaveUp: 0,
    giveUp() {
      this.gaveUp++;
    },
  });

  it('are refused where too few are free, in words', () => {
    const places = new EncodePlaces(2);
    const leave = places.take(holder(), 1.5);
    assert.ok(places.hasRoom(0.5));
    assert.equal(places.hasRoom(0.6), false);
    assert.throws(() => places.take(holder(), 0.5625 + 1 / 6), {
      code: 'CAPACITY_REACHED',
      message:
        'too few places for encoders of lower qualities: this one takes 0.73, 0.5 of 2 (4 a core, each for 720p at 30 frames a second) are free, ' +
        'choose a quality that runs; try again in 5 s',
    });
    leave();
    leave();
    for (let i = 0; i < 8; i++) places.take(holder(), 0.25);
    assert.equal(places.hasRoom(0.25), false);
  });

  it('sum up to as many as there are, in whatever fractions', () => {
    const places = new EncodePlaces(1);
    for (let i = 0; i < 10; i++) places.take(holder(), 0.1);
    assert.equal(places.hasRoom(0.1), false);
  });

  it('are all for one that takes more, where nobody else encodes', () => {
    const places = new EncodePlaces(2);
    const leave = places.take(holder(), 9);
    assert.equal(places.hasRoom(0.25), false);
    leave();
    places.take(holder(), 0.25);
    assert.equal(places.hasRoom(9), false);
  });

  it('are taken over from what nobody watches, from as many as it takes', () => {
    const places = new EncodePlaces(2);
    const [watched, ...idle] = [holder(), holder(true), holder(true), holder(true)];
    places.take(watched, 0.5);
    const leaves = idle.map((each) => places.take(each, 0.5));
    assert.ok(places.hasRoom(1.5));
    places.take(holder(), 1);
    assert.deepEqual(
      [watched, ...idle].map(({ gaveUp }) => gaveUp),
      [0, 1, 1, 0],
    );
    for (const leave of leaves.slice(0, 2)) leave();
    assert.equal(places.hasRoom(0.6), false);
    places.take(holder(), 0.5);
    assert.equal(idle[2].gaveUp, 1);
  });
});
