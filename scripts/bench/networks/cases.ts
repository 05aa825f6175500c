/** The rows of the bench: a network each, and the bars that the picture has to keep on it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { LinkShape } from '../../../test/helpers/network/link.js';
import { seededRandom } from '../../../test/helpers/random.js';
import type { Row } from '../bench.js';
import * as read from './trace.js';
import type { Span, Trace } from './trace.js';
import { aiortcPublishing, publishing } from './publishing.js';
import { during, nowMs, type Stage, type Watching } from './watching.js';

/** Of the clip. */
export const TOP = { heightPx: 720, kbps: 2500 } as const;

/** Rows, and who was watched, for the story. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly traces: readonly Trace[];
}

type Case = (stage: Stage, seconds: number) => Promise<Measured>;

const mbit = (rate: number): number => rate * 1e6;
/** 40 ms there and back. */
const link = (rate: number, more: LinkShape = {}): LinkShape => ({ rateBps: mbit(rate), delayMs: 20, queueMs: 300, ...more });
/** What goes up is never in the way. */
const UP: LinkShape = { delayMs: 20 };

const from = ({ fromMs, toMs }: Span, ms: number, untilMs = toMs - fromMs): Span => ({ fromMs: fromMs + ms, toMs: fromMs + untilMs });

async function measured(watching: Watching | readonly Watching[], rows: (...traces: Trace[]) => Row[]): Promise<Measured> {
  const traces = await Promise.all([watching].flat().map((one) => one.trace()));
  return { rows: rows(...traces), traces };
}

const join: Case = async (stage) => {
  const watching = await stage.watch(stage.path(link(5), UP));
  await wait(Math.max(0, watching.joinedMs + 10_000 - nowMs()));
  const span = { fromMs: watching.joinedMs, toMs: watching.joinedMs + 10_000 };
  return measured(watching, (trace) => [
    { figure: '5 Mbit/s: offer → first picture', value: (trace.pictures[0]?.[0] ?? Infinity) - span.fromMs, unit: 'ms' },
    {
      figure: '5 Mbit/s: offer → top rung',
      value: (read.stablyFromMs(trace, span, TOP.heightPx) - span.fromMs) / 1000,
      unit: 's',
      limit: 3,
    },
    { figure: '5 Mbit/s: estimate within 10 s', value: read.bestEstimateKbps(trace, span), unit: 'kbit/s', least: TOP.kbps * 1.2 },
    { figure: '5 Mbit/s: queue p95', value: read.queueP95Ms(trace, span), unit: 'ms' },
    { figure: '5 Mbit/s: longest freeze from 1 s on', value: read.longestGapMs(trace, from(span, 1000)), unit: 'ms' },
  ]);
};

/** The rung that fits 1 Mbit/s runs already for somebody else, or has to be started. */
const drop =
  (isWarm: boolean): Case =>
  async (stage) => {
    if (isWarm && !(await keepRunning(stage, '360p'))) return { rows: [], traces: [] };
    const name = isWarm ? 'warm' : 'cold';
    const path = stage.path(link(4), UP);
    const watching = await stage.watch(path);
    await wait(12_000);
    path.change({ down: { rateBps: mbit(1) } });
    const slow = await during(10_000);
    path.change({ down: { rateBps: mbit(4) } });
    const fast = await during(16_000);
    return measured(watching, (trace) => [
      {
        figure: `4 → 1 Mbit/s, ${name}: lower rung`,
        value: read.lowerRungMs(trace, slow) - slow.fromMs,
        unit: 'ms',
        limit: isWarm ? 700 : 1200,
      },
      { figure: `4 → 1 Mbit/s, ${name}: longest freeze`, value: read.longestGapMs(trace, slow), unit: 'ms', limit: isWarm ? 500 : 1200 },
      { figure: `4 → 1 Mbit/s, ${name}: queue p95`, value: read.queueP95Ms(trace, slow), unit: 'ms', ...(isWarm && { limit: 150 }) },
      { figure: `4 → 1 Mbit/s, ${name}: queue p95 after 3 s`, value: read.queueP95Ms(trace, from(slow, 3000)), unit: 'ms', limit: 50 },
      { figure: `4 → 1 Mbit/s, ${name}: pictures after 2 s`, value: read.fps(trace, from(slow, 2000)), unit: '/s', least: 24 },
      {
        figure: `1 → 4 Mbit/s, ${name}: top rung`,
        value: (read.stablyFromMs(trace, fast, TOP.heightPx) - fast.fromMs) / 1000,
        unit: 's',
        limit: 12,
      },
      { figure: `1 → 4 Mbit/s, ${name}: longest freeze`, value: read.longestGapMs(trace, fast), unit: 'ms', limit: 183 },
    ]);
  };

