/** A publisher on a bad network: what those who watch it on a good one see while its link gets slower and faster again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { projectRoot } from '../../../test/helpers/assets.js';
import { eventually } from '../../../test/helpers/deadline.js';
import type { ImpairedPath } from '../../../test/helpers/network/impaired-path.js';
import { SignallingProxy } from '../../../test/helpers/network/signalling-proxy.js';
import { percentile } from '../../load-test/statistics.js';
import type { Row } from '../bench.js';
import { publishTime, watchTime } from '../../../test/helpers/clock-pages.js';
import type { Measured } from './cases.js';
import { longestGapMs, type Span, type Trace } from './trace.js';
import { during, nowMs, type Stage } from './watching.js';

const SIZE = { width: 640, height: 360, isBusy: true };
const PHASES = [
  { mbit: 4, name: '4 Mbit/s' },
  { mbit: 1, name: 'then 1 Mbit/s' },
  { mbit: 4, name: 'then 4 Mbit/s' },
] as const;
const PHASE_MS = 12_000;
/** The encoder begins with a low bitrate. */
const SETTLE_MS = 5_000;
const PATIENCE_MS = 20_000;

/** A busy machine, or too few bits for the picture, make it smaller, as with a camera; the pictures a second are what counts here. */
const KEEP_RATE = `(() => {
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (...args) {
    const transceiver = add.apply(this, args);
    this.addEventListener('connectionstatechange', () => {
      const parameters = transceiver.sender.getParameters();
      parameters.degradationPreference = 'maintain-framerate';
      if (this.connectionState === 'connected' && transceiver.sender.track?.kind === 'video') void transceiver.sender.setParameters(parameters);
    });
    return transceiver;
  };
})()`;

type Age = readonly [shownMs: number, ageMs: number];

/** Publishes to the room `clock` by the server at that address. */
type Publish = (stage: Stage, url: string) => Promise<void>;

/** Chromium publishes 640×360 that takes whatever it gets; Chromium watches. */
export const publishing = publishedBy('Chromium', async (stage, url) => {
  const camera = await openPage(stage, url);
  await camera.evaluate(KEEP_RATE);
  await camera.evaluate(`(${publishTime.toString()})(${JSON.stringify(SIZE)})`);
  await eventually(() => camera.evaluate<boolean>("publishing.state === 'playing'"), PATIENCE_MS, 'the canvas to be published');
});

/** So does aiortc, which knows no feedback but REMB. */
export const aiortcPublishing = publishedBy('aiortc', async (stage, url) => {
  const script = path.join(projectRoot, 'scripts/bench/networks/aiortc_publisher.py');
  const python = spawn(process.env['PYTHON'] ?? '/usr/bin/python3', [script, new URL('/whip/clock', url).href], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(python, 'exit');
  stage.keep({
    close: async () => {
      python.kill();
      await exited;
    },
  });
  await Promise.race([
    untilListed(stage.url),
    exited.then(() => Promise.reject(new Error('aiortc ended: PYTHON names a Python that has it'))),
  ]);
});

async function untilListed(url: string): Promise<void> {
  await eventually(
    async () => {
      const { clients } = (await (await fetch(new URL('/connection-stats', url))).json()) as { clients: readonly { role: string }[] };
      return clients.some(({ role }) => role === 'publisher');
    },
    PATIENCE_MS,
    'the publisher to come',
  );
}

function publishedBy(who: string, publish: Publish): (stage: Stage) => Promise<Measured> {
  return async (stage) => {
    if (stage.isPeer) return { rows: [], traces: [] };
    const network = stage.path({ delayMs: 20 }, { rateBps: PHASES[0].mbit * 1e6, delayMs: 20, queueMs: 300 });
    const proxy = stage.keep(await SignallingProxy.open(stage.url, network));
    await publish(stage, proxy.url);
    return watchPhases(who, stage, network);
  };
}

async function watchPhases(who: string, stage: Stage, network: ImpairedPath): Promise<Measured> {
  const viewer = await openPage(stage, stage.url);
  const joinedMs = nowMs();
  await viewer.evaluate(`(${watchTime.toString()})('raw')`);
  await eventually(() => viewer.evaluate<boolean>('ages.length > 30'), PATIENCE_MS, 'the picture to play');
  await wait(SETTLE_MS);
  const spans: Span[] = [];
  for (const { mbit } of PHASES) {
    network.change({ up: { rateBps: mbit * 1e6 } });
    spans.push(await during(PHASE_MS));
  }
  const ages = await viewer.evaluate<Age[]>('ages');
  const trace: Trace = {
    joinedMs,
    pictures: ages.map(([shownMs, ageMs], i) => [shownMs, ageMs, i]),
    server: [],
    queue: network.up.samples.map(({ atMs, ...sample }) => ({ ...sample, atMs: performance.timeOrigin + atMs })),
    dropped: network.up.dropped,
  };
  return { rows: spans.flatMap((span, i) => rowsOf(`${who} publishes, ${PHASES[i]?.name}`, trace, ages, span)), traces: [trace] };
}

async function openPage(stage: Stage, url: string): Promise<Page> {
  const { page } = await stage.browser.viewerPage(url);
  stage.keep({ close: () => page.context().close() });
  await page.evaluate("(async () => { globalThis.sightline = await import('/sightline.js'); })()");
  return page;
}

function rowsOf(name: string, trace: Trace, ages: readonly Age[], { fromMs, toMs }: Span): Row[] {
  const after = (ms: number): readonly Age[] => ages.filter(([shownMs]) => shownMs >= fromMs + ms && shownMs < toMs);
  return [
    {
      figure: `${name}: pictures after 2 s`,
      value: after(2000).length / ((toMs - fromMs - 2000) / 1000),
      unit: '/s',
      least: 20,
    },
    { figure: `${name}: longest gap`, value: longestGapMs(trace, { fromMs, toMs }), unit: 'ms', limit: 700 },
    {
      figure: `${name}: age of pictures after 3 s, p95`,
      value:
        percentile(
          after(3000).map(([, ageMs]) => ageMs),
          0.95,
        ) ?? Infinity,
      unit: 'ms',
      limit: 300,
    },
  ];
}
