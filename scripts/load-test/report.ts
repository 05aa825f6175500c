/** What a run of the load test found: figures over all viewers, the limits that were passed, and the table. */
import type { ClientFailure, ClientResult } from './client.js';
import type { LoadOptions } from './options.js';
import type { ServerFigures } from './server-figures.js';
import { table } from '../../src/cli/table.js';
import { format, percentile } from './statistics.js';

/** p50, p95 and maximum. */
interface Spread {
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly max: number | undefined;
}

interface LineReport {
  /** Rendition, or `audio`. */
  readonly line: string;
  readonly viewers: number;
  readonly first_packet_ms: Spread;
  /** First decodable frame; empty for audio. */
  readonly first_frame_ms: Spread;
  readonly packets: number;
  readonly lost: number;
  readonly loss_percent: number;
  readonly jitter_ms: Spread;
  readonly freezes: number;
  readonly longest_gap_ms: number;
  readonly bitrate_bps: number;
}

export interface LoadReport {
  readonly url: string;
  readonly clients: number;
  readonly connected: number;
  readonly failed: number;
  readonly connect_ms: Spread;
  readonly lines: readonly LineReport[];
  readonly server: {
    readonly cpu_percent: number | null;
    readonly max_rss_bytes: number | null;
    readonly resources: Readonly<Record<string, number>> | null;
  };
  /** UDP datagrams that this machine dropped because a process did not read them in time; null where unknown. */
  readonly receive_buffer_drops: number | null;
  readonly failures: readonly (ClientFailure & { readonly clients: number })[];
  readonly limits_passed: readonly string[];
}

/** What a run measured. */
export interface Measured {
  readonly results: readonly ClientResult[];
  readonly server: ServerFigures;
  /** Seconds from the first offer to the end. */
  readonly spanS: number;
  readonly receiveBufferDrops: number | undefined;
}

export function summarize(options: LoadOptions, { results, server, spanS, receiveBufferDrops }: Measured): LoadReport {
  const names = [...new Set(results.flatMap(({ lines }) => lines.map(({ line }) => line)))];
  const lines = names.map((line) => summarizeLine(line, results, spanS));
  const silent = options.clients - results.length;
  const failures = groupFailures(results);
  if (silent > 0) failures.push({ stage: 'lost', message: 'the process that ran the viewer ended', clients: silent });
  return {
    url: options.url,
    clients: options.clients,
    connected: results.filter(({ connectMs }) => connectMs !== undefined).length,
    failed: results.filter(({ failure }) => failure !== undefined).length + silent,
    connect_ms: spread(results.map(({ connectMs }) => connectMs)),
    lines,
    server: { cpu_percent: server.cpuPercent ?? null, max_rss_bytes: server.maxRssBytes ?? null, resources: server.resources ?? null },
    receive_buffer_drops: receiveBufferDrops ?? null,
    failures,
    limits_passed: passedLimits(options, lines),
  };
}

/** The table that a person reads. */
export function render(report: LoadReport): string {
  const spreadCells = ({ p50, p95, max }: Spread): string[] => [format(p50), format(p95), format(max)];
  const times = table(
    ['ms from offer sent', 'p50', 'p95', 'max'],
    [
      ['connected', ...spreadCells(report.connect_ms)],
      ...report.lines.flatMap((line) => [
        [`${line.line}: first packet`, ...spreadCells(line.first_packet_ms)],
        ...(line.line === 'audio' ? [] : [[`${line.line}: first decodable frame`, ...spreadCells(line.first_frame_ms)]]),
      ]),
    ],
  );
  const media = table(
    ['media', 'viewers', 'packets', 'lost', 'loss %', 'jitter p50 ms', 'p95', 'freezes', 'longest gap ms', 'kbit/s a viewer'],
    report.lines.map((line) => [
      line.line,
      String(line.viewers),
      String(line.packets),
      String(line.lost),
      format(line.loss_percent, 3),
      format(line.jitter_ms.p50, 1),
      format(line.jitter_ms.p95, 1),
      line.line === 'audio' ? '–' : String(line.freezes),
      line.line === 'audio' ? '–' : format(line.longest_gap_ms),
      format(line.bitrate_bps / 1000),
    ]),
  );
  const { cpu_percent: cpu, max_rss_bytes: rss, resources } = report.server;
  const held = Object.entries(resources ?? {})
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
  const server = `server: CPU ${format(cpu ?? undefined, 1)} % of one core, memory at most ${format(rss === null ? undefined : rss / 2 ** 20)} MiB${held === '' ? '' : ` (held: ${held})`}`;
  const failures = report.failures.map(
    ({ clients, stage, status, code, message }) =>
      `  ${clients} × ${stage}${status === undefined ? '' : ` ${status} ${code ?? ''}`}: ${message}`,
  );
  return [
    `${report.connected} of ${report.clients} viewers connected, ${report.failed} failed`,
    '',
    times,
    '',
    media,
    '',
    server,
    ...(report.receive_buffer_drops
      ? [
          `note: this machine dropped ${report.receive_buffer_drops} UDP datagrams unread. Losses may be its own: use fewer viewers, another machine, or a larger net.core.rmem_max.`,
        ]
      : []),
    ...(failures.length > 0 ? ['', 'Failures:', ...failures] : []),
    ...(report.limits_passed.length > 0 ? ['', 'Limits passed:', ...report.limits_passed.map((limit) => `  ${limit}`)] : []),
  ].join('\n');
}

