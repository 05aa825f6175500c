/** What all benches share: rows, options, the machine, and inputs made on the spot. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { table } from '../../src/cli/table.js';

/** One measured figure. */
export interface Row {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** Upper limit that the figure should keep. */
  readonly limit?: number;
  /** Lower limit that the figure should keep. */
  readonly least?: number;
}

/** What the command line of a bench may set. */
export interface BenchOptions {
  /** How many join. Default: the bench's own. */
  readonly joins: number | undefined;
  /** fan-out: numbers of viewers. Default 1, 10, 50, 100. */
  readonly clients: readonly number[];
  /** Seconds of each measurement. Default: the bench's own. */
  readonly seconds: number | undefined;
  /** vision: an `.onnx` with its JSON beside it, or the JSON. Default: the bundled model. */
  readonly model: string | undefined;
  /** networks: cases. Default: all. */
  readonly only: readonly string[] | undefined;
  /** networks: how often each case is run. Default: the bench's own. */
  readonly runs: number | undefined;
  /** networks: WHEP endpoint of a server that goes the same ways. Default: none. */
  readonly peer: string | undefined;
  /** networks: tells what happened, each half second, on stderr. */
  readonly verbose: boolean;
  /** Takes rows as soon as they are known: they are printed even where the bench fails later. Empty where it returns all at its end. */
  readonly kept: Row[];
  /** Takes what went wrong where the bench goes on; any makes the exit code 1. */
  readonly failures: string[];
}

/** CPU, cores and Node version. */
export function machine(): string {
  const cpus = os.cpus();
  return `${cpus[0]?.model.trim() ?? os.arch()}, ${cpus.length} cores, Node ${process.versions.node}`;
}

/** A table for a person. */
export function renderRows(rows: readonly Row[]): string {
  return table(
    ['figure', 'value', 'unit', 'limit', ''],
    rows.map((row) => [row.figure, shown(row.value), row.unit, ...judged(row)]),
  );
}

function judged({ value, limit, least }: Row): [limit: string, verdict: string] {
  if (limit !== undefined) return [`≤ ${limit}`, value <= limit ? 'kept' : 'EXCEEDED'];
  if (least !== undefined) return [`≥ ${least}`, value >= least ? 'kept' : 'MISSED'];
  return ['', ''];
}

/** Runs `job` with a temporary folder that is gone afterwards. */
export async function withFolder<T>(job: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sightline-bench-'));
  try {
    return await job(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An 11 s clip, 720p30, H.264 without B-frames, a keyframe every 4 s, AAC: delivered as passthrough. @param bitrateKbps of video; default 2000 */
export async function makeClip(
  file: string,
  { size = '1280x720', bitrateKbps = 2000 }: { readonly size?: string; readonly bitrateKbps?: number } = {},
): Promise<void> {
  const args = [
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=11`],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=11'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-bf',
      '0',
      '-g',
      '120',
      '-keyint_min',
      '120',
      '-sc_threshold',
      '0',
      '-pix_fmt',
      'yuv420p',
      '-b:v',
      `${bitrateKbps}k`,
    ],
    ...['-c:a', 'aac', '-movflags', '+faststart', file],
  ];
  const ffmpeg = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(ffmpeg, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg could not make ${file}: exit code ${code}`);
}

/** Makes sure that the server copies the clip: a transcoded one has other keyframes and other costs. */
export async function assertPassthrough(url: string): Promise<void> {
  const response = await fetch(new URL('/available-videos', url));
  const { videos } = (await response.json()) as {
    videos: readonly { readonly source: string; readonly delivery: string; readonly reason?: string }[];
  };
  const clip = videos.find(({ source }) => source === 'clip');
  if (clip?.delivery !== 'passthrough') throw new Error(`the clip is not delivered as passthrough: ${clip?.reason ?? 'it is not listed'}`);
}

function shown(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 || value === 0 ? 2 : 3);
}
