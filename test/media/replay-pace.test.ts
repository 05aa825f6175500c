import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  lengthPrefixed,
  ReplayPace,
  Timeline,
  Track,
  type FrameSink,
  type PacketizedFrame,
  type Subscription,
} from '../../src/media/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

const FRAME_BYTES = 10_000;
const FRAMES = 60;
/** Frames until a slice of 32 KiB is full. */
const SLICE_FRAMES = 4;

interface Sent {
  readonly atMs: number;
  readonly tile: number;
  readonly frame: PacketizedFrame;
}

/** Tiles of one viewer, whose sources all have a long group of pictures. */
class Wall {
  readonly clock = new FakeClock();
  readonly sent: Sent[] = [];
  readonly subscriptions: Subscription[] = [];
  readonly #pace = new ReplayPace(this.clock);

  track(): Track {
    const track = new Track({ name: 't', codec: 'h264', timeline: new Timeline(), clock: this.clock });
    for (let i = 0; i < FRAMES; i++)
      track.write({ data: lengthPrefixed([Buffer.alloc(FRAME_BYTES, i === 0 ? 0x65 : 0x41)]), mediaTimeMs: i * 40, keyframe: i === 0 });
    return track;
  }

  show(tile: number, track = this.track(), replayPace: ReplayPace | undefined = this.#pace): Track {
    const sink: FrameSink = {
      pendingBytes: 0,
      replayPace,
      send: (frame) => void this.sent.push({ atMs: this.clock.now(), tile, frame }),
    };
    this.subscriptions[tile] = track.subscribe(sink);
    return track;
  }

  timesOf(tile: number): number[] {
    return this.sent.filter((each) => each.tile === tile).map(({ atMs }) => atMs);
  }

  /** The most that left within so many ms, bytes. */
  most(withinMs: number): number {
    return Math.max(
      ...this.sent.map(({ atMs: fromMs }) =>
        this.sent
          .filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + withinMs)
          .reduce((sum, { frame: { sizeBytes } }) => sum + sizeBytes, 0),
      ),
    );
  }
}

describe('the replays of one viewer', () => {
  it('leave one slice after the other where a wall begins, every keyframe first', async () => {
    const wall = new Wall();
    for (let tile = 0; tile < 16; tile++) wall.show(tile);
    assert.ok(wall.sent.length <= 3 * SLICE_FRAMES, `${wall.sent.length} frames leave at once`);
    await wall.clock.advance(40);
    const firsts = Array.from({ length: 16 }, (_, tile) => wall.timesOf(tile)[0] ?? Infinity);
    assert.ok(Math.max(...firsts) < 25, firsts.join(', '));
    const others = wall.sent.slice(0, 16 * SLICE_FRAMES);
    assert.equal(new Set(others.map(({ tile }) => tile)).size, 16, 'nobody has a second slice before all have one');
    await wall.clock.advance(1_000);
    for (let tile = 0; tile < 16; tile++) assert.equal(wall.timesOf(tile).length, FRAMES, `the group of tile ${tile}`);
    assert.ok(wall.most(10) <= 450_000, `${wall.most(10)} bytes within 10 ms`);
    assert.ok(Math.max(...wall.sent.map(({ atMs }) => atMs)) < 400, 'and yet all is there soon');
    assert.equal(wall.clock.pendingTimers, 0);
  });

  it('keep what is live behind them in order, also before their first slice', async () => {
    const wall = new Wall();
    const tracks = Array.from({ length: 8 }, (_, tile) => wall.show(tile));
    for (const track of tracks) track.write({ data: lengthPrefixed([Buffer.alloc(500, 0x41)]), mediaTimeMs: FRAMES * 40, keyframe: false });
    await wall.clock.advance(1_000);
    for (const tile of tracks.keys())
      assert.deepEqual(
        wall.sent.filter((each) => each.tile === tile).map(({ frame }) => frame.mediaTimeMs),
        Array.from({ length: FRAMES + 1 }, (_, i) => i * 40),
      );
  });

  it('are as fast as ever where there is one, and both begin at once where there are two', async () => {
    const [alone, shared] = [new Wall(), new Wall()];
    alone.show(0, alone.track(), undefined);
    shared.show(0);
    for (const wall of [alone, shared]) await wall.clock.advance(500);
    assert.deepEqual(shared.timesOf(0), alone.timesOf(0));
    const two = new Wall();
    for (const tile of [0, 1]) two.show(tile);
    assert.deepEqual([two.timesOf(0)[0], two.timesOf(1)[0]], [0, 0]);
  });

  it('make room for the others when one ends early', async () => {
    const wall = new Wall();
    for (let tile = 0; tile < 16; tile++) wall.show(tile);
    for (let tile = 0; tile < 15; tile++) wall.subscriptions[tile]?.close();
    await wall.clock.advance(2);
    assert.ok((wall.timesOf(15)[0] ?? Infinity) <= 2);
    await wall.clock.advance(500);
    assert.equal(wall.timesOf(15).length, FRAMES);
    assert.equal(wall.clock.pendingTimers, 0);
  });
});
