/**
 * WHEP joins with trickle: how soon real Chromium shows a picture, one after the other and ten in a second, and what
 * the others notice of it. Viewers have machines of their own: here the browser runs at a lower priority than the
 * server, and joins ten at a time to 640×360, because ten decoders of 720p are more than a small machine has room for.
 */
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ChromiumHarness, chromiumPath, type StatsEntry, type ViewerPage } from '../../test/helpers/chromium.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { WeriftViewer } from '../../test/helpers/werift-viewer.js';
import { percentile } from '../load-test/statistics.js';
import { assertPassthrough, makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

const BURST = 10;
const BURSTS = 3;
/** A whole group of pictures of the clip. */
const WARM_UP_MS = 4500;

export async function run(options: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    await makeClip(path.join(folder, 'small.mp4'), { size: '640x360' });
    const server = await startServerProcess({ UPLOAD_DIR: folder, MODEL: 'none', MAX_CONNECTIONS: '40', LOG_LEVEL: 'warn,http=info' });
    const browser = await ChromiumHarness.launch([], await nice(folder));
    try {
      await assertPassthrough(server.url);
      const page = await browser.viewerPage(server.url);
      await page.page.evaluate(`globalThis.joinWhep = ${joinWhep.toString()}`);
      await wait(WARM_UP_MS);
      await join(page, 'clip', 1);
      const single: Join[] = [];
      for (let i = 0; i < (options.joins ?? 20); i++) {
        await wait((i * 370) % 1000);
        single.push(...(await join(page, 'clip', 1)));
      }
      const others = await browser.viewerPage(server.url);
      const other = await others.join({ video: 1, keepFirstPicture: false, body: { source: 'small', tracks: ['raw'] } });
      const packets = await PacketClock.open(server.url, 'small');
      await other.frames(30);
      packets.reset();
      await wait(WARM_UP_MS);
      const quietGapMs = packets.longestGapMs;
      const before = freezes(await other.stats());
      packets.reset();
      const burst: Join[] = [];
      for (let i = 0; i < BURSTS; i++) {
        burst.push(...(await join(page, 'small', BURST)));
        await wait(1000);
      }
      const gapMs = packets.longestGapMs;
      const frozen = freezes(await other.stats()) - before;
      await packets.close();
      const pictures = (joins: readonly Join[]): number[] => joins.map(({ pictureMs }) => pictureMs);
      return [
        { figure: `WHEP POST → first picture, 720p, p50 of ${single.length}`, value: percentile(pictures(single), 0.5) ?? NaN, unit: 'ms' },
        { figure: 'WHEP POST → first picture, 720p, p95', value: percentile(pictures(single), 0.95) ?? NaN, unit: 'ms', limit: 90 },
        {
          figure: `ten joins in a second → first picture, 360p, p50 of ${burst.length}`,
          value: percentile(pictures(burst), 0.5) ?? NaN,
          unit: 'ms',
        },
        {
          figure: 'ten joins in a second → first picture, 360p, p95',
          value: percentile(pictures(burst), 0.95) ?? NaN,
          unit: 'ms',
          limit: 250,
        },
        {
          figure: 'of which offer → answer inside the server, p95',
          value:
            percentile(
              burst.map(({ answerMs }) => answerMs),
              0.95,
            ) ?? NaN,
          unit: 'ms',
        },
        { figure: 'freezes of another viewer meanwhile', value: frozen, unit: '', limit: 0 },
        { figure: 'longest packet gap of another viewer before, at 30 pictures a second', value: quietGapMs, unit: 'ms' },
        { figure: 'longest packet gap of another viewer meanwhile', value: gapMs, unit: 'ms', limit: 60 },
      ];
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

/**
 * A command that starts the browser at a lower priority than everything else: Linux weighs sessions of processes
 * against each other by what /proc/self/autogroup says, and niceness counts inside one alone.
 */
async function nice(folder: string): Promise<string> {
  const command = path.join(folder, 'nice-chromium');
  await writeFile(
    command,
    `#!/bin/sh\necho 19 2> /dev/null > /proc/self/autogroup\nexec nice -n 19 '${chromiumPath() ?? 'chromium'}' "$@"\n`,
  );
  await chmod(command, 0o755);
  return command;
}

/** One join, in ms. */
interface Join {
  /** From the POST to the first picture. */
  readonly pictureMs: number;
  /** From the offer to the answer, inside the server. */
  readonly answerMs: number;
}

/** `count` joins, evenly over a second. */
async function join(page: ViewerPage, source: string, count: number): Promise<Join[]> {
  return page.page.evaluate<Join[]>(`Promise.all(Array.from({ length: ${count} }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, (i * 1000) / ${count}));
    return joinWhep('/whep/${source}/raw');
  }))`);
}

function freezes(stats: readonly StatsEntry[]): number {
  return Number(stats.find(({ type, ['kind']: kind }) => type === 'inbound-rtp' && kind === 'video')?.['freezeCount'] ?? 0);
}

/** A viewer in this process that notes when packets come. */
class PacketClock {
  readonly #viewer: WeriftViewer;
  #lastMs: number | undefined;
  longestGapMs = 0;

  private constructor(viewer: WeriftViewer) {
    this.#viewer = viewer;
    viewer.dtls.onRtp.subscribe(() => {
      const now = performance.now();
      if (this.#lastMs !== undefined) this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastMs);
      this.#lastMs = now;
      viewer.packets.length = 0;
    });
  }

  static async open(url: string, source: string): Promise<PacketClock> {
    const viewer = new WeriftViewer();
    const clock = new PacketClock(viewer);
    await viewer.join(async (sdp) => {
      const response = await fetch(`${url}/offer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sdp, type: 'offer', source, tracks: ['raw'] }),
      });
      return (await response.json()) as { sdp: string };
    });
    return clock;
  }

  reset(): void {
    this.longestGapMs = 0;
    this.#lastMs = undefined;
  }

  close(): Promise<void> {
    return this.#viewer.close();
  }
}

/** Runs in the page. A WHEP player with trickle; it leaves a second later. */
async function joinWhep(url: string): Promise<Join> {
  interface Connection {
    onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null;
    localDescription: { sdp: string };
    addTransceiver(kind: string, init: object): { receiver: { track: unknown } };
    setLocalDescription(): Promise<void>;
    setRemoteDescription(description: object): Promise<void>;
    close(): void;
  }
  const page = globalThis as unknown as {
    RTCPeerConnection: new (options: object) => Connection;
    MediaStream: new (tracks: unknown[]) => unknown;
    document: {
      createElement(name: string): {
        muted: boolean;
        autoplay: boolean;
        srcObject: unknown;
        remove(): void;
        requestVideoFrameCallback(callback: (now: number) => void): void;
      };
      body: { append(element: unknown): void };
    };
  };
  const pc = new page.RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const waiting: string[] = [];
  const opened: { session?: { url: string; etag: string } } = {};
  const trickle = async (): Promise<void> => {
    const { session } = opened;
    const lines = session ? waiting.splice(0) : [];
    if (!session || lines.length === 0) return;
    const head = ['ice-ufrag', 'ice-pwd'].map((name) => new RegExp(`^a=${name}:.*$`, 'm').exec(pc.localDescription.sdp)?.[0].trim());
    const media = /^m=.*$/m.exec(pc.localDescription.sdp)?.[0].trim();
    const body = [...head, media, 'a=mid:0', ...lines, ''].join('\r\n');
    await fetch(session.url, {
      method: 'PATCH',
      headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': session.etag },
      body,
    });
  };
  pc.onicecandidate = ({ candidate }) => {
    waiting.push(candidate ? `a=${candidate.candidate}` : 'a=end-of-candidates');
    void trickle();
  };
  const video = page.document.createElement('video');
  video.muted = video.autoplay = true;
  page.document.body.append(video);
  video.srcObject = new page.MediaStream([pc.addTransceiver('video', { direction: 'recvonly' }).receiver.track]);
  const shown = new Promise<number>((resolve) => video.requestVideoFrameCallback(resolve));
  await pc.setLocalDescription();
  const posted = performance.now();
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(sdp);
  await pc.setRemoteDescription({ type: 'answer', sdp });
  const session = { url: response.headers.get('location') ?? '', etag: response.headers.get('etag') ?? '' };
  opened.session = session;
  void trickle();
  const pictureMs = (await shown) - posted;
  const { steps } = (await (await fetch(`${session.url}/report`)).json()) as { steps: { step: string; at_ms: number }[] };
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await fetch(session.url, { method: 'DELETE' });
  pc.close();
  video.remove();
  return { pictureMs, answerMs: steps.find(({ step }) => step === 'described')?.at_ms ?? NaN };
}
