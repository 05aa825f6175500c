import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CongestionController, type PacketResult } from '../../../src/webrtc/congestion/index.js';

const MBIT = 1_000_000;

/** A sender of 2.5 Mbit/s on a way of 20 ms each way, whose feedback comes every 50 ms. */
class Sender {
  readonly controller = new CongestionController();
  nowMs = 0;

  constructor(roundTripMs = 40) {
    this.controller.setPath(roundTripMs);
  }

  /** Sends for a while. @param delayMs of each packet; null: no feedback comes */
  send(ms: number, delayMs: number | null = 20): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 50) {
      const results: PacketResult[] = [];
      for (let sentMs = this.nowMs; sentMs < this.nowMs + 50; sentMs += 4) {
        this.controller.onSent(1_200, sentMs);
        results.push({ sizeBytes: 1_200, sentMs, arrivedMs: sentMs + (delayMs ?? 0) });
      }
      if (delayMs !== null) this.controller.onFeedback(results, this.nowMs + 50 + delayMs);
      this.controller.onTick(this.nowMs + 50);
    }
    return this;
  }

  /** Nothing is sent for a while. */
  pause(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 50) this.controller.onTick(this.nowMs + 50);
    return this;
  }
}

describe('the pace', () => {
  it('is none beside the server, before and while all is well', () => {
    const { controller } = new Sender(1).send(5_000);
    assert.deepEqual([controller.pacingBps, controller.state, controller.overuses], [undefined, 'clear', 0]);
  });

  it('is none where the checks told no round trip', () => {
    const controller = new CongestionController();
    controller.setPath(undefined);
    assert.equal(controller.pacingBps, undefined);
  });

  it('is 2.5 × the estimate, which is 1 Mbit/s in the beginning', () => {
    assert.equal(new Sender(40).controller.pacingBps, 2.5 * MBIT);
    const { controller } = new Sender(40).send(20_000);
    assert.equal(controller.pacingBps, 2.5 * controller.estimateBps!);
    assert.ok(controller.estimateBps! > 2.4 * MBIT);
  });

  it('stays where there was congestion, beside the server, too', () => {
    const sender = new Sender(1).send(3_000);
    for (let delayMs = 20; delayMs < 400; delayMs += 40) sender.send(50, delayMs);
    assert.ok(sender.controller.overuses > 0);
    assert.notEqual(sender.controller.pacingBps, undefined);
  });
});

describe('silence of a receiver', () => {
  it('holds video, asks for a sign of life, and is over with the next feedback', () => {
    const sender = new Sender().send(3_000).send(1_500, null);
    const { controller } = sender;
    assert.deepEqual([controller.state, controller.cause, controller.isVideoHeld, controller.overuses], ['congested', 'silence', true, 0]);
    assert.notEqual(controller.probeDue(sender.nowMs), undefined);
    assert.equal(controller.probeDue(sender.nowMs + 100), undefined);
    sender.send(1_000);
    assert.deepEqual([controller.state, controller.isVideoHeld], ['clear', false]);
  });

  it('is none while nothing is sent', () => {
    const { controller } = new Sender().send(3_000).pause(10_000);
    assert.deepEqual([controller.state, controller.isVideoHeld], ['clear', false]);
  });

  it('counts from what was sent: whoever resumes after a pause is not silent yet', () => {
    const sender = new Sender().send(3_000).pause(3_000).send(300, null);
    assert.deepEqual([sender.controller.state, sender.controller.isVideoHeld], ['clear', false]);
  });

  it('is over for good with feedback that has ended for good, while reports say that all is well', () => {
    const sender = new Sender().send(3_000).send(6_000, null);
    const { controller } = sender;
    let held = 0;
    for (let second = 0; second < 20; second++) {
      controller.onReport({ fractionLost: 0, roundTripMs: 40, jitterMs: 1 }, sender.nowMs);
      for (let part = 0; part < 20; part++) if (sender.send(50, null).controller.isVideoHeld && second > 5) held++;
    }
    assert.equal(held, 0);
  });

  it('is none beside the server, where a receiver may be busy', () => {
    const { controller } = new Sender(1).send(3_000).send(2_000, null);
    assert.deepEqual([controller.state, controller.isVideoHeld], ['clear', false]);
  });
});

describe('what is wanted', () => {
  it('is probed, unless nobody says so again', () => {
    const sender = new Sender().send(3_000);
    sender.controller.want(4 * MBIT);
    assert.equal(sender.controller.probeDue(sender.nowMs + 100), undefined);
    assert.notEqual(sender.controller.probeDue(sender.nowMs + 120), undefined);
    const paused = new Sender().send(3_000);
    paused.controller.want(4 * MBIT);
    paused.pause(1_100);
    assert.deepEqual(
      [100, 120].map((ms) => paused.controller.probeDue(paused.nowMs + ms)),
      [undefined, undefined],
    );
  });
});

