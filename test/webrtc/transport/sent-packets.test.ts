import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arrivals } from '../../../src/webrtc/transport/arrivals.js';
import { SentPackets } from '../../../src/webrtc/transport/sent-packets.js';

const told = (firstNumber: number, offsetsMs: number[], referenceMs = 64_000): Arrivals => ({
  firstNumber: firstNumber & 0xffff,
  referenceMs,
  offsetsMs,
});

/** Packets of `count` numbers, sent 10 ms apart. */
function sent(count: number): { packets: SentPackets; first: number } {
  const packets = new SentPackets();
  const numbers = Array.from({ length: count }, (_unused, i) => packets.add(i * 10, 1000 + (i % 100)));
  return { packets, first: numbers[0] ?? 0 };
}

test('numbers follow each other and wrap; each packet is told of once, in order', () => {
  const { packets, first } = sent(70_000);
  const last = (first + 69_999) & 0xffff;
  const results = packets.resolve(told(last - 2, [1, NaN, 7]));
  assert.deepEqual(results, [
    { sizeBytes: 1097, sentMs: 699_970, arrivedMs: 64_001 },
    { sizeBytes: 1098, sentMs: 699_980, arrivedMs: undefined },
    { sizeBytes: 1099, sentMs: 699_990, arrivedMs: 64_007 },
  ]);
  assert.deepEqual(packets.resolve(told(last - 2, [1, NaN, 7])), [], 'told again');
  const late = packets.resolve(told(last - 1, [9]));
  assert.deepEqual(
    late.map(({ arrivedMs }) => arrivedMs),
    [64_009],
    'what was lost may still arrive',
  );
  assert.deepEqual(packets.resolve(told(last - 1, [NaN])), [], 'and is not lost afterwards');
});

test('what was never sent, or too long ago, is passed over', () => {
  const { packets, first } = sent(3000);
  const last = first + 2999;
  assert.deepEqual(packets.resolve(told(last + 1, Array<number>(8000).fill(1))), []);
  assert.equal(packets.resolve(told(last - 1, Array<number>(8000).fill(1))).length, 2);
  assert.deepEqual(packets.resolve(told(first, Array<number>(900).fill(1))), []);
  assert.ok(packets.resolve(told(first, Array<number>(8000).fill(1))).length <= 2048);
  assert.deepEqual(new SentPackets().resolve(told(0, Array<number>(8000).fill(1))), []);
});

test("the receiver's clock goes on over the wrap of its reference time, and may step back a little", () => {
  const { packets, first } = sent(6);
  const wrapMs = 2 ** 24 * 64;
  const times = [wrapMs - 128, 0, wrapMs - 64, 64].flatMap((referenceMs, i) => packets.resolve(told(first + i, [5], referenceMs)));
  assert.deepEqual(
    times.map(({ arrivedMs }) => arrivedMs),
    [wrapMs - 123, wrapMs + 5, wrapMs - 59, wrapMs + 69],
  );
});
