import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArrivals, parseReceiverEstimate } from '../../../src/webrtc/rtp/congestion-messages.js';
import { startFeedback, writeRemb } from '../../../src/webrtc/rtp/receive/feedback-packets.js';
import { TransportFeedback } from '../../../src/webrtc/rtp/receive/transport-feedback.js';
import { parseRtcp } from '../../../src/webrtc/rtp/rtcp.js';
import { seededRandom } from '../../helpers/random.js';

/** A feedback packet from its parts. `claimed`: packets that it says it tells of. */
function feedback(first: number, claimed: number, chunks: readonly number[], deltas: readonly number[], reference = 0): Buffer {
  const bytes = 20 + 2 * chunks.length + deltas.length;
  const packet = startFeedback(15, 205, Math.ceil(bytes / 4) * 4, 1, 7);
  packet.writeUInt16BE(first, 12);
  packet.writeUInt16BE(claimed, 14);
  packet.writeUIntBE(reference, 16, 3);
  chunks.forEach((chunk, i) => packet.writeUInt16BE(chunk, 20 + 2 * i));
  Buffer.from(deltas).copy(packet, 20 + 2 * chunks.length);
  if (packet.length > bytes) {
    packet[0] = (packet[0] ?? 0) | 0x20;
    packet[packet.length - 1] = packet.length - bytes;
  }
  return packet;
}

/** What arrived, by extended number, as feedback tells it. */
function told(packets: readonly Buffer[]): Map<number, number> {
  const arrivals = new Map<number, number>();
  for (const packet of packets) {
    const parsed = parseArrivals(packet);
    assert.ok(parsed);
    parsed.offsetsMs.forEach((offset, i) => {
      if (!Number.isNaN(offset)) arrivals.set((parsed.firstNumber + i) & 0xffff, parsed.referenceMs + offset);
    });
  }
  return arrivals;
}

test('what a receiver writes is read: losses, reordering, long gaps, numbers that wrap', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const receiver = new TransportFeedback(1);
    const arrived = new Map<number, number>();
    let number = 65_300;
    let nowMs = 1000;
    for (let i = 0; i < 500; i++) {
      number += random() < 0.02 ? 40 : random() < 0.1 ? 2 : 1;
      nowMs += random() < 0.01 ? 9000 : random() * 8;
      const late = random() < 0.05 ? number - 3 : number;
      if (arrived.has(late)) continue;
      receiver.arrived(late & 0xffff, nowMs);
      arrived.set(late, nowMs);
    }
    const read = told(receiver.take(7));
    assert.equal(read.size, arrived.size, `seed ${seed}`);
    for (const [index, atMs] of arrived) assert.ok(Math.abs((read.get(index & 0xffff) ?? NaN) - atMs) <= 0.125, `seed ${seed}, ${index}`);
  }
});

test('every form of a chunk is read: runs, vectors of one bit and of two', () => {
  const parsed = parseArrivals(
    feedback(10, 3 + 14 + 7, [0x2003, 0x8000 | 0b10000000000001, 0xc000 | (1 << 12) | (2 << 8)], [4, 8, 12, 40, 4, 4, 0xff, 0xfc]),
  );
  assert.equal(parsed?.firstNumber, 10);
  const expected = [1, 3, 6, 16, ...Array<number>(12).fill(NaN), 17, 18, NaN, 17, ...Array<number>(4).fill(NaN)];
  assert.deepEqual(parsed.offsetsMs, expected);
});

test('feedback that has fewer deltas than arrivals, as that of werift with losses, says nothing', () => {
  assert.equal(parseArrivals(feedback(10, 8, [0x2008], [1, 1, 1, 1, 1, 1, 1])), undefined);
  assert.equal(parseArrivals(feedback(10, 2, [0x4002], [0, 1, 0])), undefined);
  assert.equal(parseArrivals(feedback(10, 8, [0x2004], [1, 1, 1, 1])), undefined, 'fewer chunks than packets');
  assert.equal(parseArrivals(feedback(10, 1, [0x6001], [1, 1, 1, 1])), undefined, 'the reserved status');
  assert.equal(parseArrivals(feedback(10, 0, [], [])), undefined);
  assert.equal(parseArrivals(feedback(10, 0xffff, Array<number>(9).fill(0x1fff), [])), undefined, 'more than anybody sends meanwhile');
  assert.ok(parseArrivals(feedback(10, 2001, [2000, 0x2001], [4])), 'an outage');
  assert.equal(parseArrivals(feedback(10, 2000, [2000], [])), undefined, 'whoever got nothing has nothing to tell');
});

test('of the feedbacks in one packet no more are read than a receiver of good will sends', () => {
  const flood = Buffer.concat(Array.from({ length: 50 }, (_unused, i) => feedback(i, 2001, [2000, 0x2001], [4])));
  assert.equal(parseRtcp(flood).filter(({ type }) => type === 'arrivals').length, 4);
});

test('REMB is read up to its largest value, and nothing else of its kind is', () => {
  for (const bps of [0, 1, 250_000, 5e9]) {
    const parsed = parseReceiverEstimate(writeRemb(1, [7, 8], bps));
    assert.ok(parsed && Math.abs(parsed.bitrateBps - bps) <= bps / 2 ** 17, String(bps));
    assert.deepEqual(parsed.ssrcs, [7, 8]);
  }
  const largest = writeRemb(1, [7], 0);
  largest.writeUIntBE(0xffffff, 17, 3);
  assert.equal(parseReceiverEstimate(largest)?.bitrateBps, (2 ** 18 - 1) * 2 ** 63);
  const foreign = writeRemb(1, [7], 1000);
  foreign.write('AFBP', 12);
  assert.equal(parseReceiverEstimate(foreign), undefined);
  const short = writeRemb(1, [7], 1000);
  short.writeUInt8(2, 16);
  assert.equal(parseReceiverEstimate(short), undefined, 'an ssrc that is not there');
});

test('malformed feedback in a compound packet takes nothing from what stands beside it', () => {
  const good = writeRemb(1, [7], 100_000);
  const bad = feedback(10, 8, [0x2008], [1]);
  assert.deepEqual(
    parseRtcp(Buffer.concat([bad, good])).map(({ type }) => type),
    ['receiver-estimate'],
  );
});

test('whatever bytes come, reading ends, and what is read fits into what was claimed', () => {
  const random = seededRandom(12);
  const byte = (): number => Math.floor(random() * 256);
  for (let i = 0; i < 5000; i++) {
    const receiver = new TransportFeedback(1);
    for (let n = 0; n < 20; n++) if (random() < 0.8) receiver.arrived(n, n * 5);
    const packet = receiver.take(7)[0] ?? feedback(0, 1, [0x2001], [0]);
    for (let faults = 1 + Math.floor(random() * 4); faults > 0; faults--) packet[12 + Math.floor(random() * (packet.length - 12))] = byte();
    const cut = packet.subarray(0, random() < 0.2 ? Math.floor(random() * packet.length) : packet.length);
    const parsed = parseArrivals(cut);
    if (!parsed) continue;
    assert.equal(parsed.offsetsMs.length, cut.readUInt16BE(14));
    assert.ok(parsed.offsetsMs.length <= 8192);
  }
});
