/** A publisher that obeys REMB, on a seeded link, in fake time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitrateEstimate } from '../../../../src/webrtc/rtp/receive/bitrate-estimate.js';
import { Link, type LinkShape } from '../../../helpers/network/link.js';

const PACKET_BYTES = 1200;
const FRAME_MS = 1000 / 30;
/** From the server's report to the encoder that obeys. */
const FEEDBACK_MS = 100;
/** An encoder's upper limit. */
const MAX_BPS = 3_000_000;

interface Sent {
  readonly sentMs: number;
}

/** A publisher, its link, and the server's estimate. */
class Publisher {
  readonly estimate = new BitrateEstimate();
  readonly link: Link<Sent>;
  /** What waits on the link, by time. */
  readonly queue: { readonly atMs: number; readonly queueMs: number }[] = [];
  receivedBytes = 0;
  #nowMs = 0;
  #frameMs = 0;
  #frames = 0;
  #targetBps = 1_000_000;
  #orders: { readonly atMs: number; readonly bps: number }[] = [];
  #second = { bytes: 0, received: 0, lost: 0 };
  #lossesBefore = 0;

  constructor(shape: LinkShape, seed: number) {
    this.link = new Link(shape, seed);
  }

  change(shape: LinkShape): void {
    this.link.reshape({ ...this.link.shape, ...shape }, this.#nowMs);
  }

  /** @param knowsTime its packets say when they were sent */
  run(ms: number, knowsTime = true): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; this.#nowMs++) {
      this.#obey();
      if (this.#nowMs >= this.#frameMs) this.#sendFrame();
      for (const { sentMs } of this.link.take(this.#nowMs)) this.#receive(knowsTime ? sentMs + 7_000_000 : undefined);
      if (this.#nowMs % 100 === 0 && this.estimate.look(this.#nowMs)) this.#order();
      if (this.#nowMs % 1000 === 0) this.#report();
      this.queue.push({ atMs: this.#nowMs, queueMs: this.link.queueMs(this.#nowMs) });
    }
  }

  /** The longest queue from that moment on, ms. */
  longestQueueMs(fromMs: number): number {
    return Math.max(...this.queue.filter(({ atMs }) => atMs >= fromMs).map(({ queueMs }) => queueMs));
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  #sendFrame(): void {
    const isKeyframe = this.#frames++ % 120 === 0;
    this.#frameMs += FRAME_MS;
    const packets = Math.max(1, Math.round(((isKeyframe ? 5 : 1) * this.#targetBps * FRAME_MS) / 1000 / 8 / PACKET_BYTES));
    for (let i = 0; i < packets; i++) this.link.offer({ sentMs: this.#nowMs }, PACKET_BYTES, this.#nowMs);
  }

  #receive(sentMs: number | undefined): void {
    this.estimate.arrived(PACKET_BYTES, sentMs, this.#nowMs);
    this.receivedBytes += PACKET_BYTES;
    this.#second.bytes += PACKET_BYTES;
    this.#second.received++;
  }

  #report(): void {
    const losses = this.link.lost + this.link.dropped;
    const lost = losses - this.#lossesBefore;
    const { bytes, received } = this.#second;
    if (received > 0) this.estimate.update(lost / (lost + received), bytes * 8, this.#nowMs);
    this.#lossesBefore = losses;
    this.#second = { bytes: 0, received: 0, lost: 0 };
    this.#order();
  }

  #order(): void {
    this.#orders.push({ atMs: this.#nowMs + FEEDBACK_MS, bps: this.estimate.bps });
  }

  #obey(): void {
    while (this.#orders[0] && this.#orders[0].atMs <= this.#nowMs) {
      this.#targetBps = Math.min(MAX_BPS, this.#orders[0].bps);
      this.#orders.shift();
    }
  }
}

describe('the bitrate that a publisher is told', () => {
  for (const seed of [1, 2, 3]) {
    it(`follows a link from 4 to 1 and back to 4 Mbit/s, and leaves no queue standing, seed ${seed}`, () => {
      const publisher = new Publisher({ rateBps: 4_000_000, delayMs: 20, jitterMs: 5 }, seed);
      publisher.run(10_000);
      assert.ok(publisher.estimate.bps > 2_000_000, `${publisher.estimate.bps} bit/s`);
      publisher.change({ rateBps: 1_000_000 });
      const slowMs = publisher.nowMs;
      const before = publisher.receivedBytes;
      publisher.run(12_000);
      const kbps = ((publisher.receivedBytes - before) * 8) / 12_000;
      assert.ok(kbps > 600, `${kbps} of 1000 kbit/s are used`);
      const after = publisher.queue.filter(({ atMs }) => atMs >= slowMs + 3000).map(({ queueMs }) => queueMs);
      const p90 = after.sort((a, b) => a - b)[Math.floor(after.length * 0.9)] ?? Infinity;
      assert.ok(p90 < 150, `queue p90 ${p90} ms after 3 s`);
      publisher.change({ rateBps: 4_000_000 });
      publisher.run(20_000);
      assert.ok(publisher.estimate.bps > 2_000_000, `${publisher.estimate.bps} bit/s 20 s later`);
      assert.ok(publisher.longestQueueMs(publisher.nowMs - 5000) < 200);
    });
  }

  it('is not lowered for jitter, nor for single lost packets', () => {
    const publisher = new Publisher({ rateBps: 6_000_000, delayMs: 20, jitterMs: 30, loss: 0.01 }, 4);
    publisher.run(30_000);
    assert.ok(publisher.estimate.bps >= 2_500_000, `${publisher.estimate.bps} bit/s`);
  });

  it('falls under loss alone where packets do not say when they were sent', () => {
    const publisher = new Publisher({ rateBps: 4_000_000, delayMs: 20 }, 5);
    publisher.run(5_000, false);
    publisher.change({ rateBps: 1_000_000 });
    publisher.run(6_000, false);
    assert.ok(publisher.estimate.bps < 1_300_000, `${publisher.estimate.bps} bit/s`);
  });

  it('rises while the sender uses it, within limits', () => {
    const estimate = new BitrateEstimate();
    for (let i = 0; i < 60; i++) estimate.update(0, 100_000, i * 1000);
    assert.equal(estimate.bps, 2_500_000, 'unused');
    for (let i = 60; i < 120; i++) estimate.update(0, estimate.bps, i * 1000);
    assert.equal(estimate.bps, 10_000_000);
    estimate.update(0.3, 2_000_000, 120_000);
    assert.equal(estimate.bps, 1_700_000);
    for (let i = 121; i < 180; i++) estimate.update(0.5, 1000, i * 1000);
    assert.equal(estimate.bps, 100_000);
  });

  it('is bounded in work and in value whatever the send times say', () => {
    const estimate = new BitrateEstimate();
    const times = [0, 1e9, -1e9, 5, 4, 3, 2 ** 53];
    for (let i = 0; i < 50_000; i++) {
      estimate.arrived(1200, times[i % times.length], i / 10);
      if (i % 1000 === 0) estimate.look(i / 10);
    }
    estimate.look(6000);
    assert.ok(estimate.bps >= 100_000 && estimate.bps <= 10_000_000, `${estimate.bps}`);
  });
});
