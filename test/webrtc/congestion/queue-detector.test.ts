import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PacketResult } from '../../../src/webrtc/congestion/index.js';
import { QueueDetector, type QueueVerdict } from '../../../src/webrtc/congestion/queue-detector.js';
import { seededRandom } from '../../helpers/random.js';

const CLOCK_ORIGIN_MS = -7_000_000;

/**
 * What it makes of feedbacks every 75 ms, of a packet each 4 ms whose delay is as given; with the time of each verdict.
 * @param delayMs by the time of sending
 */
function watch(detector: QueueDetector, toMs: number, delayMs: (sentMs: number) => number): { atMs: number; verdict: QueueVerdict }[] {
  const verdicts: { atMs: number; verdict: QueueVerdict }[] = [];
  const packets: PacketResult[] = [];
  for (let sentMs = 0; sentMs < toMs; sentMs += 4) {
    packets.push({ sizeBytes: 1_200, sentMs, arrivedMs: sentMs + delayMs(sentMs) + CLOCK_ORIGIN_MS });
  }
  for (let atMs = 75; packets.length > 0; atMs += 75) {
    const due = packets.findIndex(({ arrivedMs }) => arrivedMs! - CLOCK_ORIGIN_MS > atMs);
    const arrived = packets.splice(0, due === -1 ? packets.length : due);
    if (arrived.length > 0) verdicts.push({ atMs, verdict: detector.add(arrived, atMs) });
  }
  return verdicts;
}

const seen = (verdicts: readonly { verdict: QueueVerdict }[]): QueueVerdict[] => [...new Set(verdicts.map(({ verdict }) => verdict))];

describe('a queue', () => {
  it('that grows slowly is warned of, then certain, within 0.8 s of 50 ms', () => {
    const verdicts = watch(new QueueDetector(), 6_000, (sentMs) => 20 + Math.max(0, sentMs - 2_000) / 10);
    const warning = verdicts.find(({ verdict }) => verdict === 'warning')!;
    const certain = verdicts.find(({ verdict }) => verdict === 'certain')!;
    assert.ok(warning.atMs >= 2_500 && warning.atMs < 2_900, `warning at ${warning.atMs} ms`);
    assert.ok(certain.atMs > warning.atMs && certain.atMs <= 3_300, `certain at ${certain.atMs} ms`);
  });

  it('that grows fast is steep within three feedbacks of 100 ms', () => {
    const verdicts = watch(new QueueDetector(), 3_000, (sentMs) => 20 + Math.max(0, sentMs - 2_000) * 1.5);
    const steep = verdicts.find(({ verdict }) => verdict !== 'clear')!;
    assert.equal(steep.verdict, 'steep');
    assert.ok(steep.atMs <= 2_400, `steep at ${steep.atMs} ms`);
  });

  it('of a large frame that drains again is no more than a warning', () => {
    const delay = (sentMs: number): number => 20 + Math.max(0, 90 - (sentMs % 1_000) / 4);
    assert.ok(!seen(watch(new QueueDetector(), 20_000, delay)).includes('certain'));
  });

  it('that is long and stays is certain after a while', () => {
    const verdicts = watch(new QueueDetector(), 6_000, (sentMs) => (sentMs < 2_000 ? 20 : 170));
    const certain = verdicts.find(({ verdict }) => verdict === 'certain')!;
    assert.ok(certain.atMs > 2_500 && certain.atMs < 3_600, `certain at ${certain.atMs} ms`);
  });

  it('is none once the delay of now is that of the empty way', () => {
    const detector = new QueueDetector();
    watch(detector, 6_000, (sentMs) => (sentMs < 2_000 ? 20 : 170));
    detector.rebase();
    assert.deepEqual(seen(watch(detector, 6_000, () => 170)), ['clear']);
    assert.equal(detector.queueMs, 0);
  });
});

describe('no queue', () => {
  it('is seen in delay that varies by 45 ms', () => {
    const random = seededRandom(1);
    assert.deepEqual(seen(watch(new QueueDetector(), 60_000, () => 20 + 45 * random())), ['clear']);
  });

  it('is certain when a busy receiver reads what came meanwhile at once', () => {
    const random = seededRandom(2);
    let [untilMs, nextMs] = [0, 500];
    const delay = (sentMs: number): number => {
      if (sentMs >= nextMs) {
        untilMs = sentMs + 400 * random();
        nextMs = untilMs + 600 * random();
      }
      return Math.max(20, untilMs - sentMs);
    };
    const verdicts = seen(watch(new QueueDetector(), 60_000, delay));
    assert.ok(!verdicts.includes('certain') && !verdicts.includes('steep'), verdicts.join(', '));
  });

  it('is seen in clocks that drift by 300 ppm', () => {
    for (const drift of [-0.000_3, 0.000_3]) {
      assert.deepEqual(seen(watch(new QueueDetector(), 120_000, (sentMs) => 20 + sentMs * drift)), ['clear']);
    }
  });

  it('is seen in a shorter way', () => {
    assert.deepEqual(seen(watch(new QueueDetector(), 10_000, (sentMs) => (sentMs < 5_000 ? 120 : 20))), ['clear']);
  });
});
