/** WHIP from a stack that is not a browser's: GStreamer's webrtcbin, which trickles by PATCH. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';
import { eventually, within } from '../helpers/deadline.js';
import { TestServer } from '../helpers/server.js';

const SCRIPT = path.join(projectRoot, 'test/helpers/gst-whip-publisher.py');
const PROBE = `
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstWebRTC", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstWebRTC, GstSdp
Gst.init(None)
missing = [name for name in ("webrtcbin", "nicesrc", "vp8enc", "x264enc", "opusenc", "rtph264pay", "dtlsenc", "srtpenc") if not Gst.ElementFactory.find(name)]
print("missing " + " ".join(missing) if missing else "ok")
`;

/** Debian's Python has its GStreamer; another one on PATH may not. */
const python = ['/usr/bin/python3', 'python3'].find((command) => probe(command) === 'ok');
const noGStreamer: string | false =
  python === undefined
    ? `no GStreamer for WHIP (${probe('/usr/bin/python3') || 'no python3-gst-1.0'}): see .ci/run for the packages`
    : false;

function probe(command: string): string {
  const { status, stdout } = spawnSync(command, ['-c', PROBE], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? stdout.trim() : '';
}

/** The running script. */
class GstPublisher {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  /** What it says, a line each, and what GStreamer complains about. */
  readonly lines: string[] = [];

  constructor(...args: readonly string[]) {
    this.#child = spawn(python ?? 'python3', [SCRIPT, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  async says(line: string): Promise<void> {
    await eventually(() => this.lines.includes(line), 15_000, `'${line}' from GStreamer`).catch((error: unknown) => {
      throw new Error(`${String(error)}:\n${this.lines.join('\n')}`);
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

describe('WHIP from GStreamer', { skip: noGStreamer, timeout: 120_000 }, () => {
  let server: TestServer;
  const publishers: GstPublisher[] = [];

  before(async () => {
    server = await TestServer.start([], { PUBLISH_TOKENS: 'gate=s3cret' });
  });

  afterEach(() => Promise.all(publishers.map((publisher) => publisher.kill())));

  after(() => server.close());

  const publish = (codec: string, token: string, room = 'gate'): GstPublisher => {
    const publisher = new GstPublisher(`${server.url}/whip/${room}`, codec, token);
    publishers.push(publisher);
    return publisher;
  };

  for (const codec of ['H264', 'VP8'] as const) {
    it(`publishes ${codec} and sound, which a viewer gets as they are`, async () => {
      const publisher = publish(codec, 's3cret');
      await publisher.says('opened 201');
      await publisher.says('connected');
      assert.ok(publisher.lines.includes('patched 204'), publisher.lines.join('\n'));
      const viewer = await eventually(
        () => server.join({ source: 'gate', tracks: ['raw'] }, { codec, audio: true }).catch(() => undefined),
        10_000,
        'the room to be live',
      );
      await viewer.until(() => viewer.packets.filter(({ header }) => header.payloadType === 102).length > 100, 10_000, 'video');
      await viewer.until(() => viewer.packets.some(({ header }) => header.payloadType === 111), 10_000, 'sound');
      const { clients } = await server.get<{ clients: { role: string; source: string }[] }>('/connection-stats');
      assert.deepEqual(clients.map(({ role, source }) => [role, source]).sort(), [
        ['publisher', 'gate'],
        ['viewer', 'gate'],
      ]);
      await server.leave(viewer);
      await publisher.leave();
      assert.ok(publisher.lines.includes('left 200'), publisher.lines.join('\n'));
      await eventually(() => server.resources.peer_connections === 0, 5000, 'all connections to be given back');
    });
  }

  it('is told why it may not publish', async () => {
    const publisher = publish('VP8', 'wrong');
    await publisher.says('opened 401');
    assert.ok(
      publisher.lines.some((line) => line.includes('UNAUTHORIZED')),
      publisher.lines.join('\n'),
    );
    await publisher.leave();
  });
});