function summarizeLine(line: string, results: readonly ClientResult[], spanS: number): LineReport {
  // A viewer that never connected has nothing to say about media.
  const all = results
    .filter(({ connectMs }) => connectMs !== undefined)
    .flatMap(({ lines }) => lines.filter((entry) => entry.line === line));
  const sum = (value: (entry: (typeof all)[number]) => number): number => all.reduce((total, entry) => total + value(entry), 0);
  const packets = sum((entry) => entry.packets);
  const lost = sum((entry) => entry.lost);
  return {
    line,
    viewers: all.filter((entry) => entry.packets > 0).length,
    first_packet_ms: spread(all.map(({ firstPacketMs }) => firstPacketMs)),
    first_frame_ms: spread(all.map(({ firstFrameMs }) => firstFrameMs)),
    packets,
    lost,
    loss_percent: packets + lost === 0 ? 0 : (lost / (packets + lost)) * 100,
    jitter_ms: spread(all.filter((entry) => entry.packets > 0).map(({ jitterMs }) => jitterMs)),
    freezes: sum((entry) => entry.freezes),
    longest_gap_ms: Math.max(0, ...all.map(({ longestGapMs }) => longestGapMs)),
    bitrate_bps: all.length === 0 ? 0 : (sum((entry) => entry.bytes) * 8) / spanS / all.length,
  };
}

function passedLimits(options: LoadOptions, lines: readonly LineReport[]): string[] {
  const video = lines.filter(({ line }) => line !== 'audio');
  const passed: string[] = [];
  const { maxFirstFrameMs, maxLossPercent, maxFreezes } = options;
  for (const {
    line,
    first_frame_ms: { p95 },
  } of video) {
    if (maxFirstFrameMs !== undefined && (p95 ?? Infinity) > maxFirstFrameMs)
      passed.push(`${line}: first frame p95 ${format(p95)} ms is above ${maxFirstFrameMs} ms`);
  }
  const lost = lines.reduce((sum, line) => sum + line.lost, 0);
  const lossPercent = (lost / Math.max(1, lost + lines.reduce((sum, { packets }) => sum + packets, 0))) * 100;
  if (maxLossPercent !== undefined && lossPercent > maxLossPercent)
    passed.push(`loss ${lossPercent.toFixed(3)} % is above ${maxLossPercent} %`);
  const freezes = video.reduce((sum, line) => sum + line.freezes, 0);
  if (maxFreezes !== undefined && freezes > maxFreezes) passed.push(`${freezes} freezes are more than ${maxFreezes}`);
  return passed;
}

function groupFailures(results: readonly ClientResult[]): (ClientFailure & { clients: number })[] {
  const groups = new Map<string, ClientFailure & { clients: number }>();
  for (const { failure } of results) {
    if (!failure) continue;
    const key = JSON.stringify(failure);
    const group = groups.get(key) ?? { ...failure, clients: 0 };
    group.clients++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

function spread(values: readonly (number | undefined)[]): Spread {
  const present = values.filter((value) => value !== undefined);
  return { p50: percentile(present, 0.5), p95: percentile(present, 0.95), max: percentile(present, 1) };
}
