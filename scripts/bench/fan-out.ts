/**
 * What a viewer costs: CPU of the server process per RTP packet sent, and memory per viewer, beside a plain
 * werift sender that is fed the very packets the server sends. Receivers are werift peers in other processes
 * that count packets instead of decrypting them, so that they leave the machine to the senders. Viewers that acknowledge
 * what arrives, as browsers do, are measured apart: what the numbers cost that they ask for, and what reading their feedback does.
 */
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { LoadClient, type ClientJob, type ClientResult } from '../load-test/client.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import { percentile } from '../load-test/statistics.js';
import { assertPassthrough, makeClip, withFolder, type BenchOptions, type Row } from './bench.js';
import type { PlainSenderReady } from './plain-sender.js';

const DEFAULT_SECONDS = 6;
/** Of each measurement, of which the median counts. */
const ROUNDS = 3;
export const VIEWERS_PER_PROCESS = 25;
/** Handshakes of server and receivers share two cores; faster joins only queue up. */
export const JOIN_SPACING_MS = 120;

interface Measurement {
  readonly cpuUsPerPacket: number;
  /** Of one viewer, a second: equal for both senders unless packets are lost on the way. */
  readonly packetRate: number;
  readonly rssBytesPerViewer: number;
  /** Viewers that did not connect, and why; the figures are those of the others. */
  readonly failed: number;
  readonly reasons: readonly string[];
}

export async function run(options: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    for (const viewers of options.clients)
      options.kept.push(...(await compare(viewers, options.seconds ?? DEFAULT_SECONDS, folder, options.failures)));
    return options.kept;
  });
}

