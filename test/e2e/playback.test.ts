import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pair } from '../../scripts/bench/frame-exact-pairing.js';
import type { Rendition } from '../../src/media/index.js';
import '../helpers/alone.js';
import {
  ChromiumHarness,
  noChromium,
  type BrowserViewer,
  type JoinOptions,
  type ToldMessage,
  type ViewerPage,
} from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { FRAME_NUMBER_MODEL } from '../helpers/frame-number-model.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { framesOfClip, makeRecording } from '../helpers/recording.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

/** Frames of the recording: 40 s at 30 a second, a keyframe every 2 s. */
const COUNT = 1200;
const GAP = [600, 660] as const;
const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];

describe('the past in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let page: ViewerPage;
  let fromMs: number;

  before(async () => {
    folder = await temporaryFolder();
    const clip = path.join(folder.videos, 'street.mp4');
    const recordDir = path.join(folder.path, 'recordings');
    mkdirSync(recordDir);
    await makeNumberedClip(clip, { seconds: COUNT / 30, keyframeS: 2 });
    const frames = await framesOfClip(clip);
    assert.equal(frames.length, COUNT);
    fromMs = Date.now() - 120_000;
    const recording = { recordDir, frames, fromMs };
    await makeRecording({ ...recording, sourceId: 'street', gaps: [GAP], cuts: [300, 900] });
    await makeRecording({ ...recording, sourceId: 'gone' });
    await makeNumberedClip(path.join(folder.videos, 'yard.mp4'), { seconds: 60, keyframeS: 2 });
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      RECORD_DIR: recordDir,
      RECORD: 'yard',
      MODEL: FRAME_NUMBER_MODEL,
      DETECT_FPS: '30',
      IDLE_GRACE: '0',
      MAX_PLAYBACK_ENCODES: '1',
    });
    await eventually(async () => (await fetch(new URL('/recordings/street', server.url))).ok, 10_000, 'the index of the recording');
    browser = await ChromiumHarness.shared();
    page = await browser.viewerPage(server.url);
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  /** Unix seconds of a frame. */
  const at = (number: number): number => (fromMs + (number * 1000) / 30) / 1000;

  async function join(options: JoinOptions = {}): Promise<BrowserViewer> {
    const viewer = await page.join({
      codec: 'H264',
      dataChannel: true,
      detections: true,
      numbers: true,
      keepFirstPicture: false,
      ...options,
      body: { source: 'street', tracks: ['raw'], ...options.body },
    });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    return viewer;
  }

  async function shown(viewer: BrowserViewer, index = 0): Promise<number[]> {
    return ((await viewer.numbers())[index] ?? []).flatMap(({ number }) => (typeof number === 'number' ? [number] : []));
  }

  /** The very frame, which stands. */
  async function waitFor(viewer: BrowserViewer, number: number, index = 0): Promise<void> {
    await eventually(async () => (await shown(viewer, index)).at(-1) === number, 5_000, `frame ${number}`);
  }

  /** Something of what follows a frame, as it passes: a browser that is short of time leaves many out. */
  async function waitPast(viewer: BrowserViewer, number: number, index = 0): Promise<void> {
    const isPast = (each: number): boolean => each >= number && each < number + 200;
    await eventually(async () => (await shown(viewer, index)).slice(-5).some(isPast), 10_000, `frames behind ${number}`);
  }

  async function positions(viewer: BrowserViewer): Promise<ToldMessage[]> {
    return (await viewer.told()).filter(({ type }) => type === 'position');
  }

  async function ok(viewer: BrowserViewer, command: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await viewer.command(command);
    assert.equal(answer['ok'], true, JSON.stringify(answer));
  }

  async function assertExact(viewer: BrowserViewer, index: number, rendition: Rendition, atLeast: number): Promise<void> {
    const frames = (await viewer.numbers())[index] ?? [];
    const { maxErrorFrames, wrong, faults, paired } = pair(frames, await viewer.messages(), rendition);
    assert.equal(maxErrorFrames, 0, `${rendition}: ${faults.join('\n')}`);
    assert.equal(wrong, 0);
    assert.ok(paired >= atLeast, `${paired} pictures of ${rendition} pair with a message`);
  }

  it('is gone to from the present and left again, on one connection and one m-line', async () => {
    const viewer = await join();
    await viewer.frames(20);
    await ok(viewer, { cmd: 'seek', at: at(410) });
    await waitPast(viewer, 412);
    await ok(viewer, { cmd: 'live' });
    const count = (await viewer.state()).frames[0]!;
    await viewer.frames(count + 30);
    assert.deepEqual(
      (await positions(viewer)).map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]),
      ['playing', 'live'],
    );
    await assertExact(viewer, 0, 'raw', 10);
    const sender = (await viewer.stats()).filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    assert.equal(sender.length, 1, 'one stream all the time');
    await viewer.leave();
  });

  it('shows the very frame of each time, and stays smooth through seeks, speeds, steps and pauses', async () => {
    const viewer = await join({ body: { at: at(100) } });
    await waitPast(viewer, 101);
    for (const number of [345, 17, 1133]) {
      await ok(viewer, { cmd: 'seek', at: at(number) });
      await waitPast(viewer, number);
    }
    await ok(viewer, { cmd: 'pause' });
    assert.ok((await positions(viewer)).some(({ state }) => state === 'paused'));
    for (const number of [345, 59, 60, 899, 900, 1133, 0, 200]) {
      await ok(viewer, { cmd: 'seek', at: at(number) });
      await waitFor(viewer, number);
    }
    await ok(viewer, { cmd: 'step', frames: 1 });
    await waitFor(viewer, 201);
    await ok(viewer, { cmd: 'step', frames: -22 });
    await waitFor(viewer, 179);
    const position = (await positions(viewer)).at(-1)!;
    assert.ok(Math.abs(Number(position['at']) - at(179)) < 0.001);
    const frame = (await viewer.numbers())[0]!.findLast(({ number }) => number === 179)!;
    assert.ok(Math.abs((Number(position['rtp_timestamp']) - frame.rtpTimestamp) | 0) <= 90, 'it tells the timestamp of that frame');
    await ok(viewer, { cmd: 'speed', value: 2 });
    await ok(viewer, { cmd: 'resume' });
    await waitPast(viewer, 240);
    await ok(viewer, { cmd: 'speed', value: 1 });
    await waitPast(viewer, 310);
    await assertExact(viewer, 0, 'raw', 15);
    await viewer.leave();
  });

  it('draws what was seen then into every frame, and detects nothing again', async () => {
    const viewer = await join({ video: 2, body: { tracks: RENDITIONS, at: at(300) } });
    await waitPast(viewer, 330, 1);
    await ok(viewer, { cmd: 'seek', at: at(840) });
    await waitPast(viewer, 930, 1);
    await assertExact(viewer, 0, 'raw', 10);
    await assertExact(viewer, 1, 'processed', 10);
    const refused = await page.join({ video: 1, codec: 'H264', body: { source: 'street', tracks: ['processed'], at: at(300) } });
    assert.equal(refused.status, 503, 'the one place of encoders is taken');
    assert.match(String(refused.answer['message']), /MAX_PLAYBACK_ENCODES/);
    await viewer.leave();
  });

  it('passes over a gap and says so', async () => {
    const viewer = await join({ body: { at: at(590) } });
    await waitPast(viewer, GAP[1] + 10);
    const numbers = await shown(viewer);
    assert.ok(!numbers.some((number) => number >= GAP[0] && number < GAP[1]));
    const states = (await positions(viewer)).map(({ state }) => state);
    assert.ok(states.includes('gap') && states.lastIndexOf('playing') > states.indexOf('gap'), states.join(' '));
    await assertExact(viewer, 0, 'raw', 3);
    await viewer.leave();
  });

  it('ends in the present, or says that there is nothing more', async () => {
    const live = await join({ body: { at: at(COUNT - 20) } });
    await eventually(async () => (await positions(live)).some(({ state }) => state === 'live'), 5_000, 'the present');
    const count = (await live.state()).frames[0]!;
    await live.frames(count + 20);
    await live.leave();

    const ended = await join({ body: { source: 'gone', at: at(COUNT - 20) } });
    await eventually(async () => (await positions(ended)).some(({ state }) => state === 'end'), 5_000, 'the end');
    await waitFor(ended, COUNT - 1);
    await ok(ended, { cmd: 'seek', at: at(30) });
    await waitPast(ended, 35);
    await ended.leave();
  });

  it('reaches into what is being recorded, at a distance from the present, and back to it', async () => {
    const viewer = await join({ body: { source: 'yard' } });
    await eventually(
      async () => {
        const response = await fetch(new URL('/recordings/yard', server.url));
        const { from, to } = (await response.json()) as { readonly from?: number; readonly to?: number };
        return response.ok && from !== undefined && to !== undefined && to - from > 5;
      },
      20_000,
      'five recorded seconds',
    );
    // What is seen now is kept beside it.
    await eventually(async () => (await viewer.messages()).length > 60, 20_000, 'detections of three seconds');
    const count = (await shown(viewer)).length;
    const live = (await shown(viewer)).at(-1)!;
    const soughtMs = await page.call<number>('now');
    await ok(viewer, { cmd: 'seek', at: Date.now() / 1000 - 3.5 });
    await eventually(async () => (await shown(viewer)).slice(count).some((number) => number < live - 45), 5_000, 'frames of seconds ago');
    const begun = (await shown(viewer)).length;
    await eventually(async () => (await shown(viewer)).length > begun + 60, 15_000, 'two more seconds, which were recorded meanwhile');
    assert.ok(
      (await positions(viewer)).every(({ state }) => state === 'playing'),
      'it keeps its distance',
    );
    const replayed = (await viewer.messages())
      .filter(({ now }) => now > soughtMs + 500)
      .map(({ text }) => JSON.parse(text) as { wall_time: number });
    assert.ok(replayed.length > 10, `${replayed.length} messages of what was seen then`);
    assert.ok(
      replayed.every(({ wall_time: seenAt }) => seenAt < Date.now() / 1000 - 2),
      'of the past alone',
    );
    // Twice as fast, it comes to the present by itself.
    await ok(viewer, { cmd: 'speed', value: 2 });
    await eventually(async () => (await positions(viewer)).at(-1)!['state'] === 'live', 15_000, 'the present');
    const frames = (await viewer.state()).frames[0]!;
    await viewer.frames(frames + 15);
    await assertExact(viewer, 0, 'raw', 20);
    await viewer.leave();
  });

  it('is refused where there is none, in words, and nothing changes', async () => {
    const viewer = await join();
    await viewer.frames(10);
    for (const [command, code] of [
      [{ cmd: 'seek', at: at(0) - 60 }, 'RECORDING_OUT_OF_RANGE'],
      [{ cmd: 'seek', at: Date.now() / 1000 + 3600 }, 'RECORDING_OUT_OF_RANGE'],
      [{ cmd: 'seek', at: 'noon' }, 'COMMAND_INVALID'],
      [{ cmd: 'speed', value: 2 }, 'COMMAND_UNSUPPORTED'],
      [{ cmd: 'speed', value: 9 }, 'COMMAND_INVALID'],
      [{ cmd: 'step', frames: 1 }, 'COMMAND_UNSUPPORTED'],
    ] as const)
      assert.equal((await viewer.command(command))['code'], code);
    const count = (await viewer.state()).frames[0]!;
    await viewer.frames(count + 10);
    await viewer.leave();
    const future = await page.join({ codec: 'H264', body: { source: 'street', at: Date.now() / 1000 + 3600 } });
    assert.equal(future.status, 416);
    assert.equal(future.answer['code'], 'RECORDING_OUT_OF_RANGE');
    const never = await page.join({ codec: 'H264', body: { source: 'never', at: at(30) } });
    assert.equal(never.status, 404);
  });

  it('goes on behind files that are gone', async () => {
    const viewer = await join({ body: { source: 'gone', at: at(10) } });
    await waitPast(viewer, 20);
    rmSync(path.join(folder.path, 'recordings', 'gone'), { recursive: true, force: true });
    const answer = await viewer.command({ cmd: 'seek', at: at(1000) });
    assert.equal(typeof answer['ok'], 'boolean');
    await eventually(
      async () => (await positions(viewer)).some(({ state }) => state === 'end' || state === 'gap') || answer['ok'] === false,
      6_000,
      'a word about it',
    );
    await viewer.leave();
  });
});
