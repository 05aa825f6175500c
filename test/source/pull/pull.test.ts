import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { FfmpegDeps } from '../../../src/ffmpeg/index.js';
import type { Logger } from '../../../src/base/logger.js';
import { readLengthPrefixed, type EncodedFrame } from '../../../src/media/index.js';
import { PullSources } from '../../../src/source/pull/pull.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';
import type { FeedOptions, SourceFeed } from '../../../src/source/index.js';
import { HttpCamera, RtspCamera, whyNoRtspServer, type StreamName } from '../../helpers/cameras.js';
import { eventually, within } from '../../helpers/deadline.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import { noGStreamer } from '../../helpers/gstreamer.js';
import { noH265 } from '../../helpers/make-video.js';

const START_CODE = Buffer.from([0, 0, 0, 1]);

const cameras: { hangUp(): void; switchOff(): Promise<void> }[] = [];
after(() => Promise.all(cameras.map((camera) => camera.switchOff().catch(() => undefined))));

async function camera(stream: StreamName, credentials?: string): Promise<HttpCamera> {
  const started = await HttpCamera.start(stream, credentials);
  cameras.push(started);
  return started;
}

/** A logger that keeps every line, errors and their causes included. */
function keepingLogger(lines: string[]): Logger {
  const keep = (fields: object, message: string): void => void lines.push(`${message} ${inspectDeep(fields)}`);
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger };
  return logger;
}

function inspectDeep(value: unknown): string {
  if (value instanceof Error) return `${value.stack} ${inspectDeep(Object.fromEntries(Object.entries(value)))} ${inspectDeep(value.cause)}`;
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, field]) => `${key}=${inspectDeep(field)}`)
      .join(' ');
  return String(value);
}

interface Rig {
  readonly deps: FfmpegDeps;
  readonly lines: string[];
  readonly pulls: PullSources;
}

function rigOf(entry: object, environment: Record<string, string> = {}, more: Partial<FfmpegDeps> = {}): Rig {
  const lines: string[] = [];
  const deps = { ...realDeps(), logger: keepingLogger(lines), ...more };
  const entries = parseSources(JSON.stringify({ sources: [{ name: 'cam', ...entry }] }), { variables: environment });
  return { deps, lines, pulls: new PullSources({ ...deps, entries, caption: () => Promise.resolve() }) };
}

interface Delivered {
  readonly video: number[];
  readonly audio: number[];
  readonly frames: EncodedFrame[];
  readonly waiting: boolean[];
  pictures: number;
}

async function watch({ deps, pulls }: Rig, options: Partial<FeedOptions> = {}): Promise<{ feed: SourceFeed; got: Delivered }> {
  await pulls.prepare('cam');
  const got: Delivered = { video: [], audio: [], frames: [], waiting: [], pictures: 0 };
  const source = pulls.get('cam');
  assert.ok(source);
  const feed = source.open(
    {
      encodedVideo: (frame) => {
        got.video.push(frame.mediaTimeMs);
        got.frames.push(frame);
      },
      picture: (picture) => {
        got.video.push(picture.mediaTimeMs);
        got.pictures++;
      },
      audio: ({ mediaTimeMs }) => got.audio.push(mediaTimeMs),
      waiting: (isWaiting) => got.waiting.push(isWaiting),
    },
    { ...deps, ...options },
  );
  return { feed, got };
}

const steps = (times: readonly number[]): number[] => times.slice(1).map((time, i) => time - (times[i] as number));
function assertAscending(times: readonly number[], maxGapMs: number): void {
  assert.ok(
    steps(times).every((step) => step > 0 && step <= maxGapMs),
    `steps of ${Math.min(...steps(times))} to ${Math.max(...steps(times))} ms`,
  );
}

const SECRET = 'Pa55/w@rd?x';
const ENVIRONMENT = { CAM_PASSWORD: SECRET, CAM_TOKEN: 'T0k3n&=' };
const FORMS = [SECRET, encodeURIComponent(SECRET), 'Pa55', 'T0k3n', Buffer.from(`admin:${SECRET}`).toString('base64')];
function assertNoSecret(...texts: readonly unknown[]): void {
  const text = texts.map((part) => `${inspectDeep(part)} ${JSON.stringify(part)}`).join('\n');
  for (const form of FORMS)
    assert.ok(!text.includes(form), `${form} in ${text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 100)}`);
}

async function servePlaylist(text: string): Promise<number> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' }).end(text),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cameras.push({
    hangUp: () => undefined,
    switchOff: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
  return (server.address() as { port: number }).port;
}

const bundled = await bundledTools();