/** The two senders take turns, so that what else the machine does meets both. */
async function compare(viewers: number, seconds: number, folder: string, failures: string[]): Promise<Row[]> {
  const ours: Measurement[] = [];
  const plain: Measurement[] = [];
  const numbered: Measurement[] = [];
  const acknowledged: Measurement[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const take = async (into: Measurement[], who: string, measured: Promise<Measurement>): Promise<void> => {
      try {
        const measurement = await measured;
        into.push(measurement);
        if (measurement.failed > 0)
          failures.push(
            `${who}, round ${round + 1}: ${viewers - measurement.failed} of ${viewers} viewers joined and were measured: ${measurement.reasons.join('; ')}`,
          );
      } catch (error) {
        failures.push(`${who}, round ${round + 1}, ${viewers} viewers: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
    await take(ours, 'server', measureServer(viewers, seconds, folder));
    await take(plain, 'plain werift', measurePlain(viewers, seconds, folder));
    await take(numbered, 'server, numbered', measureServer(viewers, seconds, folder, 'asked'));
    await take(acknowledged, 'server, acknowledged', measureServer(viewers, seconds, folder, 'sent'));
  }
  const median = (values: readonly Measurement[], value: (measurement: Measurement) => number): number =>
    percentile(values.map(value), 0.5) ?? NaN;
  const oursUs = median(ours, ({ cpuUsPerPacket }) => cpuUsPerPacket);
  const plainUs = median(plain, ({ cpuUsPerPacket }) => cpuUsPerPacket);
  const rows: Row[] = [
    { figure: `${viewers} viewers: server, CPU per packet`, value: oursUs, unit: 'us' },
    { figure: `${viewers} viewers: plain werift, CPU per packet`, value: plainUs, unit: 'us' },
    { figure: `${viewers} viewers: server / plain werift`, value: oursUs / plainUs, unit: '×', ...(viewers >= 10 && { limit: 1.1 }) },
    ...(
      [
        ['numbered for feedback', numbered, 1.1],
        ['acknowledged by feedback', acknowledged, 1.3],
      ] as const
    ).map(([what, measurements, limit]) => ({
      figure: `${viewers} viewers: server, ${what} / without`,
      value: median(measurements, ({ cpuUsPerPacket }) => cpuUsPerPacket) / oursUs,
      unit: '×',
      ...(viewers >= 10 && { limit }),
    })),
    { figure: `${viewers} viewers: server, packets a second and viewer`, value: median(ours, ({ packetRate }) => packetRate), unit: '' },
    {
      figure: `${viewers} viewers: plain werift, packets a second and viewer`,
      value: median(plain, ({ packetRate }) => packetRate),
      unit: '',
    },
    {
      figure: `${viewers} viewers: server, memory a viewer`,
      value: median(ours, ({ rssBytesPerViewer }) => rssBytesPerViewer) / 2 ** 20,
      unit: 'MiB',
      ...(viewers >= 50 && { limit: 1 }),
    },
    {
      figure: `${viewers} viewers: plain werift, memory a viewer`,
      value: median(plain, ({ rssBytesPerViewer }) => rssBytesPerViewer) / 2 ** 20,
      unit: 'MiB',
    },
  ];
  // What could not be measured at all.
  return rows.filter(({ value }) => !Number.isNaN(value));
}

async function measureServer(viewers: number, seconds: number, folder: string, feedback?: ClientJob['feedback']): Promise<Measurement> {
  const server = await startServerProcess({
    UPLOAD_DIR: folder,
    MODEL: 'none',
    MAX_CONNECTIONS: String(viewers + 1),
    RATE_LIMIT: '0',
    LOG_LEVEL: 'warn,http=info',
  });
  try {
    await assertPassthrough(server.url);
    return await measure(server.url, viewers, seconds, feedback);
  } finally {
    await server.close();
  }
}

async function measurePlain(viewers: number, seconds: number, folder: string): Promise<Measurement> {
  const server = await startServerProcess({ UPLOAD_DIR: folder, MODEL: 'none', LOG_LEVEL: 'warn,http=info' });
  const sender = fork(new URL('./plain-sender.js', import.meta.url));
  const socket = createSocket('udp4');
  try {
    const [{ httpPort, rtpPort }] = (await once(sender, 'message')) as [PlainSenderReady];
    const tap = new LoadClient({ ...viewerJob(server.url, 0), countOnly: false }, (packet) => socket.send(packet, rtpPort, '127.0.0.1'));
    await tap.join();
    if (tap.failure) throw new Error(`the feed of the plain sender: ${tap.failure.message}`);
    const measurement = await measure(`http://127.0.0.1:${httpPort}`, viewers, seconds);
    await tap.close();
    return measurement;
  } finally {
    sender.kill();
    socket.close();
    await server.close();
  }
}

/** Joins the viewers, lets them settle, and measures the sender at `url`. */
async function measure(url: string, viewers: number, seconds: number, feedback?: ClientJob['feedback']): Promise<Measurement> {
  const before = await readHealth(url);
  const fleet = new Fleet(
    Array.from({ length: viewers }, (_unused, index) => ({ ...viewerJob(url, index), feedback, delayMs: index * JOIN_SPACING_MS })),
    VIEWERS_PER_PROCESS,
  );
  try {
    const { failed } = await fleet.settled();
    const joined = viewers - failed;
    if (joined === 0) throw new Error(`no viewer connected to ${url}: ${reasonsOf(await fleet.stop()).join('; ')}`);
    await wait(2000);
    const start = await readHealth(url);
    const startMs = performance.now();
    const packetsBefore = await fleet.rtpPackets();
    await wait(seconds * 1000);
    const packets = (await fleet.rtpPackets()) - packetsBefore;
    const spanS = (performance.now() - startMs) / 1000;
    const end = await readHealth(url);
    return {
      packetRate: packets / spanS / joined,
      cpuUsPerPacket: (((end.process?.cpu_s ?? NaN) - (start.process?.cpu_s ?? NaN)) * 1e6) / packets,
      rssBytesPerViewer: ((end.process?.rss_bytes ?? NaN) - (before.process?.rss_bytes ?? NaN)) / joined,
      failed,
      reasons: failed > 0 ? reasonsOf(await fleet.stop()) : [],
    };
  } finally {
    await fleet.stop();
  }
}

/** Each reason once. */
export function reasonsOf(results: readonly ClientResult[]): string[] {
  return [...new Set(results.flatMap(({ failure }) => failure?.message ?? []))];
}

/** A viewer of `clip.mp4` that counts packets instead of decrypting them. */
export function viewerJob(url: string, index: number) {
  return {
    index,
    url,
    source: 'clip',
    tracks: ['raw'],
    codec: 'h264',
    audio: false,
    delayMs: 0,
    connectTimeoutMs: 30_000,
    countOnly: true,
  } as const;
}
