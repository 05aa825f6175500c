/**
 * Links that nobody chose: rates, round trips, queues, jitter and loss in all combinations, each run drawn from them with a
 * seed, and what happens on them: steps, outages, ramps, others. What a viewer sees stays within bounds on each.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NetworkRun } from '../../helpers/network-run.js';
import { seededRandom } from '../../helpers/random.js';

const MBIT = 1_000_000;
const RATES_MBIT = [0.4, 0.7, 1.2, 2, 3, 6];
const ROUND_TRIPS_MS = [20, 80, 200];
const QUEUES_MS = [50, 150, 300, 1_000];
const JITTERS_MS = [0, 10, 30];
const LOSSES = [0, 0.02];

interface Way {
  readonly roundTripMs: number;
  readonly queueLimitMs: number;
  readonly jitterMs: number;
  readonly loss: number;
}

const WAYS: readonly Way[] = ROUND_TRIPS_MS.flatMap((roundTripMs) =>
  QUEUES_MS.flatMap((queueLimitMs) =>
    JITTERS_MS.flatMap((jitterMs) => LOSSES.map((loss) => ({ roundTripMs, queueLimitMs, jitterMs, loss }))),
  ),
);

/** A few of the combinations: all of them would take minutes, and each value comes often enough. */
function drawn<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = seededRandom(seed);
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}

/** @param rateBps of the time in ms. A browser waits for repairs where it has to. */
function watch({ roundTripMs, queueLimitMs, jitterMs, loss }: Way, rateBps: (nowMs: number) => number, seed: number): NetworkRun {
  const delayMs = roundTripMs / 2;
  const bufferMs = 30 + jitterMs + (loss > 0 || queueLimitMs < 100 ? 1.5 * roundTripMs + 60 : 0);
  return new NetworkRun({ rateBps, delayMs, queueLimitMs, jitterMs, loss, seed }, [{ delayMs, roundTripMs, bufferMs }]);
}

const name = (way: Way, rates: string): string =>
  `${rates} Mbit/s, ${way.roundTripMs} ms there and back, queue ${way.queueLimitMs} ms, jitter ${way.jitterMs} ms, ${way.loss * 100} % lost`;

/** 0..1 */
const frozen = (run: NetworkRun, fromMs: number, toMs = run.nowMs): number =>
  run.freezes(fromMs, toMs).reduce((sum, ms) => sum + ms, 0) / (toMs - fromMs);

/** @param share of the cases keep to the bound at least */
function assertMostly(cases: readonly { readonly name: string; readonly value: number }[], bound: number, share: number): void {
  const over = cases.filter(({ value }) => value > bound);
  assert.ok(over.length <= cases.length * (1 - share), over.map(({ name, value }) => `${name}: ${value.toFixed(3)}`).join('\n'));
}

describe('a steady link of any kind', () => {
  const runs = RATES_MBIT.flatMap((mbit, i) =>
    drawn(WAYS, 6, i + 1).map((way, j) => ({ name: name(way, `${mbit}`), run: watch(way, () => mbit * MBIT, j + 1).runTo(45_000) })),
  );
  const of = (value: (run: NetworkRun) => number) => runs.map(({ name, run }) => ({ name, value: value(run) }));

  it('brings one switch at most in 30 s', () => {
    assertMostly(
      of((run) => run.switches(12_000, 42_000)),
      1,
      0.88,
    );
    assertMostly(
      of((run) => run.switches(12_000, 42_000)),
      2,
      1,
    );
  });

  it('shows its picture, and makes no queue', () => {
    assertMostly(
      of((run) => frozen(run, 12_000)),
      0.01,
      0.85,
    );
    assertMostly(
      of((run) => run.queueP95(12_000)),
      150,
      1,
    );
  });
});

interface Phase {
  readonly title: string;
  readonly rateMbit: (nowMs: number) => number;
  /** What is looked at, ms. */
  readonly span: readonly [fromMs: number, toMs: number];
  /** No gap in the picture is longer, mostly and ever, ms. */
  readonly longestMs: readonly [mostly: number, ever: number];
  /** 95th percentile of the queue from 3 s after the beginning of the span on, ms. */
  readonly queueMs: number;
  /** Pictures a second from 2 s on. */
  readonly fps: number;
}

const PHASES: readonly Phase[] = [
  {
    title: 'falls from 4 to 1 Mbit/s',
    rateMbit: (nowMs) => (nowMs < 15_000 ? 4 : 1),
    span: [15_000, 25_000],
    longestMs: [900, 1_500],
    queueMs: 60,
    fps: 28,
  },
  {
    title: 'falls to a third of 3 Mbit/s',
    rateMbit: (nowMs) => (nowMs < 15_000 ? 3 : 1),
    span: [15_000, 25_000],
    longestMs: [900, 1_500],
    queueMs: 60,
    fps: 28,
  },
  {
    title: 'falls from 1.2 to 0.4 Mbit/s',
    rateMbit: (nowMs) => (nowMs < 15_000 ? 1.2 : 0.4),
    span: [15_000, 25_000],
    longestMs: [900, 1_500],
    queueMs: 75,
    fps: 28,
  },
  {
    title: 'is gone for 2 s, and back half a second ago',
    rateMbit: (nowMs) => (nowMs >= 15_000 && nowMs < 17_000 ? 0.000_01 : 3),
    span: [17_500, 35_000],
    longestMs: [1_000, 1_500],
    queueMs: 60,
    fps: 28,
  },
  {
    title: 'falls slowly from 4 to 0.5 Mbit/s',
    rateMbit: (nowMs) => Math.max(0.5, 4 - Math.max(0, nowMs - 10_000) / 5_000),
    span: [10_000, 30_000],
    longestMs: [900, 1_500],
    queueMs: 200,
    fps: 24,
  },
  {
    title: 'rises from 0.7 to 5 Mbit/s',
    rateMbit: (nowMs) => (nowMs < 15_000 ? 0.7 : 5),
    span: [15_000, 31_000],
    longestMs: [0, 250],
    queueMs: 40,
    fps: 28,
  },
];

for (const { title, rateMbit, span, longestMs, queueMs, fps } of PHASES) {
  describe(`a link of any kind that ${title}`, () => {
    const [fromMs, toMs] = span;
    const runs = drawn(WAYS, 12, 7).map((way, i) => ({
      name: name(way, '?'),
      run: watch(way, (nowMs) => rateMbit(nowMs) * MBIT, i + 1).runTo(toMs),
    }));
    const of = (value: (run: NetworkRun) => number) => runs.map(({ name, run }) => ({ name, value: value(run) }));

    it('goes on with its picture soon, and without a queue', () => {
      assertMostly(
        of((run) => run.longestFreeze(fromMs, toMs)),
        longestMs[0],
        0.75,
      );
      assertMostly(
        of((run) => run.longestFreeze(fromMs, toMs)),
        longestMs[1],
        1,
      );
      assertMostly(
        of((run) => -run.fps(fromMs + 2_000, toMs)),
        -fps,
        1,
      );
      assertMostly(
        of((run) => run.queueP95(fromMs + 3_000, toMs)),
        queueMs,
        1,
      );
    });
  });
}

describe('a link of any kind that rises to 5 Mbit/s', () => {
  it('brings the best rung within 15 s', () => {
    for (const [i, way] of drawn(WAYS, 12, 8).entries()) {
      const run = watch(way, (nowMs) => (nowMs < 12_000 ? 0.7 : 5) * MBIT, i + 1).runTo(27_000);
      assert.equal(run.viewers[0]!.rung, 'source', name(way, '0.7, then 5'));
    }
  });
});
