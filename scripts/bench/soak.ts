/**
 * Does it stay healthy? One viewer watches `processed` all the time while others join and leave, some of them
 * without ever connecting; memory is read every ten seconds, and what is held at the end is compared with before.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { WeriftViewer } from '../../test/helpers/werift-viewer.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import type { BenchOptions, Row } from './bench.js';

const DEFAULT_SECONDS = 600;
/** Memory is compared from here on: caches and pools are filled by then. */
const WARM_UP_S = 60;

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  const server = await startServerProcess({ IDLE_GRACE: '500', RATE_LIMIT: '0', LOG_LEVEL: 'warn,http=info' });
  try {
    const before = await readHealth(server.url);
    const fleet = new Fleet(
      [
        {
          index: 0,
          url: server.url,
          source: 'demo',
          tracks: ['processed'],
          codec: 'h264',
          audio: true,
          delayMs: 0,
          connectTimeoutMs: 20_000,
          countOnly: true,
        },
      ],
      1,
    );
    await fleet.settled();
    const samples: { readonly atS: number; readonly rssBytes: number }[] = [];
    const startMs = performance.now();
    let joins = 0;
    while (performance.now() - startMs < seconds * 1000) {
      await joinAndLeave(server.url, joins++);
      const atS = (performance.now() - startMs) / 1000;
      if (atS - (samples.at(-1)?.atS ?? -10) >= 10)
        samples.push({ atS, rssBytes: (await readHealth(server.url)).process?.rss_bytes ?? NaN });
    }
    await fleet.stop();
    const after = await settled(server.url, before.resources);
    const warm = samples.filter(({ atS }) => atS >= Math.min(WARM_UP_S, seconds / 3));
    return [
      { figure: 'joins and leaves', value: joins, unit: '' },
      { figure: 'memory after warm-up', value: (warm[0]?.rssBytes ?? NaN) / 2 ** 20, unit: 'MiB' },
      { figure: 'memory at the end', value: (warm.at(-1)?.rssBytes ?? NaN) / 2 ** 20, unit: 'MiB' },
      { figure: 'memory growth', value: slope(warm) * 60 * 2 ** -20, unit: 'MiB a minute', limit: 0.5 },
      { figure: 'held at the end beyond the start', value: after, unit: 'sockets, sessions, processes', limit: 0 },
    ];
  } finally {
    await server.close();
  }
}

/** Every fifth viewer only offers; the others watch for a moment. */
async function joinAndLeave(url: string, index: number): Promise<void> {
  const viewer = new WeriftViewer({ audio: true });
  try {
    const answer = await offer(url, await viewer.offer());
    if (index % 5 !== 0) {
      await viewer.acceptAnswer(answer.sdp);
      await viewer.connected();
      await wait(300);
    }
    await fetch(new URL(answer.session_url, url), { method: 'DELETE' });
  } finally {
    await viewer.close();
  }
}

async function offer(url: string, sdp: string): Promise<{ sdp: string; session_url: string }> {
  const response = await fetch(new URL('/offer', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sdp, type: 'offer', source: 'demo', tracks: ['raw'] }),
  });
  if (!response.ok) throw new Error(`the offer was refused: ${await response.text()}`);
  return (await response.json()) as { sdp: string; session_url: string };
}

/** Waits until nothing is left to give back, 40 s at most; how much is held beyond the start. */
async function settled(url: string, before: Readonly<Record<string, number>> = {}): Promise<number> {
  for (let left = 40; ; left--) {
    const { resources = {} } = await readHealth(url);
    const beyond = ['peer_connections', 'udp_sockets', 'child_processes'].reduce(
      (sum, kind) => sum + Math.max(0, (resources[kind] ?? 0) - (before[kind] ?? 0)),
      0,
    );
    if (beyond === 0 || left === 0) return beyond;
    await wait(1000);
  }
}

/** Bytes a second, by least squares. */
function slope(samples: readonly { readonly atS: number; readonly rssBytes: number }[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const atS = mean(samples.map((sample) => sample.atS));
  const rss = mean(samples.map((sample) => sample.rssBytes));
  const spread = samples.reduce((sum, sample) => sum + (sample.atS - atS) ** 2, 0);
  return samples.reduce((sum, sample) => sum + (sample.atS - atS) * (sample.rssBytes - rss), 0) / spread;
}
