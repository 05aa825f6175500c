import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { ffmpegProcesses } from './helpers/pipeline-rig.js';
import { TestServer, type JoinedViewer } from './helpers/server.js';

const MODEL = 'models/sightline-demo.json';

interface Streams {
  readonly sources: readonly {
    readonly restarts: number;
    readonly decoder: { readonly frames_decoded: number; readonly restarts: number } | null;
    readonly detection: { readonly frames_detected: number; readonly frames_skipped: number } | null;
    readonly renditions: readonly {
      readonly rendition: string;
      readonly codec: string;
      readonly viewers: number;
      readonly restarts: number;
    }[];
  }[];
}
interface Health {
  readonly status: string;
  readonly reasons: readonly string[];
}

let server: TestServer;

const pictures = (viewer: JoinedViewer): number =>
  viewer.packets.filter(({ header }) => header.payloadType === 102 && header.marker).length;

/** Waits until every viewer got `count` more pictures. */
async function morePictures(viewers: readonly JoinedViewer[], count: number, what: string): Promise<void> {
  const before = viewers.map(pictures);
  await Promise.all(
    viewers.map((viewer, i) => viewer.until(() => pictures(viewer) >= (before[i] ?? 0) + count, 15_000, `${count} more pictures ${what}`)),
  );
}

/** An ffmpeg that fails as soon as a file says so, told by the words in its command line; returns its path and the switch. */
function fickleFfmpeg(): { readonly file: string; fail(words: string | undefined): void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-fickle-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'ffmpeg');
  const words = path.join(folder, 'words');
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg']).toString().trim();
  writeFileSync(
    file,
    `#!/bin/sh\nif [ -f ${words} ] && echo "$*" | grep -q -e "$(cat ${words})"; then echo 'out of luck' >&2; exit 1; fi\nexec ${real} "$@"\n`,
  );
  chmodSync(file, 0o755);
  return {
    file,
    fail: (found) => (found === undefined ? rmSync(words, { force: true }) : writeFileSync(words, found)),
  };
}

describe('processed', () => {
  afterEach(() => server.close());

  it('is made once for ten viewers, and heals with all of them connected when any of its processes is killed', async () => {
    server = await TestServer.start(['copyable.mp4'], { MODEL });
    const viewers = await Promise.all(Array.from({ length: 10 }, () => server.join({ tracks: ['processed'] })));
    await morePictures(viewers, 5, 'before anything happens');
    const { feeds, decoders, encoders } = ffmpegProcesses(process.pid);
    assert.deepEqual([feeds.length, decoders.length, encoders.length], [1, 1, 1]);
    assert.equal(server.resources.workers, 2, 'one for the detector, one for the store');
    const [shared] = (await server.get<Streams>('/active-streams')).sources;
    assert.ok(shared, 'the source runs');
    assert.deepEqual(
      shared.renditions.map(({ rendition, viewers: count }) => [rendition, count]),
      [['processed', 10]],
    );
    const looks = (shared.detection?.frames_detected ?? 0) + (shared.detection?.frames_skipped ?? 0);
    assert.ok(looks > 0 && looks <= (shared.decoder?.frames_decoded ?? 0), 'every picture is offered to the detector once');

    await server.leave(...viewers.splice(3));
    for (const kind of ['feeds', 'decoders', 'encoders'] as const) {
      const [victim] = ffmpegProcesses(process.pid)[kind];
      assert.ok(victim, kind);
      process.kill(victim.pid, 'SIGKILL');
      await eventually(() => ffmpegProcesses(process.pid)[kind].some(({ pid }) => pid !== victim.pid), 5000, `new ${kind}`);
      await morePictures(viewers, 15, `after the death of one of the ${kind}`);
    }
    for (const viewer of viewers) assert.equal(viewer.pc.connectionState, 'connected');
    const [source] = (await server.get<Streams>('/active-streams')).sources;
    assert.deepEqual([source?.restarts, source?.decoder?.restarts, source?.renditions[0]?.restarts], [1, 1, 1]);
  });

  it('makes /health degraded for as long as its encoder cannot be started, and its viewer sees it come back', async () => {
    const ffmpeg = fickleFfmpeg();
    server = await TestServer.start(['copyable.mp4'], { MODEL, FFMPEG_PATH: ffmpeg.file });
    const viewers = [await server.join({ tracks: ['processed'] })];
    await morePictures(viewers, 5, 'before anything happens');
    ffmpeg.fail('libx264');
    for (const { pid } of ffmpegProcesses(process.pid).encoders) process.kill(pid, 'SIGKILL');
    const isDegraded = async (): Promise<boolean> => (await fetch(`${server.url}/health`)).status === 503;
    await eventually(isDegraded, 3000, 'a degraded server');
    // It is tried again and again meanwhile; a try is no success.
    const restarts = async (): Promise<number> => (await server.get<Streams>('/active-streams')).sources[0]?.renditions[0]?.restarts ?? 0;
    const before = await restarts();
    await eventually(
      async () => {
        assert.ok(await isDegraded(), 'it stays degraded between the tries');
        return (await restarts()) >= before + 3;
      },
      15_000,
      'three more tries',
    );
    const health = await server.get<Health>('/health');
    assert.equal(health.status, 'degraded');
    assert.match(health.reasons.join(), /^copyable: .*out of luck/);
    ffmpeg.fail(undefined);
    await morePictures(viewers, 10, 'after the encoder is back');
    assert.equal(viewers[0]?.pc.connectionState, 'connected');
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });
});

describe('a source whose ffmpeg cannot be started', () => {
  afterEach(() => server.close());

  it('ends the session of the client that asked for it, and the server goes on', async () => {
    const ffmpeg = fickleFfmpeg();
    server = await TestServer.start(['copyable.mp4'], { FFMPEG_PATH: ffmpeg.file });
    ffmpeg.fail('concat');
    await server.join().catch(() => undefined);
    await eventually(() => server.resources.peer_connections === 0 && server.resources.child_processes === 0, 10_000, 'the session to end');
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    ffmpeg.fail(undefined);
    await morePictures([await server.join()], 5, 'once ffmpeg works');
  });

  it('is degraded while somebody who has seen it waits, and plays on for them', async () => {
    const ffmpeg = fickleFfmpeg();
    server = await TestServer.start(['copyable.mp4'], { FFMPEG_PATH: ffmpeg.file });
    const viewers = [await server.join()];
    await morePictures(viewers, 5, 'before anything happens');
    ffmpeg.fail('concat');
    for (const { pid } of ffmpegProcesses(process.pid).feeds) process.kill(pid, 'SIGKILL');
    await eventually(
      async () => (await server.get<Health>('/health')).reasons.some((reason) => reason.includes('out of luck')),
      5000,
      'the reason',
    );
    ffmpeg.fail(undefined);
    await morePictures(viewers, 10, 'after all');
    assert.deepEqual(await server.get<Health>('/health').then(({ status, reasons }) => [status, reasons]), ['ok', []]);
  });
});
