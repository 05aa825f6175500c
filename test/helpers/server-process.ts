/** The real server in a process of its own, for end-to-end tests and benches: `node dist/src/main.js`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './assets.js';
import { within } from './deadline.js';

/** A server that listens on 127.0.0.1. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** The last lines of its log. */
  readonly log: readonly string[];
  /** Lines of its log that no server should write: errors, and what did not come by its logger, as warnings and crashes of Node do. */
  readonly faults: readonly string[];
  /** How it ended: exit code, or the signal. */
  readonly exited: Promise<[code: number | null, signal: string | null]>;
  /** SIGTERM, and SIGKILL when that takes longer than 6 s. Resolves with the exit code, null after SIGKILL. */
  close(): Promise<number | null>;
}

const LOG_LINES = 200;

/** Starts it as `npm start` does, on a free port with these variables over the environment's, in a network namespace where one is named. @throws Error with its log when it does not get ready. */
export async function startServerProcess(variables: Readonly<Record<string, string>> = {}, namespace?: string): Promise<ServerProcess> {
  const args = ['--max-semi-space-size=2', '--enable-source-maps', path.join(projectRoot, 'dist/src/main.js')];
  const [command, ...rest] =
    namespace === undefined ? [process.execPath, ...args] : ['ip', 'netns', 'exec', namespace, process.execPath, ...args];
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-state-'));
  const child = spawn(command, rest, {
    cwd: projectRoot,
    env: {
      ...process.env,
      MALLOC_ARENA_MAX: '2',
      HOST: '127.0.0.1',
      PORT: '0',
      ICE_ADDRESSES: '127.0.0.1',
      LOG_LEVEL: 'info',
      STATE_DIR: stateDir,
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const removed = exited.then(() => rmSync(stateDir, { recursive: true, force: true }));
  const log: string[] = [];
  const faults: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    const onLine = (line: string): void => {
      if (log.push(line) > LOG_LINES) log.shift();
      if (isFault(line) && faults.length < LOG_LINES) faults.push(line);
      const url = /"url":"(http:[^"]+)".*is ready/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    };
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    exited.then(([code]) => reject(new Error(`the server ended with code ${code}:\n${log.join('\n')}`)), reject);
  });
  const close = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 6000);
    const [code] = await exited;
    clearTimeout(force);
    await removed;
    return code;
  };
  try {
    const url = await within(ready, 30_000, 'the server to get ready');
    return { url, pid: child.pid ?? 0, log, faults, exited, close };
  } catch (error) {
    await close();
    throw new Error(`${String(error)}\n${log.join('\n')}`, { cause: error });
  }
}

/** Levels of pino: 50 is `error`. */
const FAULT = /^\{"level":[56]0/;

function isFault(line: string): boolean {
  return line !== '' && (FAULT.test(line) || !line.startsWith('{"level":'));
}

/** One process in /proc. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** Command line, arguments separated by spaces. */
  readonly command: string;
  /** User and system time in seconds. */
  readonly cpuS: number;
}

/** Clock ticks a second of /proc/PID/stat (`sysconf(_SC_CLK_TCK)`); 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** A process and all its descendants (Linux). */
export function processTree(rootPid: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((info) => info !== undefined);
  const tree = all.filter(({ pid }) => pid === rootPid);
  for (const info of tree) tree.push(...all.filter(({ parent }) => parent === info.pid));
  return tree;
}

function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; fields are counted after it (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(fields[1]), command, cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S };
  } catch {
    return undefined; // it ended between the listing and the reading
  }
}