describe('reports of a receiver', () => {
  const clean = { fractionLost: 0, roundTripMs: 40, jitterMs: 3 };

  it('count where it acknowledges nothing', () => {
    const sender = new Sender().send(1_000, null);
    sender.controller.onReport(clean, sender.nowMs);
    assert.equal(sender.controller.hasReports, true);
    sender.controller.onReport({ ...clean, fractionLost: 0.5 }, sender.nowMs + 1_000);
    assert.deepEqual([sender.controller.overuses, sender.controller.cause], [1, 'loss']);
  });

  it('tell the round trip alone where it acknowledges packets, and when it is paused', () => {
    const sender = new Sender().send(3_000);
    sender.controller.onReport({ ...clean, fractionLost: 0.5, roundTripMs: 77 }, sender.nowMs);
    assert.deepEqual([sender.controller.overuses, sender.controller.roundTripMs], [0, 77]);
    sender.pause(20_000);
    sender.controller.onReport(clean, sender.nowMs);
    assert.equal(sender.controller.hasReports, false);
  });

  it('are not judged twice for what was sent before less was sent', () => {
    const sender = new Sender().send(1_000, null);
    for (const ms of [0, 500, 1_000, 1_400]) sender.controller.onReport({ ...clean, fractionLost: 0.4 }, sender.nowMs + ms);
    assert.equal(sender.controller.overuses, 1);
    sender.controller.onReport({ ...clean, fractionLost: 0.4 }, sender.nowMs + 3_000);
    assert.equal(sender.controller.overuses, 2);
  });

  it('tell of a queue by round trips that grew', () => {
    const sender = new Sender().send(1_000, null);
    for (const [ms, roundTripMs] of [
      [0, 40],
      [1_000, 200],
      [2_000, 210],
    ] as const) {
      sender.controller.onReport({ ...clean, roundTripMs }, sender.nowMs + ms);
    }
    assert.deepEqual([sender.controller.overuses, sender.controller.cause, sender.controller.queueMs], [1, 'queue', 170]);
  });
});

describe('frames that wait for the pace', () => {
  it('are a queue when they wait long, for long', () => {
    const { controller, nowMs } = new Sender().send(3_000);
    const waitingBytes = (controller.pacingBps! * 0.4) / 8;
    for (let ms = 0; ms <= 500; ms += 50) controller.onTick(nowMs + ms, waitingBytes);
    assert.equal(controller.overuses, 0);
    for (let ms = 550; ms <= 700; ms += 50) controller.onTick(nowMs + ms, waitingBytes);
    assert.deepEqual([controller.overuses, controller.isVideoHeld], [1, true]);
  });
});

describe('a server that is late itself', () => {
  const clean = { fractionLost: 0, roundTripMs: 40, jitterMs: 3 };
  /** What it sees in a second of being late, one after the other; then how often it sent less. */
  const overuses = (see: (controller: CongestionController, nowMs: number) => void, isExcused: boolean): number => {
    const { controller, nowMs } = new Sender(1).send(1_000, null);
    controller.onReport({ ...clean, roundTripMs: 1 }, nowMs);
    for (let ms = 0; ms < 5_000; ms += 100) {
      if (isExcused) controller.excuse(nowMs + ms);
      controller.onSent(1_200, nowMs + ms);
      see(controller, nowMs + ms);
      controller.onTick(nowMs + ms);
    }
    return controller.overuses;
  };

  for (const [what, see] of [
    ['reports of losses', (controller, nowMs) => controller.onReport({ ...clean, fractionLost: 0.4 }, nowMs)],
    ['reports of long round trips', (controller, nowMs) => controller.onReport({ ...clean, roundTripMs: 900 }, nowMs)],
    ['low estimates of the receiver', (controller, nowMs) => controller.onRemb(1_000, nowMs)],
    [
      'checks that take long',
      (controller, nowMs) => {
        const id = controller.checkDue(nowMs);
        if (id !== undefined) controller.onChecked(id, nowMs % 3_000 < 1_000 ? 1 : 700, nowMs);
      },
    ],
  ] as const satisfies readonly (readonly [string, (controller: CongestionController, nowMs: number) => void])[]) {
    it(`takes ${what} for its own fault`, () => {
      assert.ok(overuses(see, false) > 0, 'of a network, where it is not late');
      assert.equal(overuses(see, true), 0);
    });
  }

  it('takes no cut for one, and what heals then for no queue', () => {
    const { controller, nowMs } = new Sender(40).send(1_000, null);
    let lastId: number | undefined;
    for (let ms = 0; ms < 1_000; ms += 50) {
      controller.onSent(1_200, nowMs + ms);
      const id = controller.checkDue(nowMs + ms);
      if (id !== undefined) controller.onChecked(id, 40, nowMs + ms);
    }
    for (let ms = 1_000; ms < 3_000; ms += 50) {
      controller.excuse(nowMs + ms);
      controller.onSent(1_200, nowMs + ms);
      lastId = controller.checkDue(nowMs + ms) ?? lastId;
    }
    assert.equal(controller.isVideoHeld, false);
    controller.onChecked(lastId!, 500, nowMs + 3_000);
    assert.deepEqual([controller.overuses, controller.isVideoHeld], [0, false]);
  });

  it('believes checks that are answered soon, so that what was sent less for comes back', () => {
    const { controller, nowMs } = new Sender(40).send(1_000, null);
    const check = (ms: number, roundTripMs: number): void => {
      controller.onSent(1_200, nowMs + ms);
      const id = controller.checkDue(nowMs + ms);
      if (id !== undefined) controller.onChecked(id, roundTripMs, nowMs + ms);
      controller.onTick(nowMs + ms);
    };
    for (let ms = 0; ms < 1_000; ms += 50) check(ms, 40);
    for (let ms = 1_000; ms < 2_000; ms += 50) check(ms, 240);
    assert.deepEqual([controller.overuses, controller.queueMs], [1, 200]);
    for (let ms = 2_000; ms < 8_000; ms += 50) {
      controller.excuse(nowMs + ms);
      check(ms, 45);
    }
    assert.deepEqual([controller.state, controller.queueMs], ['clear', 5]);
  });
});
