/** GStreamer's webrtcbin as a peer, driven by a script in Debian's Python. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { projectRoot } from './assets.js';
import { eventually, within } from './deadline.js';

const PROBE = `
import sys
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstWebRTC", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstWebRTC, GstSdp
Gst.init(None)
missing = [names for names in sys.argv[1:] if not any(Gst.ElementFactory.find(name) for name in names.split("|"))]
print("missing " + " ".join(missing) if missing else "ok")
`;
/** Debian's Python has its GStreamer; another one on PATH may not. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** False, or why this machine's GStreamer cannot do it. @param elements that are needed: a name, or `one|another` */
export function noGStreamer(...elements: readonly string[]): string | false {
  if (pythonWith(elements) !== undefined) return false;
  return `no GStreamer (${probe('/usr/bin/python3', elements) || 'no python3-gst-1.0'}): see .ci/run for the packages`;
}

function pythonWith(elements: readonly string[]): string | undefined {
  return PYTHONS.find((command) => probe(command, elements) === 'ok');
}

function probe(command: string, elements: readonly string[]): string {
  const { status, stdout } = spawnSync(command, ['-c', PROBE, ...elements], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? stdout.trim() : '';
}

/** A running script of `test/helpers`. */
export class GstPeer {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  /** What it says, a line each, and what GStreamer complains about. */
  readonly lines: string[] = [];

  constructor(script: string, ...args: readonly string[]) {
    const file = path.join(projectRoot, 'test/helpers', script);
    this.#child = spawn(pythonWith([]) ?? 'python3', [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  /** Waits for a line. */
  says(line: string): Promise<void> {
    return this.until(() => this.lines.includes(line), `'${line}' from GStreamer`);
  }

  /** Waits for what its lines show. */
  async until(isThere: () => boolean, what: string): Promise<void> {
    await eventually(isThere, 20_000, what).catch((error: unknown) => {
      throw new Error(`${String(error)}:\n${this.lines.slice(-60).join('\n')}`);
    });
  }

  /** Lets it end its session and itself. */
  async leave(): Promise<void> {
    this.#child.stdin.end();
    await within(this.#exited, 10_000, 'GStreamer to end');
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
