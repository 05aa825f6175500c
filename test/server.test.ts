import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { after, describe, it } from 'node:test';
import { eventually, within } from './helpers/deadline.js';
import { freePort } from './helpers/free-port.js';
import { copyVideo, type VideoName } from './helpers/make-video.js';
import { processTree, startServerProcess } from './helpers/server-process.js';
import { Refusal, TestServer } from './helpers/server.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

interface Streams {
  readonly sources: readonly {
    readonly source: string;
    readonly delivery: string;
    readonly restarts: number;
    readonly decoder: { readonly frames_decoded: number } | null;
    readonly renditions: readonly {
      readonly rendition: string;
      readonly codec: string;
      readonly viewers: number;
      readonly width: number | null;
    }[];
  }[];
}
interface Stats {
  readonly active_clients: number;
  readonly shared_tracks: {
    readonly shared_video_tracks: number;
    readonly shared_processed_tracks: number;
    readonly active_clients: number;
  };
  readonly clients: readonly { readonly client_id: string; readonly source: string }[];
}

/** The UDP socket is that of all sessions. */
const IDLE = { peer_connections: 0, udp_sockets: 1, tcp_sockets: 0, child_processes: 0 };

/** Packets that begin a picture that can be decoded by itself: SPS in a STAP-A, alone, or VP8's key bit. */
function keyframes(viewer: WeriftViewer): number {
  return viewer.packets.filter(({ header, payload }) => {
    if (header.payloadType !== 102 || payload.length < 4) return false;
    const type = payload[0]! & 0x1f;
    return type === 7 || (type === 24 && (payload[3]! & 0x1f) === 7);
  }).length;
}

/** Waits for `count` more pictures. */
async function morePictures(viewer: WeriftViewer, count: number, what: string): Promise<void> {
  const ends = (): number => viewer.packets.filter(({ header }) => header.payloadType === 102 && header.marker).length;
  const before = ends();
  await viewer.until(() => ends() >= before + count, 10_000, `${count} more pictures ${what}`);
}

function assertTimestampsAscend(viewer: WeriftViewer): void {
  let last: number | undefined;
  for (const { header } of viewer.packets.filter((packet) => packet.header.payloadType === 102)) {
    if (last !== undefined) assert.ok(((header.timestamp - last) | 0) >= 0, `RTP timestamp ${header.timestamp} after ${last}`);
    last = header.timestamp;
  }
}

async function refusalOf(offer: Promise<unknown>): Promise<Refusal> {
  const outcome = await offer.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Refusal, 'the offer was refused');
  return outcome;
}

