import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EncodedFrame } from '../../../src/media/index.js';
import { NearestFrames } from '../../../src/source/pull/nearest-frames.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seededRandom } from '../../helpers/random.js';

interface Rig {
  readonly clock: FakeClock;
  readonly nearest: NearestFrames;
  readonly times: number[];
  readonly second: (aboutMs: number) => void;
}

function rig(): Rig {
  const clock = new FakeClock();
  const times: number[] = [];
  const nearest = new NearestFrames(clock, ({ mediaTimeMs }: EncodedFrame) => void times.push(mediaTimeMs));
  const second = (aboutMs: number): void => nearest.second({ data: Buffer.alloc(1), keyframe: true, mediaTimeMs: aboutMs }, aboutMs);
  return { clock, nearest, times, second };
}

describe('frames of a second stream', () => {
  it('get the time of the nearest frame of the first, whichever comes sooner', () => {
    const { nearest, times, second } = rig();
    nearest.first(0);
    nearest.first(40);
    second(36);
    assert.deepEqual(times, [40]);
    second(83);
    assert.deepEqual(times, [40], 'it waits for its counterpart');
    nearest.first(80);
    assert.deepEqual(times, [40, 80]);
  });

  it('wait no longer than the first of them where the first stream stands still', async () => {
    const { clock, nearest, times, second } = rig();
    for (let ms = 0; ms <= 400; ms += 40) nearest.first(ms);
    let waiting = 0;
    for (let ms = 440; ms < 4_000; ms += 40) {
      second(ms);
      await clock.advance(40);
      waiting = Math.max(waiting, (ms - 400) / 40 - times.length);
    }
    assert.ok(waiting <= 3, `${waiting} frames of 40 ms waited`);
  });

  it('go on as they are where the first stream brings nothing', async () => {
    const { clock, nearest, times, second } = rig();
    second(10);
    await clock.advance(200);
    assert.deepEqual(times, [10]);
    nearest.first(0);
    nearest.first(40);
    second(100);
    second(140);
    await clock.advance(300);
    assert.deepEqual(times, [10, 100, 140]);
  });

  it('lie between those of the first where they are more', () => {
    const { nearest, times, second } = rig();
    for (let i = 0; i < 10; i++) nearest.first(i * 40);
    for (let i = 0; i < 16; i++) second(i * 20);
    assert.equal(times.length, 16);
    assert.equal(times.filter((time) => time % 40 === 0).length, 8);
    times.forEach((time, i) => assert.ok(time >= (times[i - 1] ?? -Infinity) + 2));
  });

  it('ascend and are never piled up, whatever the jitter of both', async () => {
    const random = seededRandom(7);
    const { clock, nearest, times, second } = rig();
    // Frames of a connection wait for each other.
    const arrivals = (): number[] => {
      let lastMs = 0;
      return Array.from({ length: 500 }, (_unused, i) => (lastMs = Math.max(lastMs, i * 40 + 40 * random())));
    };
    const [ofFirst, ofSecond] = [arrivals(), arrivals()];
    const events = Array.from({ length: 500 }, (_unused, i) => [
      { atMs: ofFirst[i] ?? 0, run: () => nearest.first(i * 40) },
      { atMs: ofSecond[i] ?? 0, run: () => second(i * 40 + 20 - 8 + 16 * random()) },
    ]).flat();
    let given = 0;
    for (const { atMs, run } of events.sort((a, b) => a.atMs - b.atMs)) {
      await clock.advance(Math.max(0, atMs - clock.now()));
      run();
      given++;
      assert.ok(times.length >= given / 2 - 16);
    }
    await clock.advance(1000);
    assert.equal(times.length, 500);
    times.forEach((time, i) => assert.ok(time >= (times[i - 1] ?? -Infinity) + 2));
    const exact = times.filter((time) => Number.isInteger(time) && time % 40 === 0).length;
    assert.ok(exact > 450, `${exact} of 500 have the time of a frame of the first stream`);
  });

  it('are left out at the end, and nothing waits any more', async () => {
    const { clock, nearest, times, second } = rig();
    nearest.first(0);
    second(50);
    nearest.close();
    await clock.advance(1000);
    nearest.first(40);
    assert.deepEqual(times, []);
    assert.equal(clock.pendingTimers, 0);
  });
});