// Most of the time they wait for what the camera sends in real time.
describe('a camera that is called', { concurrency: 4 }, () => {
  it('before it was called a camera is listed as empty; once it has answered, with what it sends', async () => {
    const { url } = await camera('flv');
    const rig = rigOf({ url });
    const before = rig.pulls.list()[0];
    assert.deepEqual(
      [before?.id, before?.kind, before?.state, before?.widthPx, before?.reason],
      ['cam', 'pull', 'empty', null, 'it has not been connected yet'],
    );
    await rig.pulls.prepare('cam');
    const known = rig.pulls.get('cam');
    assert.deepEqual(
      [
        known?.state,
        known?.widthPx,
        known?.heightPx,
        known?.fps,
        known?.videoCodec,
        known?.audioCodec,
        known?.delivery,
        known?.durationS,
        known?.reason,
      ],
      ['live', 320, 180, 25, 'h264', 'aac', 'passthrough', null, undefined],
    );
    assertNothingHeld(rig.deps);
  });

  const SENT: readonly [StreamName, 'passthrough' | 'transcode', RegExp | undefined][] = [
    ['flv', 'passthrough', undefined],
    ['ts', 'passthrough', undefined],
    ['bFrames', 'transcode', /B-frames/],
    ['hevc', 'passthrough', undefined],
    ['mjpeg', 'transcode', /its codec is mjpeg/],
  ];
  for (const [stream, delivery, reason] of SENT) {
    it(`${stream} is ${delivery === 'passthrough' ? 'copied' : 'transcoded'}, on one timeline with the wall clock`, async () => {
      const { url } = await camera(stream);
      const rig = rigOf({ url });
      const { feed, got } = await watch(rig);
      await eventually(() => got.video.length >= 60, 15_000, 'frames');
      assert.deepEqual([feed.info.delivery, feed.info.widthPx, feed.info.heightPx], [delivery, 320, 180]);
      const why = rig.pulls.get('cam')?.reason;
      assert.ok(reason ? reason.test(why ?? '') : why === undefined, why);
      assertAscending(got.video, 500);
      assertAscending(got.audio, 200);
      if (delivery === 'passthrough') assert.ok(got.frames[0]?.keyframe, 'a keyframe comes first');
      else assert.equal(got.pictures, got.video.length);
      assert.equal(stream === 'flv', got.audio.length > 0);
      const lagMs = (feed.timeline.mediaTimeAt(Date.now()) as number) - (got.video.at(-1) as number);
      assert.ok(lagMs > -300 && lagMs < 1000, `${lagMs} ms behind`);
      assert.equal((await within(feed.close(), 5000, 'the end')).reason, 'viewer-left');
      assertNothingHeld(rig.deps);
    });
  }

  it('the operator may have everything transcoded, and the sound left out', async () => {
    const { url } = await camera('flv');
    const rig = rigOf({ url, transcode: 'always', audio: false });
    const { feed, got } = await watch(rig);
    await eventually(() => got.pictures >= 10, 10_000, 'pictures');
    assert.deepEqual([feed.info.delivery, feed.info.hasAudio, got.audio.length], ['transcode', false, 0]);
    assert.match(rig.pulls.get('cam')?.reason ?? '', /transcode: always/);
    await feed.close();
    assertNothingHeld(rig.deps);
  });

  it('a camera whose keyframes are too rare is transcoded once that is seen, on the same timeline', async () => {
    const { url } = await camera('rareKeyframes');
    const rig = rigOf({ url });
    const first = await watch(rig);
    assert.equal(first.feed.info.delivery, 'passthrough');
    assert.equal((await within(first.feed.closed, 20_000, 'the refusal')).reason, 'replaced');
    assert.match(rig.pulls.get('cam')?.reason ?? '', /keyframes are more than 5 s apart/);
    const second = await watch(rig, { timeline: first.feed.timeline });
    assert.equal(second.feed.info.delivery, 'transcode');
    await eventually(() => second.got.pictures > 5, 10_000, 'pictures');
    assertAscending([first.got.video.at(-1) as number, ...second.got.video], 10_000);
    await second.feed.close();
    assertNothingHeld(rig.deps);
  });

  for (const transcode of ['auto', 'always']) {
    it(`a camera that goes away and comes back is called again; meanwhile the slate is shown (${transcode})`, async () => {
      const cam = await camera('flv');
      const rig = rigOf({ url: cam.url, transcode });
      const { feed, got } = await watch(rig, { backoff: { firstMs: 200, maxMs: 500 } });
      await eventually(() => got.video.length > 30, 10_000, 'frames');
      await cam.switchOff();
      await eventually(() => got.waiting.at(-1) === true, 6000, 'the slate');
      assert.deepEqual([rig.pulls.get('cam')?.state, feed.live?.isWaiting], ['waiting', true]);
      assert.match(rig.pulls.get('cam')?.reason ?? '', /./);
      const shown = got.video.length;
      await eventually(() => got.video.length > shown + 3, 4000, 'pictures of the slate');
      await cam.switchOn();
      await eventually(() => got.waiting.at(-1) === false, 15_000, 'the camera');
      const back = got.video.length;
      await eventually(() => got.video.length > back + 30, 5000, 'frames of the camera');
      assertAscending(got.video, 6000);
      assert.equal(feed.trouble, undefined);
      assert.ok(feed.restarts > 0);
      assert.equal(rig.pulls.get('cam')?.state, 'live');
      await feed.close();
      assertNothingHeld(rig.deps);
    });
  }

  it(
    'the slate of an H.265 camera is H.265, and decodes as one stream with what is copied before and after it',
    { skip: noH265 },
    async () => {
      const cam = await camera('hevc');
      const rig = rigOf({ url: cam.url });
      const { feed, got } = await watch(rig, { backoff: { firstMs: 200, maxMs: 500 } });
      await eventually(() => got.video.length > 30, 10_000, 'frames');
      assert.deepEqual([feed.info.delivery, feed.info.codec], ['passthrough', 'h265']);
      await cam.switchOff();
      await eventually(() => got.waiting.at(-1) === true, 6000, 'the slate');
      const shown = got.frames.length;
      await eventually(() => got.frames.length > shown + 3, 6000, 'pictures of the slate');
      assert.ok(got.frames[shown]?.keyframe, 'it begins with a keyframe');
      await cam.switchOn();
      await eventually(() => got.waiting.at(-1) === false, 15_000, 'the camera');
      const back = got.frames.length;
      await eventually(() => got.frames.length > back + 30, 8000, 'frames of the camera');
      assertAscending(got.video, 8000);
      await feed.close();
      const stream = Buffer.concat(
        got.frames.flatMap(({ data }) => (readLengthPrefixed(data) ?? []).flatMap((unit) => [START_CODE, unit])),
      );
      const args = ['-nostdin', '-v', 'error', '-f', 'hevc', '-i', 'pipe:0', '-vsync', 'passthrough', '-f', 'framecrc', 'pipe:1'];
      const pictures = execFileSync('ffmpeg', args, { input: stream, encoding: 'utf8', maxBuffer: 16 << 20 }).split('\n');
      assert.equal(pictures.filter((line) => /^\d/.test(line)).length, got.frames.length);
      assertNothingHeld(rig.deps);
    },
  );

  it('an H.265 camera is transcoded where ffmpeg could not encode its slate', { skip: noH265 }, async () => {
    const { url } = await camera('hevc');
    const { tools } = realDeps();
    const encoders = new Set([...tools.encoders].filter((name) => name !== 'libx265'));
    const rig = rigOf({ url }, {}, { tools: { ...tools, encoders } });
    const { feed, got } = await watch(rig);
    await eventually(() => got.pictures > 3, 10_000, 'pictures');
    assert.equal(feed.info.delivery, 'transcode');
    assert.match(rig.pulls.get('cam')?.reason ?? '', /lacks libx265/);
    await feed.close();
    assertNothingHeld(rig.deps);
  });

  it('a camera that hangs without a word is dead after 10 s, and called again', async () => {
    const cam = await camera('flv');
    const rig = rigOf({ url: cam.url });
    const { feed, got } = await watch(rig);
    await eventually(() => got.video.length > 10, 10_000, 'frames');
    const { calls } = cam;
    cam.freeze();
    await eventually(() => cam.calls > calls, 15_000, 'the next call');
    await eventually(() => got.waiting.at(-1) === false, 10_000, 'frames again');
    assertAscending(got.video, 13_000);
    await feed.close();
    assertNothingHeld(rig.deps);
  });

  it('a camera that sends something else after a loss makes room for a feed of that', async () => {
    const cam = await camera('flv');
    const rig = rigOf({ url: cam.url });
    const { feed, got } = await watch(rig, { backoff: { firstMs: 100, maxMs: 200 } });
    await eventually(() => got.video.length > 10, 10_000, 'frames');
    cam.stream = 'hevc';
    cam.hangUp();
    assert.equal((await within(feed.closed, 20_000, 'the change')).reason, 'replaced');
    assert.equal(rig.pulls.get('cam')?.videoCodec, 'hevc');
    assertNothingHeld(rig.deps);
  });

  for (const [what, restamp] of [
    ['ahead by an hour', (ms: number) => (ms < 2000 ? ms : ms + 3_600_000)],
    ['back by a minute', (ms: number) => (ms < 2000 ? ms + 60_000 : ms)],
  ] as const) {
    for (const transcode of ['auto', 'always']) {
      it(`stamps that jump ${what} are bridged (${transcode})`, async () => {
        const cam = await camera('flv');
        cam.restamp = restamp;
        const rig = rigOf({ url: cam.url, transcode });
        const { feed, got } = await watch(rig);
        await eventually(() => got.video.length >= 120, 20_000, 'frames');
        assertAscending(got.video, 1500);
        assertAscending(got.audio, 1500);
        const nowMs = feed.timeline.mediaTimeAt(Date.now()) as number;
        for (const times of [got.video, got.audio])
          assert.ok(nowMs - (times.at(-1) as number) < 2000, `${nowMs - (times.at(-1) as number)} ms behind`);
        await feed.close();
        assertNothingHeld(rig.deps);
      });
    }
  }

  it('credentials reach the camera and nobody else, while all is well and when it is not', async () => {
    const cam = await camera('flv', `admin:${SECRET}`);
    const rig = rigOf({ url: cam.url.replace('//', '//admin:${CAM_PASSWORD}@') }, ENVIRONMENT);
    const { feed, got } = await watch(rig, { backoff: { firstMs: 100, maxMs: 200 } });
    await eventually(() => got.video.length > 10, 10_000, 'frames');
    assert.ok(cam.calls >= 2);
    await cam.switchOff();
    await eventually(() => feed.restarts >= 3 && feed.lastError !== undefined, 15_000, 'calls in vain');
    assert.match(feed.lastError ?? '', /refused|cannot be reached/);
    assertNoSecret(rig.lines, rig.pulls.list(), feed.lastError, feed.trouble);
    await feed.close();
    assertNoSecret(rig.lines);
    assert.ok(
      rig.lines.some((line) => line.startsWith('ffmpeg started')),
      'the command line was logged',
    );
    assertNothingHeld(rig.deps);
  });

  it('a password that is wrong is told as such, without the password', async () => {
    const cam = await camera('flv', 'admin:right');
    const rig = rigOf({ url: `${cam.url.replace('//', '//admin:${CAM_PASSWORD}@')}?token=\${CAM_TOKEN}` }, ENVIRONMENT);
    await rig.pulls.prepare('cam');
    assert.match(rig.pulls.get('cam')?.reason ?? '', /401|Unauthorized/);
    await assert.rejects(watch(rig), (error: unknown) => {
      assertNoSecret(error);
      return error instanceof MediaPeerError && error.code === 'SOURCE_NOT_LIVE' && error.retryAfterS === 3 && /401/.test(error.message);
    });
    assertNoSecret(rig.lines, rig.pulls.list());
    assert.equal(cam.refusals > 0, true);
    await rig.pulls.close();
    assertNothingHeld(rig.deps);
  });

  it('whoever asks again at once does not make the server call again', async () => {
    const cam = await camera('flv', 'admin:right');
    const rig = rigOf({ url: cam.url });
    await Promise.all(Array.from({ length: 20 }, () => rig.pulls.prepare('cam')));
    const { refusals } = cam;
    for (let i = 0; i < 20; i++) await rig.pulls.prepare('cam');
    assert.equal(cam.refusals, refusals);
    await rig.pulls.close();
  });

  it('a call that goes on when the server closes is given up', async () => {
    const cam = await camera('flv');
    const rig = rigOf({ url: cam.url });
    const asked = rig.pulls.prepare('cam');
    await within(Promise.all([rig.pulls.close(), asked]), 2000, 'the end');
    assertNothingHeld(rig.deps);
  });

  it('a feed that is closed while its camera is called again leaves nothing behind', async () => {
    const cam = await camera('flv');
    const rig = rigOf({ url: cam.url });
    const { feed, got } = await watch(rig, { backoff: { firstMs: 1, maxMs: 1 } });
    await eventually(() => got.video.length > 0, 10_000, 'a frame');
    await cam.switchOff();
    const before = feed.restarts;
    // Calls and looks take turns: each end finds another of them going on.
    await eventually(() => feed.restarts > before + 2, 10_000, 'calls in vain');
    await within(feed.close(), 3000, 'the end');
    assertNothingHeld(rig.deps);
  });

  it('a playlist cannot make ffmpeg read a file of this machine', async () => {
    const playlist =
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXTINF:2,\nconcat:/etc/passwd|/etc/hostname\n#EXT-X-ENDLIST\n';
    const rig = rigOf({ url: `http://127.0.0.1:${await servePlaylist(playlist)}/live.m3u8` });
    await rig.pulls.prepare('cam');
    assert.equal(rig.pulls.get('cam')?.state, 'empty');
    assert.match(rig.pulls.get('cam')?.reason ?? '', /whitelist|Invalid|cannot be/);
    assertNothingHeld(rig.deps);
  });

  it('HLS comes in lumps of seconds, and is handed on evenly, sound and pictures together', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-hls-'));
    const args = [
      '-re',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x180:rate=25',
      '-f',
      'lavfi',
      '-i',
      'sine',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-g',
      '25',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
    ];
    const sender = spawn(
      'ffmpeg',
      ['-nostdin', '-v', 'error', ...args, '-f', 'hls', '-hls_time', '1', '-hls_list_size', '6', path.join(folder, 'live.m3u8')],
      { stdio: 'ignore' },
    );
    const files = createServer((request, response) => {
      const file = path.join(folder, path.basename(new URL(request.url ?? '/', 'http://x').pathname));
      if (existsSync(file)) createReadStream(file).pipe(response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const rig = rigOf({ url: `http://127.0.0.1:${(files.address() as AddressInfo).port}/live.m3u8?token=x` });
    try {
      await eventually(() => existsSync(path.join(folder, 'live2.ts')), 15_000, 'segments');
      const { feed, got } = await watch(rig);
      await eventually(() => got.video.length >= 100, 15_000, 'frames');
      // Those that were read to understand the stream come first, at once.
      const even = got.video.slice(25);
      assertAscending(even, 500);
      assert.ok(steps(even).filter((step) => Math.abs(step - 40) < 10).length > 60, `steps of ${steps(even).join(' ')}`);
      const apartMs = (got.audio.at(-1) as number) - (got.video.at(-1) as number);
      assert.ok(Math.abs(apartMs) < 300, `${apartMs} ms apart`);
      await feed.close();
      assertNothingHeld(rig.deps);
    } finally {
      sender.kill('SIGKILL');
      files.closeAllConnections();
      files.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('a device is taken by ffmpeg under its own name', async () => {
    const rig = rigOf({ device: 'testsrc2=size=320x180:rate=25', format: 'lavfi' });
    const { feed, got } = await watch(rig);
    await eventually(() => got.pictures >= 50, 10_000, 'pictures');
    assertAscending(got.video, 500);
    await feed.close();
    assertNothingHeld(rig.deps);
  });

  for (const [which, tools] of [
    ['the ffmpeg that was found', realDeps().tools],
    ['the bundled ffmpeg', bundled],
  ] as const) {
    const skip = tools === undefined ? 'no bundled ffmpeg for this platform' : whyNoRtspServer();
    it(`${which} takes an RTSP camera with a password, picture and sound`, { skip }, async () => {
      const cam = await RtspCamera.start('admin', SECRET);
      const rig = rigOf({ url: cam.url.replace('//', '//admin:${CAM_PASSWORD}@') }, ENVIRONMENT, tools && { tools });
      const { feed, got } = await watch(rig);
      await eventually(() => got.video.length > 50 && got.audio.length > 50, 15_000, 'pictures and sound');
      assert.equal(feed.info.delivery, 'passthrough');
      assertAscending(got.video, 500);
      assertAscending(got.audio, 500);
      assert.ok(Math.abs((got.audio.at(-1) as number) - (got.video.at(-1) as number)) < 400, 'sound keeps up with the pictures');
      await cam.close();
      await eventually(() => got.waiting.at(-1) === true, 15_000, 'the slate');
      assertNoSecret(rig.lines, rig.pulls.list(), feed.lastError);
      await feed.close();
      assertNothingHeld(rig.deps);
    });
  }

  it('an RTSP camera of H.265 is copied', { skip: whyNoRtspServer() || noH265 || noGStreamer('x265enc', 'rtph265pay') }, async () => {
    const cam = await RtspCamera.start('admin', SECRET, '320x180', 'h265');
    const rig = rigOf({ url: cam.url.replace('//', '//admin:${CAM_PASSWORD}@') }, ENVIRONMENT);
    const { feed, got } = await watch(rig);
    await eventually(() => got.video.length > 60, 20_000, 'pictures');
    assert.deepEqual([feed.info.delivery, feed.info.codec, rig.pulls.get('cam')?.reason], ['passthrough', 'h265', undefined]);
    assertAscending(got.video, 500);
    assert.ok(got.frames[0]?.keyframe && got.frames.slice(1).some(({ keyframe }) => keyframe));
    await feed.close();
    await cam.close();
    assertNothingHeld(rig.deps);
  });
});