/** A second viewer on a good network. */
async function keepRunning(stage: Stage, quality: string): Promise<boolean> {
  if (stage.isPeer) return false;
  const other = await stage.watch(stage.path({}));
  return other.fix(quality);
}

const STEADY_MBIT = [0.3, 0.7, 1.4, 2.8] as const;

/** Four viewers of one source, each on a link of its own. */
const steady: Case = async (stage, seconds) => {
  const watching = await Promise.all(STEADY_MBIT.map((rate, i) => stage.watch(stage.path(link(rate), UP, i + 1))));
  await wait(10_000);
  const span = await during(seconds * 1000);
  return measured(watching, (...traces) =>
    traces.flatMap((trace, i) => [
      {
        figure: `${STEADY_MBIT[i]} Mbit/s: switches in ${seconds} s`,
        value: read.switches(trace, span),
        unit: '',
        limit: Math.ceil(seconds / 30),
      },
      { figure: `${STEADY_MBIT[i]} Mbit/s: time frozen`, value: read.frozenPercent(trace, span), unit: '%' },
      { figure: `${STEADY_MBIT[i]} Mbit/s: queue p95`, value: read.queueP95Ms(trace, span), unit: 'ms' },
      { figure: `${STEADY_MBIT[i]} Mbit/s: pictures`, value: read.fps(trace, span), unit: '/s' },
    ]),
  );
};

const lossy: Case = async (stage, seconds) => {
  const bad = { rateBps: mbit(6), delayMs: 25, loss: 0.05 };
  const watching = await stage.watch(stage.path(bad, { ...bad, rateBps: mbit(2) }));
  await wait(5000);
  const span = await during(seconds * 1000);
  return measured(watching, (trace) => [
    { figure: '5 % loss: time on the top rung', value: read.sharePercent(trace, span, TOP.heightPx), unit: '%', least: 90 },
    { figure: '5 % loss: time frozen', value: read.frozenPercent(trace, span), unit: '%', limit: 1 },
    { figure: '5 % loss: pictures', value: read.fps(trace, span), unit: '/s' },
  ]);
};

const shared: Case = async (stage, seconds) => {
  const path = stage.path(link(3), UP);
  const watching = [await stage.watch(path), await stage.watch(path)];
  await wait(20_000);
  const before = await Promise.all(watching.map((one) => one.bytesReceived()));
  const span = await during(seconds * 2000);
  const after = await Promise.all(watching.map((one) => one.bytesReceived()));
  const rates = after.map((bytes, i) => bytes - (before[i] ?? 0));
  return measured(watching, (...traces) => [
    { figure: 'two on 3 Mbit/s: Jain index', value: jain(rates), unit: '', least: 0.9 },
    {
      figure: 'two on 3 Mbit/s: sum of both',
      value: (rates.reduce((sum, bytes) => sum + bytes, 0) * 8) / (span.toMs - span.fromMs),
      unit: 'kbit/s',
    },
    {
      figure: 'two on 3 Mbit/s: longest freeze',
      value: Math.max(...traces.map((trace) => read.longestGapMs(trace, span))),
      unit: 'ms',
      limit: 183,
    },
  ]);
};

/** (Σx)² / (n Σx²): 1 where all get the same, 1/n where one gets everything. */
function jain(rates: readonly number[]): number {
  const sum = rates.reduce((total, rate) => total + rate, 0);
  return sum ** 2 / (rates.length * rates.reduce((total, rate) => total + rate ** 2, 0));
}

/** The rate changes every second, evenly on a logarithmic scale between 0.3 and 6 Mbit/s. */
const cellular: Case = async (stage, seconds) => {
  const random = seededRandom(12);
  const path = stage.path(link(2), UP);
  const watching = await stage.watch(path);
  const timer = setInterval(() => path.change({ down: { rateBps: mbit(0.3 * 20 ** random()) } }), 1000);
  try {
    await wait(5000);
    const span = await during(seconds * 2000);
    return await measured(watching, (trace) => [
      { figure: 'cellular: time frozen', value: read.frozenPercent(trace, span), unit: '%', limit: 2 },
      { figure: 'cellular: queue p95', value: read.queueP95Ms(trace, span), unit: 'ms', limit: 200 },
      { figure: 'cellular: pictures', value: read.fps(trace, span), unit: '/s' },
      { figure: 'cellular: switches', value: read.switches(trace, span), unit: '' },
    ]);
  } finally {
    clearInterval(timer);
  }
};

/** By name, in order. */
export const CASES: Readonly<Record<string, Case>> = {
  join,
  cold: drop(false),
  warm: drop(true),
  steady,
  loss: lossy,
  shared,
  cellular,
  publishing,
  aiortc: aiortcPublishing,
};
