/** Feedback that lies, floods, or was damaged: bounded work and memory, and a controller that goes on with what is true. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CongestionController, RungSelector, type PacketResult } from '../../../src/webrtc/congestion/index.js';
import { NetworkRun } from '../../helpers/network-run.js';
import { seededRandom } from '../../helpers/random.js';
import { LADDER } from '../../helpers/simulated-viewer.js';

const MBIT = 1_000_000;
const RUNGS = LADDER.map((rung) => ({ ...rung, isRunning: true }));

/** A controller of a way of 40 ms on which 2.5 Mbit/s were sent for two seconds and acknowledged after 60 ms. */
function controllerAt(endMs: number): CongestionController {
  const controller = new CongestionController();
  controller.setPath(40);
  for (let nowMs = 0; nowMs < endMs; nowMs += 50) sendAndAcknowledge(controller, nowMs);
  return controller;
}

function packetsOf(nowMs: number, count = 13): PacketResult[] {
  return Array.from({ length: count }, (_, index) => ({
    sizeBytes: 1_200,
    sentMs: nowMs + index * 3.8,
    arrivedMs: nowMs + index * 3.8 + 20,
  }));
}

function sendAndAcknowledge(
  controller: CongestionController,
  nowMs: number,
  change: (packet: PacketResult) => PacketResult = (p) => p,
): void {
  const packets = packetsOf(nowMs);
  for (const { sizeBytes, sentMs } of packets) controller.onSent(sizeBytes, sentMs);
  controller.onFeedback(packets.map(change), nowMs + 60);
}

/** What may be read of it is a number that one can work with. */
function assertSane(controller: CongestionController): void {
  const { estimateBps = 20_000, acknowledgedBps, queueMs, pacingBps = 20_000, foundBps, roundTripMs = 0 } = controller;
  assert.ok(estimateBps >= 20_000 && estimateBps <= 1_000 * MBIT, `estimate ${estimateBps}`);
  assert.ok(pacingBps >= 10_000 && pacingBps <= 2_500 * MBIT, `pace ${pacingBps}`);
  assert.ok([acknowledgedBps, queueMs, foundBps, roundTripMs].every((value) => Number.isFinite(value) && value >= 0));
}

