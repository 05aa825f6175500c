/** Runs one test file in a process of its own, with a temporary folder of its own, and tells what came of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findLeftovers, killHard } from './leftovers.js';
import type { Line } from './reporter.js';

/** A test file that has ended. */
export interface Outcome {
  readonly file: string;
  readonly tookMs: number;
  readonly passed: number;
  /** Titles. */
  readonly failed: readonly string[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** What is wrong with the file as a whole, in words; empty where nothing is. */
  readonly faults: readonly string[];
  /** What it and its tests wrote, as the reporter `spec` puts it. */
  readonly output: string;
}

export interface RunOptions {
  /** How long the file may take. */
  readonly limitMs: number;
  /** Added to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the file and everything that it started. */
  readonly signal?: AbortSignal;
  /** Gets the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

const REPORTER = new URL('./reporter.js', import.meta.url).href;

/** Runs it to its end, and ends what it left behind. What the tests do never makes this fail. */
export async function runFile(file: string, { limitMs, env = {}, signal, onOutput }: RunOptions): Promise<Outcome> {
  // Short: the path of a Unix socket has at most 107 characters.
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slt-'));
  const events = `${folder}.events`;
  const startedMs = performance.now();
  const child = start(file, events, { ...env, TMPDIR: folder });
  const output = collect(child, onOutput);
  const end = await ended(child, limitMs, signal);
  const tookMs = performance.now() - startedMs;
  const { running, ...counts } = count(readLines(events));
  const faults = [...faultsOf(end, counts.failed, running, limitMs), ...(await findLeftovers(folder))];
  killGroup(child);
  for (const left of [folder, events]) rmSync(left, { recursive: true, force: true });
  return { file, tookMs, ...counts, faults, output: output() };
}

/** In a process group of its own, so that what it started can be ended with it. */
function start(file: string, events: string, env: Readonly<Record<string, string>>): ChildProcess {
  const reporters = [
    ['spec', 'stdout'],
    [REPORTER, events],
  ].flatMap(([reporter, destination]) => [`--test-reporter=${reporter}`, `--test-reporter-destination=${destination}`]);
  return spawn(process.execPath, ['--enable-source-maps', ...reporters, file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

function collect(child: ChildProcess, onOutput?: (text: string) => void): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      onOutput?.(text);
    });
  }
  return () => chunks.join('');
}

interface End {
  readonly code: number | null;
  readonly endedBy: string | null;
  readonly isOverLimit: boolean;
}

async function ended(child: ChildProcess, limitMs: number, signal?: AbortSignal): Promise<End> {
  let isOverLimit = false;
  const limit = setTimeout(() => {
    isOverLimit = true;
    killGroup(child);
  }, limitMs);
  const stop = (): void => killGroup(child);
  signal?.addEventListener('abort', stop);
  const [code, endedBy] = (await once(child, 'exit')) as [number | null, string | null];
  signal?.removeEventListener('abort', stop);
  clearTimeout(limit);
  return { code, endedBy, isOverLimit };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) killHard(-pid);
}

function faultsOf({ code, endedBy, isOverLimit }: End, failed: readonly string[], running: readonly string[], limitMs: number): string[] {
  const during = running.length > 0 ? `while this ran: ${running.join(' > ')}` : 'while no test ran';
  if (isOverLimit) return [`took longer than ${Math.round(limitMs / 1000)} s and was killed ${during}`];
  if (endedBy !== null) return [`was ended by ${endedBy} ${during}`];
  return code !== 0 && failed.length === 0 ? [`ended with exit code ${code} ${during}`] : [];
}

function readLines(events: string): Line[] {
  if (!existsSync(events)) return [];
  // The last line of a process that was killed may be half a line.
  const whole = readFileSync(events, 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Line);
}

function count(lines: readonly Line[]): Pick<Outcome, 'passed' | 'failed' | 'skipped'> & { readonly running: readonly string[] } {
  const running: string[] = [];
  const ends = lines.filter((line) => line.kind === 'ended');
  for (const { kind, title } of lines) {
    if (kind === 'begun') running.push(title);
    else if (running.includes(title)) running.splice(running.lastIndexOf(title), 1);
  }
  return {
    passed: ends.filter(({ how }) => how === 'passed').length,
    failed: ends.filter(({ how }) => how === 'failed').map(({ title }) => title),
    skipped: ends.filter(({ how }) => how === 'skipped').map(({ title, reason = '' }) => ({ title, reason })),
    running,
  };
}
