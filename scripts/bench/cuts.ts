/**
 * How soon the picture is back after the network, the server or the camera was away: real Chromium with the client
 * library at one end of a virtual cable, the real server at the other. Needs root, for the namespaces.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { Cable } from '../../test/helpers/cable.js';
import { eventually } from '../../test/helpers/deadline.js';
import { noNamespaces } from '../../test/helpers/namespaces.js';
import { percentile } from '../load-test/statistics.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

const RUNS = 3;
const PATIENCE_MS = 30_000;

export async function run(_options: BenchOptions): Promise<Row[]> {
  if (noNamespaces !== false) throw new Error(noNamespaces);
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    const cable = await Cable.open({ UPLOAD_DIR: folder, MODEL: 'none', LOG_LEVEL: 'warn,http=info' });
    try {
      return [
        ...(await measured('network silent for 2 s → picture', 1000, () => afterSilence(cable, 2000))),
        ...(await measured('network silent for 15 s → picture', 4000, () => afterSilence(cable, 15_000))),
        ...(await measured('cable pulled for 4 s → picture', undefined, () => afterPull(cable, 4000))),
        ...(await measured('server listens again → picture', 3000, () => afterRestart(cable))),
        ...(await measured("camera killed and restarted: connected → viewer's picture", 2000, () => afterKilledCamera(cable))),
      ];
    } finally {
      await cable.close();
    }
  });
}

async function measured(figure: string, limit: number | undefined, scenario: () => Promise<number>): Promise<Row[]> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await scenario());
  return [
    { figure: `${figure}, median of ${RUNS}`, value: percentile(times, 0.5) ?? NaN, unit: 'ms', ...(limit !== undefined && { limit }) },
    { figure: `${figure}, max`, value: percentile(times, 1) ?? NaN, unit: 'ms' },
  ];
}

async function watching<T>(cable: Cable, use: (page: Page) => Promise<T>, source = 'clip'): Promise<T> {
  const page = await cable.page();
  try {
    await cable.watch(page, source);
    return await use(page);
  } finally {
    await page.context().close();
  }
}

function afterSilence(cable: Cable, ms: number): Promise<number> {
  return watching(cable, async (page) => {
    cable.namespaces.block();
    await wait(ms);
    cable.namespaces.unblock();
    const healedMs = Date.now();
    return (await cable.firstFrameAfter(page, healedMs, PATIENCE_MS)) - healedMs;
  });
}

function afterPull(cable: Cable, ms: number): Promise<number> {
  return watching(cable, async (page) => {
    cable.namespaces.pull();
    await wait(ms);
    cable.namespaces.plug();
    const healedMs = Date.now();
    return (await cable.firstFrameAfter(page, healedMs, PATIENCE_MS)) - healedMs;
  });
}

function afterRestart(cable: Cable): Promise<number> {
  return watching(cable, async (page) => {
    await cable.stopServer();
    await cable.startServer();
    const listensMs = Date.now();
    return (await cable.firstFrameAfter(page, listensMs, PATIENCE_MS)) - listensMs;
  });
}

/** The page that publishes is killed without a word, and another one publishes to the same room. */
async function afterKilledCamera(cable: Cable): Promise<number> {
  const first = await cable.page();
  await cable.publish(first, 'cam');
  await eventually(() => first.evaluate<boolean>("publishing.state === 'playing'"), PATIENCE_MS, 'the camera to publish');
  return watching(
    cable,
    async (viewer) => {
      const session = await first.context().newCDPSession(first);
      // The tab crashes and cannot answer: nothing says goodbye.
      session.send('Page.crash').catch(() => undefined);
      await wait(3000);
      const second = await cable.page();
      try {
        await cable.publish(second, 'cam');
        const connectedMs = await eventually(
          async () => (await cable.seen(second)).states.find(({ state }) => state === 'connected')?.at,
          PATIENCE_MS,
          'the camera to connect',
        );
        return (await frameOfCamera(cable, viewer, connectedMs)) - connectedMs;
      } finally {
        await second.context().close();
        await first
          .context()
          .close()
          .catch(() => undefined);
      }
    },
    'cam',
  );
}

/** Slates come a few times a second; a camera's pictures come at least every 100 ms. A camera sends none before it is connected. */
async function frameOfCamera(cable: Cable, viewer: Page, afterMs: number): Promise<number> {
  return eventually(
    async () => {
      const { frames } = await cable.seen(viewer);
      const first = frames.findIndex((at, i) => at > afterMs && (frames[i + 5] ?? Infinity) - at < 500);
      return first < 0 ? undefined : frames[first];
    },
    PATIENCE_MS,
    "the camera's pictures",
  );
}