describe('the server', () => {
  let server: TestServer;
  after(() => server.close());

  it('starts a source with its first viewer, shares it, and stops it after the last', async () => {
    server = await TestServer.start(['copyable.mp4'], { MAX_CONNECTIONS: '10' });
    const first = await server.join();
    await morePictures(first, 5, 'for the first viewer');
    assert.equal(server.resources.child_processes, 1);
    const others = await Promise.all(Array.from({ length: 9 }, () => server.join()));
    for (const viewer of others) await viewer.until(() => keyframes(viewer) > 0, 5000, 'a keyframe for everybody');
    assert.equal(server.resources.child_processes, 1);
    const { sources } = await server.get<Streams>('/active-streams');
    assert.deepEqual(
      sources.map(({ source, renditions }) => [source, renditions.map(({ rendition, viewers }) => [rendition, viewers])]),
      [['copyable', [['raw', 10]]]],
    );

    const eleventh = await refusalOf(server.join());
    assert.deepEqual([eleventh.status, eleventh.code], [503, 'CAPACITY_REACHED']);
    assert.ok(Number(eleventh.retryAfter) > 0);

    const stats = await server.get<Stats>('/connection-stats');
    assert.deepEqual(stats.shared_tracks, { shared_video_tracks: 1, shared_processed_tracks: 0, active_clients: 10 });
    await server.leave(first, ...others);
    await eventually(
      () => server.resources.peer_connections === 0 && server.resources.child_processes === 0,
      10_000,
      'everything to be given back',
    );
    assert.equal(server.resources.udp_sockets, 1, 'that of all sessions');
    assert.deepEqual((await server.get<Streams>('/active-streams')).sources, []);
  });

  it('gives a client whose id is taken another one and says so', async () => {
    const a = await server.join({ client_id: 'drone-1' });
    const b = await server.join({ client_id: 'drone-1' });
    assert.equal(a.answer.client_id, 'drone-1');
    assert.match(b.answer.client_id, /^drone-1-.+/);
    const { clients } = await server.get<Stats>('/connection-stats');
    assert.deepEqual(new Set(clients.map(({ client_id }) => client_id)), new Set([a.answer.client_id, b.answer.client_id]));
    await server.leave(a, b);
    await eventually(() => server.resources.peer_connections === 0, 10_000, 'both to be gone');
  });

  it('plays on for three viewers when ffmpeg is killed, with no step back', async () => {
    const viewers = await Promise.all([server.join(), server.join(), server.join()]);
    for (const viewer of viewers) await morePictures(viewer, 10, 'before the kill');
    const [feed] = processTree(process.pid).filter(({ command }) => command.startsWith('ffmpeg') && command.includes('-f flv'));
    assert.ok(feed, 'the process that reads the file');
    process.kill(feed.pid, 'SIGKILL');
    for (const viewer of viewers) await morePictures(viewer, 20, 'after the kill');
    for (const viewer of viewers) {
      assert.equal(viewer.pc.connectionState, 'connected');
      assertTimestampsAscend(viewer);
    }
    assert.equal((await server.get<Streams>('/active-streams')).sources[0]?.restarts, 1);
    await server.leave(...viewers);
  });

  it('plays a file that replaces the one that is playing, of another size and delivery, on the same connection', async () => {
    const viewer = await server.join();
    await morePictures(viewer, 5, 'of the first file');
    const incoming = copyVideo('b-frames.mp4', server.uploadDir, '.incoming');
    renameSync(incoming, path.join(server.uploadDir, 'copyable.mp4'));
    await eventually(
      async () => (await server.get<Streams>('/active-streams')).sources[0]?.delivery === 'transcode',
      10_000,
      'the new file to play',
    );
    const before = keyframes(viewer);
    await viewer.until(() => keyframes(viewer) > before, 10_000, 'a keyframe of the new file');
    await morePictures(viewer, 10, 'of the new file');
    assert.equal(viewer.pc.connectionState, 'connected');
    assertTimestampsAscend(viewer);
    await server.leave(viewer);
  });

  it('ends the sessions of a file that is removed, and forgets it', async () => {
    copyVideo('silent.mp4', server.uploadDir);
    await eventually(
      async () =>
        (await server.get<{ videos: { source: string }[] }>('/available-videos')).videos.some(({ source }) => source === 'silent'),
      10_000,
      'the new file to be listed',
    );
    const viewer = await server.join({ source: 'silent' });
    await morePictures(viewer, 5, 'before the removal');
    rmSync(path.join(server.uploadDir, 'silent.mp4'));
    await eventually(
      async () => (await server.get<Stats>('/connection-stats')).clients.every(({ source }) => source !== 'silent'),
      10_000,
      'the session to end',
    );
    const refusal = await refusalOf(server.join({ source: 'silent' }));
    assert.deepEqual([refusal.status, refusal.code], [404, 'SOURCE_NOT_FOUND']);
    assert.match(refusal.message, /available: copyable/);
  });

  it('never leaves the folder, whatever the name', async () => {
    for (const source of ['../package', '/etc/passwd', 'copyable.mp4/..', '..%2f..%2fetc%2fpasswd', '.']) {
      assert.equal((await refusalOf(server.join({ source }))).status, 404, source);
    }
  });

  it('returns to its baseline after joins that leave, vanish or never connect', async () => {
    await eventually(() => server.resources.peer_connections === 0 && server.resources.child_processes === 0, 20_000, 'a quiet server');
    const timers = server.resources.timers;
    for (let round = 0; round < 10; round++) {
      const silent = new WeriftViewer();
      const [left, answer] = await Promise.all([
        server.join(),
        server.offer(await silent.offer()),
        server.join().then((viewer) => server.leave(viewer)),
      ]);
      await silent.close();
      await fetch(server.url + answer.session_url, { method: 'DELETE' });
      await server.leave(left);
    }
    const baseline = { ...IDLE, workers: 1, timers };
    await eventually(() => isDeepStrictEqual(server.resources, baseline), 20_000, 'everything to be given back');
  });
});

