import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Timeline } from '../../../src/media/index.js';
import { openFileFeed, type FileDescription } from '../../../src/source/index.js';
import '../../helpers/alone.js';
import { eventually, within } from '../../helpers/deadline.js';
import { describeFile, play, steps } from '../../helpers/file-feed.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import { copyVideo, makeVideo, type VideoName } from '../../helpers/make-video.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-feed-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Never back, no gap above `maxGapMs`. */
function assertContinuous(times: readonly number[], maxGapMs: number, what: string): void {
  const all = steps(times);
  assert.ok(
    all.every((step) => step > 0),
    `${what} never steps back: ${Math.min(...all)} ms`,
  );
  assert.ok(Math.max(...all) <= maxGapMs, `${what} has no gap above ${maxGapMs} ms: ${Math.max(...all)} ms`);
}

const ffmpegChildren = (): number[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid=,comm='])
    .toString()
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter(([, parent, name]) => Number(parent) === process.pid && name === 'ffmpeg')
    .map(([pid]) => Number(pid));

/** Runs with a folder for temporary files that nobody else writes to; leaves nothing in it. */
async function leavesNoFile(run: () => Promise<void>): Promise<void> {
  const shared = process.env['TMPDIR'];
  const own = mkdtempSync(path.join(os.tmpdir(), 'sightline-feed-'));
  process.env['TMPDIR'] = own;
  try {
    await run();
    assert.deepEqual(readdirSync(own), []);
  } finally {
    if (shared === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = shared;
    rmSync(own, { recursive: true });
  }
}

const LOOPED: { name: VideoName; delivery: string; maxGapMs: number; audio: boolean }[] = [
  { name: 'copyable.mp4', delivery: 'passthrough', maxGapMs: 40, audio: true },
  { name: 'long-video.mp4', delivery: 'passthrough', maxGapMs: 40, audio: true },
  { name: 'copyable.mkv', delivery: 'passthrough', maxGapMs: 70, audio: true },
  { name: 'copyable.mov', delivery: 'passthrough', maxGapMs: 70, audio: true },
  { name: 'copyable.ts', delivery: 'passthrough', maxGapMs: 70, audio: true },
  { name: 'copyable.avi', delivery: 'passthrough', maxGapMs: 100, audio: true },
  { name: 'b-frames.mp4', delivery: 'transcode', maxGapMs: 34, audio: true },
  { name: 'b-frames.mkv', delivery: 'transcode', maxGapMs: 34, audio: true },
  { name: 'vp9.webm', delivery: 'transcode', maxGapMs: 34, audio: true },
  { name: 'odd.webm', delivery: 'transcode', maxGapMs: 34, audio: true },
  { name: 'late-keyframe.ts', delivery: 'transcode', maxGapMs: 34, audio: false },
];

test('pictures and sound never step back and leave no gap over three passes', { concurrency: 4 }, async (t) => {
  const loop = ({ name, delivery, maxGapMs, audio }: (typeof LOOPED)[number]): Promise<void> =>
    t.test(name, async () => {
      const deps = realDeps();
      const description = await describeFile(deps, makeVideo(name));
      const { feed, got } = play(description, deps);
      assert.deepEqual([feed.info.delivery, feed.info.hasAudio], [delivery, audio]);
      const threePassesMs = 2.4 * 1000 * (description.plan?.passS as number);
      await eventually(() => (got.video.at(-1) ?? 0) > threePassesMs, threePassesMs + 6000, 'three passes');
      assertContinuous(got.video, maxGapMs, 'video');
      if (audio) assertContinuous(got.audio, 100, 'sound');
      if (audio) assert.ok(Math.abs((got.audio.at(-1) as number) - (got.video.at(-1) as number)) < 400, 'sound keeps up with the pictures');
      assert.ok(Math.abs(got.video[0] as number) < 60, `begins at ${got.video[0]}`);
      // Three passes of the test picture: never grey, never black.
      assert.ok(
        got.luma.every((luma) => luma > 60 && luma < 200),
        `brightness ${Math.min(...got.luma)} to ${Math.max(...got.luma)}`,
      );
      assert.equal(feed.restarts, 0);
      assert.equal((await feed.close()).reason, 'viewer-left');
      assertNothingHeld(deps);
    });
  await Promise.all(LOOPED.map(loop));
});

test('a copied file gives its own frames, a keyframe first', async () => {
  const deps = realDeps();
  const { feed, got } = play(await describeFile(deps, makeVideo('copyable.mp4')), deps);
  await eventually(() => got.frames.length > 35, 4000, 'frames');
  assert.deepEqual(
    got.frames.slice(0, 35).flatMap((frame, i) => (frame.keyframe ? [i] : [])),
    [0, 30],
  );
  await feed.close();
  assertNothingHeld(deps);
});

const SHAPED: [VideoName, number, number][] = [
  ['odd.webm', 852, 480],
  ['rotated.mp4', 360, 640],
  ['ten-bit.mp4', 640, 360],
  ['interlaced.mp4', 720, 576],
  ['wide-pixels.mp4', 1046, 576],
];
test('transcoded files come upright, in even size, 4:2:0, at the rate of the file', { concurrency: 3 }, async (t) => {
  const shape = ([name, widthPx, heightPx]: (typeof SHAPED)[number]): Promise<void> =>
    t.test(name, async () => {
      const deps = realDeps();
      const { feed, got } = play(await describeFile(deps, makeVideo(name)), deps);
      await eventually(() => got.video.length >= 12, 5000, 'pictures');
      assert.deepEqual([feed.info.widthPx, feed.info.heightPx, got.sizeBytes], [widthPx, heightPx, (widthPx * heightPx * 3) / 2]);
      const period = 1000 / feed.info.fps;
      assert.ok(
        steps(got.video).every((step) => Math.abs(step - period) < 1),
        'steps are even, as far as the container rounds them',
      );
      await feed.close();
      assertNothingHeld(deps);
    });
  await Promise.all(SHAPED.map(shape));
});

for (const [which, tools] of [
  ['the ffmpeg that was found', realDeps().tools],
  ['the bundled ffmpeg', await bundledTools()],
] as const) {
  test(
    `${which} plays a file that a phone turned as players show it`,
    { skip: tools === undefined && 'no bundled ffmpeg for this platform' },
    async () => {
      const deps = { ...realDeps(), ...(tools && { tools }) };
      const file = makeVideo('rotated.mp4');
      const shown = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-']);
      let difference: number | undefined;
      const feed = openFileFeed(
        await describeFile(deps, file),
        {
          encodedVideo: () => undefined,
          audio: () => undefined,
          picture: ({ data }) =>
            (difference ??= shown.reduce((sum, luma, i) => sum + Math.abs(luma - (data[i] as number)), 0) / shown.length),
        },
        deps,
      );
      await eventually(() => difference !== undefined, 5000, 'a picture');
      assert.ok((difference as number) < 3, `differs by ${difference} on average`);
      await feed.close();
      assertNothingHeld(deps);
    },
  );
}

test('ffmpeg that is killed is started again, and media time goes on with the wall clock', async (t) => {
  const deps = realDeps();
  const { feed, got } = play(await describeFile(deps, makeVideo('copyable.mp4')), deps, { backoff: { firstMs: 100 } });
  t.after(() => feed.close());
  await eventually(() => got.video.length > 20, 5000, 'frames');
  const before = got.video.length;
  for (const pid of ffmpegChildren()) process.kill(pid, 'SIGKILL');
  await eventually(() => got.video.length > before + 20, 5000, 'frames after the kill');
  assert.equal(feed.restarts, 1);
  assert.match(feed.lastError ?? '', /SIGKILL/);
  assert.equal(feed.trouble, undefined);
  assertContinuous(got.video, 1500, 'video');
  assertContinuous(got.audio, 1500, 'sound');
  const nowMs = feed.timeline.mediaTimeAt(Date.now()) as number;
  assert.ok(Math.abs(nowMs - (got.video.at(-1) as number)) < 300, 'the timeline still holds');
  // Any number of frames of the killed one may have been on their way: the next one's follow the only step that is not even.
  const jumps = steps(got.video);
  assert.equal(got.frames[jumps.indexOf(Math.max(...jumps)) + 1]?.keyframe, true, 'a keyframe comes first');
  await feed.close();
  assertNothingHeld(deps);
});

test('a feed that is closed leaves no process, no socket and no file', async () => {
  const deps = realDeps();
  const file = await describeFile(deps, makeVideo('copyable.mp4'));
  await leavesNoFile(async () => {
    const { feed, got } = play(file, deps);
    await eventually(() => got.audio.length > 0, 5000, 'sound');
    await Promise.all([feed.close('server-closing'), feed.close()]);
    assert.equal((await feed.closed).reason, 'server-closing');
  });
  assert.deepEqual(ffmpegChildren(), []);
  assertNothingHeld(deps);
});

test('a feed that is aborted at once never delivers', async () => {
  const deps = realDeps();
  const aborted = new AbortController();
  const { feed, got } = play(await describeFile(deps, makeVideo('copyable.mp4')), deps, { signal: aborted.signal });
  aborted.abort();
  await within(feed.closed, 3000, 'the end');
  assert.equal(got.video.length, 0);
  assertNothingHeld(deps);
});

test('a file that never gives a frame ends after three tries, with what ffmpeg said', async () => {
  const deps = realDeps();
  const good = await describeFile(deps, makeVideo('copyable.mp4'));
  const { feed } = play({ ...good, file: makeVideo('text.mp4') }, deps, { backoff: { firstMs: 20 } });
  const end = await within(feed.closed, 8000, 'the end');
  assert.equal(end.reason, 'source-failed');
  assert.ok(end.error);
  assert.equal(end.error.code, 'SOURCE_NOT_PLAYABLE');
  assert.match(end.error.message, /text\.mp4|Invalid data|moov atom/);
  assert.equal(feed.restarts, 2);
  assertNothingHeld(deps);
});

test('a file that is gone when ffmpeg needs it again ends the source', async () => {
  const deps = realDeps();
  const file = copyVideo('copyable.mp4', folder, 'vanishes.mp4');
  const { feed, got } = play(await describeFile(deps, file), deps, { backoff: { firstMs: 20 } });
  await eventually(() => got.video.length > 10, 5000, 'frames');
  unlinkSync(file);
  assert.equal((await within(feed.closed, 8000, 'the end')).reason, 'source-ended');
  assertNothingHeld(deps);
});

test('B-frames that the probe did not see make the feed ask for a transcode before anything is delivered', async () => {
  const deps = realDeps();
  const file = makeVideo('b-frames.mp4');
  const honest = await describeFile(deps, file);
  const asked: string[] = [];
  let tell: (change: 'replaced') => void = () => undefined;
  const watch = {
    onChange: (listener: (change: 'replaced') => void) => {
      tell = listener;
      return () => undefined;
    },
    mustTranscode: (reason: string) => {
      asked.push(reason);
      tell('replaced');
    },
  };
  assert.ok(honest.plan);
  const lie: FileDescription = { ...honest, delivery: 'passthrough', plan: { ...honest.plan, delivery: 'passthrough' }, watch };
  const { feed, got } = play(lie, deps);
  assert.equal((await within(feed.closed, 5000, 'the end')).reason, 'replaced');
  assert.match(asked.join(), /B-frames/);
  assert.ok(got.video.length <= 1);
  assertNothingHeld(deps);
});

test('a feed on the timeline of another one begins where the wall clock is', async () => {
  const deps = realDeps();
  const timeline = new Timeline();
  timeline.anchor(0, Date.now() - 60_000);
  const { feed, got } = play(await describeFile(deps, makeVideo('silent.mp4')), deps, { timeline });
  await eventually(() => got.video.length > 3, 5000, 'frames');
  assert.ok((got.video[0] as number) >= 60_000 && (got.video[0] as number) < 64_000, `begins at ${got.video[0]}`);
  await feed.close();
  assertNothingHeld(deps);
});
