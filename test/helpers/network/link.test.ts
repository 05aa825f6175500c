import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Link, type LinkShape } from './link.js';

/** Arrival times by what was sent: one datagram of `bytes` every `everyMs`. */
function send(
  link: Link<number>,
  { count, bytes, everyMs, fromMs = 0 }: { count: number; bytes: number; everyMs: number; fromMs?: number },
) {
  const arrivals = new Map<number, number>();
  const take = (nowMs: number): void => {
    for (const item of link.take(nowMs)) arrivals.set(item, nowMs);
  };
  const untilMs = fromMs + count * everyMs + 5000;
  for (let nowMs = fromMs, i = 0; nowMs < untilMs; nowMs++) {
    for (; i < count && fromMs + i * everyMs <= nowMs; i++) link.offer(i, bytes, fromMs + i * everyMs);
    take(nowMs);
  }
  return arrivals;
}

const fill = (shape: LinkShape, seed = 1): { link: Link<number>; arrivals: Map<number, number> } => {
  const link = new Link<number>(shape, seed);
  return { link, arrivals: send(link, { count: 500, bytes: 1250, everyMs: 5 }) };
};

describe('a link', () => {
  it('carries its rate, and drops what would wait too long', () => {
    const { link, arrivals } = fill({ rateBps: 1_000_000, queueMs: 200, delayMs: 20 });
    assert.equal(arrivals.get(0), 30, 'on the line 10 ms, then the delay');
    assert.equal(link.passed + link.dropped, 500);
    // 2 Mbit/s for 2.5 s into 1 Mbit/s, and a queue of 200 ms.
    assert.ok(Math.abs(link.passed - 270) <= 3, `${link.passed} passed`);
    assert.ok(Math.max(...link.samples.map(({ queueMs }) => queueMs)) <= 211);
  });

  it('passes everything where the rate suffices', () => {
    const { link, arrivals } = fill({ rateBps: 4_000_000, delayMs: 20, jitterMs: 30 });
    assert.deepEqual([link.passed, link.dropped, link.lost], [500, 0, 0]);
    const times = [...arrivals.values()];
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
      'in order',
    );
    assert.ok([...arrivals].some(([i, atMs]) => atMs - i * 5 > 40) && [...arrivals].some(([i, atMs]) => atMs - i * 5 < 35));
  });

  it('sends what waits at the new rate when that changes', () => {
    const link = new Link<number>({ rateBps: 100_000 });
    link.offer(0, 1250, 0);
    assert.deepEqual(link.take(50), []);
    assert.equal(link.queueMs(50), 50);
    link.reshape({ rateBps: 1_000_000 }, 50);
    assert.equal(link.queueMs(50), 5);
    assert.equal(link.nextMs, 55);
    assert.deepEqual(link.take(55), [0]);
    assert.equal(link.nextMs, undefined);
  });

  it('loses the same datagrams with the same seed, alone or in bursts', () => {
    const lost = (shape: LinkShape, seed?: number): number[] => {
      const { arrivals } = fill(shape, seed);
      return Array.from({ length: 500 }, (_, i) => i).filter((i) => !arrivals.has(i));
    };
    assert.deepEqual(lost({ loss: 0.1 }), lost({ loss: 0.1 }));
    assert.notDeepEqual(lost({ loss: 0.1 }), lost({ loss: 0.1 }, 2));
    const inARow = (all: readonly number[]): number => all.filter((i) => all.includes(i + 1)).length / all.length;
    const [single, burst] = [lost({ loss: 0.1 }, 5), lost({ loss: 0.1, burst: 8 }, 5)];
    for (const all of [single, burst]) assert.ok(all.length > 25 && all.length < 90, `${all.length} of 500`);
    assert.ok(inARow(burst) > 0.7 && inARow(single) < 0.3);
  });
});