describe('videos of every kind', () => {
  let server: TestServer;
  after(() => server.close());

  const playable: readonly VideoName[] = [
    'b-frames.mp4',
    'odd.webm',
    'portrait.mp4',
    'rotated.mp4',
    'ten-bit.mp4',
    'hevc.mp4',
    'variable-rate.mp4',
    'late-keyframe.ts',
    'truncated.mp4',
  ];
  const broken: readonly VideoName[] = ['empty.mp4', 'text.mp4', 'sound-only.mp4', 'no-index.mp4'];

  it('are all listed, the broken ones with their reason', async () => {
    server = await TestServer.start(
      [...playable, ...broken].map((name) => [name, name] as const),
      { IDLE_GRACE: '0' },
    );
    const list = async () =>
      (await server.get<{ videos: { name: string; playable: boolean; reason?: string }[] }>('/available-videos')).videos;
    // A file that cannot be read may still be written: it is listed once it has been at rest.
    const isComplete = async () => (await list()).length >= playable.length + broken.length;
    await eventually(isComplete, 10_000, 'all files to be listed');
    const videos = await list();
    assert.deepEqual(new Set(videos.map(({ name }) => name)), new Set([...playable, ...broken]));
    for (const { name, playable: plays, reason } of videos) {
      assert.equal(
        plays,
        playable.some((other) => other === name),
        `${name}: ${reason}`,
      );
      if (!plays) assert.ok((reason?.length ?? 0) > 10, `${name}: ${reason}`);
    }
  });

  for (const name of playable) {
    it(`plays ${name}`, async () => {
      const viewer = await server.join({ source: path.parse(name).name });
      await viewer.until(() => keyframes(viewer) > 0, 10_000, 'a keyframe');
      await morePictures(viewer, 15, `of ${name}`);
      assertTimestampsAscend(viewer);
      await server.leave(viewer);
    });
  }

  for (const name of broken) {
    it(`refuses an offer for ${name} with its reason`, async () => {
      const refusal = await refusalOf(server.join({ source: path.parse(name).name }));
      assert.deepEqual([refusal.status, refusal.code], [422, 'SOURCE_NOT_PLAYABLE']);
    });
  }
});

describe('the server while it looks into its files', () => {
  it('answers already, and says that it is not ready', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-slow-'));
    const gate = path.join(folder, 'gate');
    const ffprobe = path.join(folder, 'ffprobe');
    // A stand-in that holds every file up until the gate is there.
    writeFileSync(ffprobe, `#!/bin/sh\n[ "$1" = -version ] || while [ ! -e '${gate}' ]; do sleep 0.05; done\nexec ffprobe "$@"\n`);
    chmodSync(ffprobe, 0o755);
    const port = await freePort();
    const starting = TestServer.start(['silent.mp4'], { PORT: String(port), FFPROBE_PATH: ffprobe });
    try {
      const readiness = (): Promise<number | undefined> =>
        fetch(`http://127.0.0.1:${port}/ready`).then(
          ({ status }) => status,
          () => undefined,
        );
      await eventually(async () => (await readiness()) === 503, 5000, 'an answer');
      writeFileSync(gate, '');
      await within(starting, 10_000, 'the start');
      assert.equal(await readiness(), 200);
    } finally {
      writeFileSync(gate, '');
      await (await starting).close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('shutdown', () => {
  it('on SIGTERM closes viewers, leaves no process and exits with 0 within 5 s', async () => {
    const server = await startServerProcess({ IDLE_GRACE: '60000' });
    const viewer = new WeriftViewer({ video: 2, audio: true });
    await viewer.join(async (sdp) => {
      const response = await fetch(`${server.url}/offer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sdp, type: 'offer' }),
      });
      return (await response.json()) as { sdp: string };
    });
    await viewer.until(() => viewer.packets.length > 50, 10_000, 'media');
    const children = processTree(server.pid).slice(1);
    assert.ok(
      children.some(({ command }) => command.includes('ffmpeg')),
      'ffmpeg runs',
    );
    const startedMs = performance.now();
    assert.equal(await within(server.close(), 6000, 'the exit'), 0);
    assert.ok(performance.now() - startedMs < 5000);
    for (const { pid, command } of children) assert.throws(() => process.kill(pid, 0), `${command} is gone`);
    await viewer.close();
  });
});

describe('a model for a source that is not there', () => {
  it('is told in the log with the sources that are', async () => {
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-upload-'));
    copyVideo('silent.mp4', uploadDir);
    const server = await startServerProcess({ UPLOAD_DIR: uploadDir, MODEL: 'none', SOURCE_MODELS: 'silent=none,sient=none' });
    await server.close();
    rmSync(uploadDir, { recursive: true });
    const warnings = server.log.filter((line) => line.includes('SOURCE_MODELS'));
    assert.deepEqual(
      [warnings.length, warnings[0]?.includes('"sourceId":"sient"'), warnings[0]?.includes('"available":["silent"]')],
      [1, true, true],
    );
  });
});

describe('a server that cannot listen', () => {
  it('says that its port is taken, or that its address is of another machine, and what to do', async () => {
    const first = await TestServer.start([]);
    const { port } = new URL(first.url);
    const refused = { name: 'MediaPeerError', code: 'CONFIG_INVALID' };
    await assert.rejects(TestServer.start([], { PORT: port }), {
      ...refused,
      message: `PORT ${port} on 127.0.0.1 is taken by another program; end that program, choose another PORT, or 0 for a free one`,
    });
    await assert.rejects(TestServer.start([], { HOST: '192.0.2.1', ALLOW_ANONYMOUS: 'all' }), {
      ...refused,
      message: /^HOST '192\.0\.2\.1' is not an address of this machine; /,
    });
    await first.close();
  });
});
