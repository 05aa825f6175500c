import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PacketResult } from '../../../src/webrtc/congestion/index.js';
import { Prober } from '../../../src/webrtc/congestion/prober.js';

const MBIT = 1_000_000;

interface Probe {
  readonly startedMs: number;
  endedMs: number;
  bytes: number;
}

/** Probes for a while on a way of some rate that nothing else uses; feedback comes 60 ms after each packet. */
function probe(prober: Prober, toMs: number, wayBps: number, knownBps: number, lossEvery = Infinity): Probe[] {
  const probes: Probe[] = [];
  let [underway, freeMs, count]: [PacketResult[], number, number] = [[], 0, 0];
  let isNew = true;
  for (let nowMs = 0; nowMs < toMs; nowMs += 5) {
    prober.onTick(nowMs, 40);
    isNew ||= prober.rateBps === undefined;
    const due = prober.due(nowMs, knownBps, 0);
    if (isNew && due) probes.push({ startedMs: nowMs, endedMs: nowMs, bytes: 0 });
    if (due) isNew = false;
    for (let left = due?.bytes ?? 0; left > 0;) {
      const sizeBytes = Math.max(60, Math.min(left, due!.maxPacketBytes, 1_200));
      left -= sizeBytes;
      prober.onSent(sizeBytes, nowMs);
      probes.at(-1)!.bytes += sizeBytes;
      probes.at(-1)!.endedMs = nowMs;
      freeMs = Math.max(freeMs, nowMs) + (sizeBytes * 8_000) / wayBps;
      underway.push({ sizeBytes, sentMs: nowMs, arrivedMs: ++count % lossEvery === 0 ? undefined : freeMs + 20 });
    }
    if (nowMs % 50 !== 0) continue;
    const told = underway.filter(({ sentMs, arrivedMs }) => (arrivedMs ?? sentMs + 20) + 20 <= nowMs);
    underway = underway.filter((packet) => !told.includes(packet));
    const queueMs = Math.max(0, ...told.map(({ sentMs, arrivedMs }) => (arrivedMs ?? sentMs + 20) - sentMs - 20));
    if (told.length > 0) prober.onFeedback(told, queueMs, nowMs);
  }
  return probes;
}

function proberFor(targetBps: number): Prober {
  const prober = new Prober();
  prober.targetBps = targetBps;
  return prober;
}

describe('a prober', () => {
  it('sends nothing while nobody wants to know', () => {
    assert.deepEqual(probe(new Prober(), 10_000, 8 * MBIT, MBIT), []);
  });

  it('comes to a target in steps of at most twice what is known, and is silent once it was found', () => {
    const prober = proberFor(3 * MBIT);
    const probes = probe(prober, 3_000, 8 * MBIT, 0.5 * MBIT);
    const rates = probes.map(({ bytes, startedMs, endedMs }) => (bytes * 8_000) / (endedMs - startedMs));
    assert.equal(probes.length, 3);
    [1, 2, 3].forEach((mbit, index) => assert.ok(Math.abs(rates[index]! / MBIT - mbit) < 0.35, rates.map(Math.round).join(', ')));
    assert.ok(prober.foundBps(1_500) >= 2.88 * MBIT && prober.foundBps(1_500) <= 3 * MBIT);
    assert.equal(prober.isClimbing(3_000), false);
  });

  it('asks for the target once more where packets were lost: that it fitted once may be luck', () => {
    const prober = proberFor(2 * MBIT);
    assert.equal(probe(prober, 900, 8 * MBIT, MBIT, 12).length, 2);
    assert.ok(prober.foundBps(900) >= 1.9 * MBIT);
  });

  it('asks again for what was found too long ago for whoever asks', () => {
    const prober = proberFor(2 * MBIT);
    assert.equal(probe(prober, 900, 8 * MBIT, MBIT).length, 1);
    assert.equal(prober.due(1_000, 2 * MBIT, 0), undefined);
    assert.equal(prober.rateBps, undefined);
    prober.foundSinceMs = 500;
    prober.due(1_000, 2 * MBIT, 0);
    assert.equal(prober.rateBps, 2 * MBIT);
  });

  it('takes at most 0.1 s, and 17 kB on the way to the first rungs', () => {
    for (const { bytes, startedMs, endedMs } of probe(proberFor(1.32 * MBIT), 3_000, 8 * MBIT, 0.5 * MBIT)) {
      assert.ok(endedMs - startedMs <= 100 && bytes <= 17_000, `${bytes} bytes in ${endedMs - startedMs} ms`);
    }
  });

  it('tells what the way carries where it is less', () => {
    const prober = proberFor(1.3 * MBIT);
    probe(prober, 900, MBIT, MBIT);
    assert.ok(prober.foundBps(900) > 0.85 * MBIT && prober.foundBps(900) <= 1.05 * MBIT, `${prober.foundBps(900)}`);
  });

  it('gives up at 30 ms of queue, and tries again after 0.5 to 5 s', () => {
    const probes = probe(proberFor(2 * MBIT), 30_000, 0.5 * MBIT, MBIT);
    const gaps = probes.slice(1).map(({ startedMs }, index) => startedMs - probes[index]!.endedMs);
    assert.ok(gaps[0]! >= 500, gaps.join(', '));
    assert.ok(
      gaps.every((gap) => gap <= 5_500),
      gaps.join(', '),
    );
    assert.ok(gaps.at(-1)! >= 5_000, gaps.join(', '));
  });

  it('takes loss of some packets for noise, and of many for want of room', () => {
    const some = proberFor(2 * MBIT);
    probe(some, 2_000, 8 * MBIT, MBIT, 12);
    assert.ok(some.foundBps(1_000) > 1.8 * MBIT);
    const many = proberFor(2 * MBIT);
    probe(many, 2_000, 8 * MBIT, MBIT, 4);
    assert.ok(many.foundBps(1_000) > 1.2 * MBIT && many.foundBps(1_000) < 1.6 * MBIT, `${many.foundBps(1_000)}`);
  });

  it('forgets what it found when there is congestion', () => {
    const prober = proberFor(2 * MBIT);
    probe(prober, 1_000, 8 * MBIT, MBIT);
    prober.abandon(1_000);
    assert.equal(prober.foundBps(1_000), 0);
  });

  it('learns nothing from a probe of which some feedback was lost', () => {
    const prober = proberFor(2 * MBIT);
    const packets: PacketResult[] = [];
    for (let nowMs = 0; nowMs <= 120; nowMs += 5) {
      const due = prober.due(nowMs, MBIT, 0);
      if (!due) continue;
      prober.onSent(due.bytes, nowMs);
      packets.push({ sizeBytes: due.bytes, sentMs: nowMs, arrivedMs: nowMs + 20 });
    }
    const told = packets.filter(({ sentMs }) => sentMs < 30 || sentMs > 60);
    assert.equal(prober.onFeedback([...told, { sizeBytes: 100, sentMs: 130, arrivedMs: 150 }], 0, 150), undefined);
    assert.deepEqual([prober.foundBps(150), prober.rateBps], [0, undefined]);
  });
});
