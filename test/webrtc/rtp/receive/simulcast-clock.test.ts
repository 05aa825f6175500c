import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CaptureClock } from '../../../../src/webrtc/rtp/receive/capture-clock.js';
import { SimulcastClock } from '../../../../src/webrtc/rtp/receive/simulcast-clock.js';
import type { FrameClock } from '../../../../src/webrtc/rtp/receive/stream-clock.js';
import { seededRandom } from '../../../helpers/random.js';

const FPS = 30;
const frameMs = (frame: number): number => (frame * 1000) / FPS;

/** A sender of layers of the same frames, each with timestamps from a start of its own. */
class Simulcast {
  readonly clocks: readonly FrameClock[];
  readonly times: Map<number, number>[];

  constructor(readonly starts: readonly number[]) {
    const clock = new SimulcastClock(new CaptureClock().addStream(90_000, false));
    this.clocks = starts.map(() => clock.addLayer());
    this.times = starts.map(() => new Map<number, number>());
  }

  timestamp(layer: number, frame: number): number {
    return Math.round((this.starts[layer] ?? 0) + 90 * frameMs(frame)) >>> 0;
  }

  /** A frame of one layer arrives so much later than it was captured. */
  send(layer: number, frame: number, delayMs: number): number {
    const clock = this.clocks[layer]!;
    clock.arrived(this.timestamp(layer, frame), 700_000 + frameMs(frame) + delayMs);
    const mediaTimeMs = clock.mediaTimeMs(this.timestamp(layer, frame)) ?? NaN;
    const before = [...this.times[layer]!.values()].at(-1) ?? -Infinity;
    assert.ok(mediaTimeMs > before, `layer ${layer}, frame ${frame}: ${mediaTimeMs} after ${before}`);
    this.times[layer]!.set(frame, mediaTimeMs);
    return mediaTimeMs;
  }

  report(layer: number, frame: number, errorMs = 0): void {
    this.clocks[layer]!.senderReport(3_900_000_000_000 + frameMs(frame) + errorMs, this.timestamp(layer, frame));
  }

  /** How far apart the layers put that frame. */
  apart(frame: number): number {
    const times = this.times.flatMap((layer) => layer.get(frame) ?? []);
    return Math.max(...times) - Math.min(...times);
  }
}

describe('the layers of a simulcast', () => {
  for (const [order, layers] of [
    ['the smallest first', [0, 1, 2]],
    ['the largest first', [2, 1, 0]],
  ] as const)
    it(`give one frame one time, over wraps and with jitter, ${order}`, () => {
      const random = seededRandom(7);
      const sender = new Simulcast([4_294_900_000, 12_345, 2_000_000_000]);
      for (let frame = 0; frame < 600; frame++) {
        layers.forEach((layer, i) => sender.send(layer, frame, 20 + 2 * i + 6 * random()));
        if (frame % 30 === 15) for (const layer of layers) sender.report(layer, frame, 2 * random() - 1);
        if (frame > 5) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}: ${sender.apart(frame)} ms apart`);
      }
    });

  it('are right from the first reports on where arrival misled: one comes a frame late for a while', () => {
    const sender = new Simulcast([1000, 900_000]);
    for (let frame = 0; frame < 90; frame++) {
      sender.send(0, frame, 10);
      sender.send(1, frame, frame < 20 ? 45 : 12);
      if (frame === 30) for (const layer of [0, 1]) sender.report(layer, frame);
      if (frame > 40) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}: ${sender.apart(frame)} ms apart`);
    }
  });

  it('do not believe reports of two clocks', () => {
    const sender = new Simulcast([1000, 900_000]);
    for (let frame = 0; frame < 90; frame++) {
      for (const layer of [0, 1]) sender.send(layer, frame, 10);
      if (frame % 10 === 0) for (const layer of [0, 1]) sender.report(layer, frame, 60_000 * layer);
      if (frame > 5) assert.ok(sender.apart(frame) < 0.001);
    }
  });

  it('go on when the one that led stops, without a step, and when it comes back', () => {
    const sender = new Simulcast([77, 4_000_000_000]);
    for (let frame = 0; frame < 300; frame++) {
      if (frame < 60 || frame > 150) sender.send(1, frame, 25);
      const mediaTimeMs = sender.send(0, frame, 20);
      const before = sender.times[0]!.get(frame - 1);
      if (before !== undefined)
        assert.ok(Math.abs(mediaTimeMs - before - 1000 / FPS) < 8, `frame ${frame}: a step of ${mediaTimeMs - before}`);
      if (frame > 5) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}`);
    }
  });

  it('find together again after another ssrc, with other timestamps, of any of them', () => {
    for (const restarted of [0, 1]) {
      const starts = [5, 3_000_000_000];
      const sender = new Simulcast(starts);
      for (let frame = 0; frame < 200; frame++) {
        if (frame === 100) {
          sender.clocks[restarted]!.restart();
          starts[restarted] = 1_500_000_000;
        }
        for (const layer of [0, 1]) sender.send(layer, frame, 20 + 3 * layer);
        if (frame > 106) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}`);
      }
    }
  });

  it('follow a layer whose timestamps jump, and the others are not moved', () => {
    for (const jumping of [0, 1]) {
      const starts = [5, 3_000_000_000];
      const sender = new Simulcast(starts);
      let before = 0;
      for (let frame = 0; frame < 200; frame++) {
        if (frame === 100) starts[jumping] = starts[jumping]! - 900_000;
        for (const layer of [0, 1]) sender.send(layer, frame, 20);
        const other = sender.times[1 - jumping]!.get(frame)!;
        if (frame > 0) assert.ok(other - before < 80, `frame ${frame}: a step of ${other - before}`);
        before = other;
        if (frame > 130) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}: ${sender.apart(frame)}`);
      }
    }
  });

  it('need not have all frames: each has every other one, or some', () => {
    const random = seededRandom(3);
    const sender = new Simulcast([5, 3_000_000_000, 600]);
    for (let frame = 0; frame < 300; frame++) {
      if (frame % 2 === 0) sender.send(0, frame, 20);
      if (random() < 0.8) sender.send(1, frame, 21);
      sender.send(2, frame, 24);
      if (frame > 40) assert.ok(sender.apart(frame) < 0.001, `frame ${frame}: ${sender.apart(frame)}`);
    }
  });

  it('with timestamps at random never step back, and never throw', () => {
    const random = seededRandom(11);
    const sender = new Simulcast([0, 0, 0]);
    const last = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < 3000; i++) {
      const layer = Math.floor(3 * random());
      const timestamp = Math.floor(2 ** 32 * random());
      if (random() < 0.02) sender.clocks[layer]!.restart();
      if (random() < 0.1) sender.clocks[layer]!.senderReport(1e12 * random(), timestamp);
      sender.clocks[layer]!.arrived(timestamp, 1000 + 10 * i);
      const time = sender.clocks[layer]!.mediaTimeMs(timestamp) ?? NaN;
      assert.ok(time > last[layer]!, `${time} after ${last[layer]}`);
      last[layer] = time;
    }
  });
});