/** Bytes that are alive. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('feedback that lies', () => {
  it('about packets that were never sent: it is not believed what cannot be', () => {
    const controller = controllerAt(2_000);
    const before = controller.estimateBps ?? 0;
    for (let nowMs = 2_060; nowMs < 4_000; nowMs += 20) {
      const future = packetsOf(nowMs + 10_000);
      controller.onFeedback(
        [...future, { sizeBytes: 1e9, sentMs: nowMs - 1, arrivedMs: nowMs }, { sizeBytes: -5, sentMs: 0, arrivedMs: 1 }],
        nowMs,
      );
    }
    assert.equal(controller.estimateBps, before);
    assertSane(controller);
  });

  it('that all arrived at once: the estimate stays near what was sent', () => {
    const controller = controllerAt(2_000);
    for (let nowMs = 2_000; nowMs < 12_000; nowMs += 50)
      sendAndAcknowledge(controller, nowMs, (packet) => ({ ...packet, arrivedMs: nowMs + 20 }));
    assert.ok((controller.estimateBps ?? 0) < 6 * MBIT, `estimate ${controller.estimateBps}`);
    assertSane(controller);
  });

  it('with times that run backwards, wrap, or are hours apart: it goes on when they are right again', () => {
    const random = seededRandom(3);
    const lies: readonly ((packet: PacketResult) => PacketResult)[] = [
      (packet) => ({ ...packet, arrivedMs: 1e7 - (packet.arrivedMs ?? 0) }),
      (packet) => ({ ...packet, arrivedMs: ((packet.arrivedMs ?? 0) % 64) - 64 }),
      (packet) => ({ ...packet, arrivedMs: (packet.arrivedMs ?? 0) + Math.floor(random() * 10) * 3_600_000 }),
      (packet) => ({ ...packet, arrivedMs: NaN }),
      (packet) => ({ ...packet, arrivedMs: Infinity }),
      (packet) => ({ ...packet, sentMs: NaN }),
    ];
    for (const lie of lies) {
      const controller = controllerAt(2_000);
      for (let nowMs = 2_000; nowMs < 4_000; nowMs += 50) {
        sendAndAcknowledge(controller, nowMs, lie);
        controller.onTick(nowMs + 60);
        assertSane(controller);
      }
      for (let nowMs = 4_000; nowMs < 40_000; nowMs += 50) {
        sendAndAcknowledge(controller, nowMs);
        controller.onTick(nowMs + 60);
      }
      assert.equal(controller.state, 'clear', String(lie));
      assert.equal(controller.isVideoHeld, false);
      assert.ok(controller.acknowledgedBps > 2 * MBIT, `${lie.toString()}: ${controller.acknowledgedBps}`);
    }
  });

  it('about a probe: no more is believed to fit than was asked', () => {
    const controller = controllerAt(2_000);
    controller.want(3.1 * MBIT);
    for (let nowMs = 2_000; nowMs < 10_000; nowMs += 5) {
      const due = controller.probeDue(nowMs);
      const results = due ? [{ sizeBytes: due.bytes, sentMs: nowMs, arrivedMs: 7 }] : [];
      if (due) controller.onSent(due.bytes, nowMs);
      controller.onFeedback([...results, { sizeBytes: 1_200, sentMs: nowMs, arrivedMs: 7 }], nowMs);
    }
    assert.ok(controller.foundBps <= 3.1 * MBIT);
    assertSane(controller);
  });

  it('by REMB of 0, 1, 2^60, or no number', () => {
    const controller = new CongestionController();
    controller.setPath(40);
    for (const bps of [0, 1, 2 ** 60, -7, NaN, Infinity]) {
      controller.onRemb(bps, 1_000);
      assertSane(controller);
    }
  });

  it('by a share lost that is none', () => {
    const controller = new CongestionController();
    controller.setPath(40);
    for (const fractionLost of [-1, 2, NaN, Infinity]) controller.onReport({ fractionLost, roundTripMs: -5, jitterMs: NaN }, 1_000);
    assert.deepEqual([controller.state, controller.overuses, controller.hasReports, controller.roundTripMs], ['clear', 0, false, 40]);
  });
});

describe('a flood of feedback', () => {
  it('of packets one by one, or the same ones again and again, takes no memory', () => {
    const controller = controllerAt(2_000);
    const before = heapBytes();
    for (let round = 0; round < 200_000; round++) {
      const nowMs = 2_000 + round / 100;
      if (round % 10 === 0) controller.onSent(1_200, nowMs);
      controller.onFeedback([{ sizeBytes: 1_200, sentMs: nowMs - 60, arrivedMs: round % 3 === 0 ? undefined : nowMs - 40 }], nowMs);
      controller.onTick(nowMs);
    }
    assertSane(controller);
    assert.ok(heapBytes() - before < 2_000_000, `${heapBytes() - before} bytes more`);
  });

  it('with 65,535 packets each takes no longer than it is', () => {
    const controller = controllerAt(2_000);
    const many = Array.from({ length: 65_535 }, (_, index) => ({
      sizeBytes: 1_200,
      sentMs: 1_000 + index / 100,
      arrivedMs: 1_020 + index / 100,
    }));
    const before = heapBytes();
    for (let round = 0; round < 20; round++) controller.onFeedback(many, 2_000 + round);
    assertSane(controller);
    assert.ok(heapBytes() - before < 2_000_000);
  });
});

describe('feedback of any kind, in any order', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`never breaks what is read of the controller, or what is selected by it (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const controller = new CongestionController();
      const selector = new RungSelector(controller);
      const wild = (): number => [random() * 100, -1e9 * random(), 1e15 * random(), 0, NaN, Infinity][Math.floor(random() * 6)]!;
      const any = (): number => (random() < 0.3 ? wild() : random() * 5_000);
      let nowMs = 0;
      for (let round = 0; round < 20_000; round++) {
        nowMs += random() < 0.05 ? -random() * 1_000 : random() * 20;
        const act = Math.floor(random() * 7);
        if (act === 0) controller.setPath(random() < 0.2 ? undefined : random() * 300);
        if (act === 1) controller.onSent(random() * 1_500, nowMs);
        if (act === 2) controller.onRemb(wild(), nowMs);
        if (act === 3)
          controller.onReport({ fractionLost: random() < 0.5 ? wild() : random(), roundTripMs: any(), jitterMs: any() }, nowMs);
        if (act === 4) controller.onTick(nowMs);
        if (act === 5) controller.probeDue(nowMs);
        const results = Array.from({ length: Math.floor(random() * 20) }, () => ({
          sizeBytes: random() < 0.9 ? 1_200 : wild(),
          sentMs: nowMs - any(),
          arrivedMs: random() < 0.2 ? undefined : nowMs - any(),
        }));
        if (act === 6) controller.onFeedback(results, nowMs);
        const [decision] = selector.select([{ id: 'video', rungs: RUNGS, current: undefined, wish: 'auto' }], nowMs);
        assert.ok(RUNGS.some(({ name }) => name === decision!.rung));
        assertSane(controller);
      }
    });
  }
});

describe('a viewer that lies', () => {
  it('changes nothing for another one on the same link', () => {
    const run = new NetworkRun({ rateBps: 8 * MBIT }, [{}, {}]);
    const { controller } = run.viewers[1]!;
    const random = seededRandom(9);
    run.runTo(30_000, (nowMs) => {
      if (nowMs % 10 === 0) controller.onFeedback([{ sizeBytes: 1_200, sentMs: nowMs - 1, arrivedMs: random() * 1e6 }], nowMs);
    });
    assert.ok(run.shareOf('source', 4_000, 30_000, 0) >= 0.9);
    assert.equal(run.longestFreeze(4_000, 30_000, 0), 0);
  });
});
