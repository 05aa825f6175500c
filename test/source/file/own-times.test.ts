import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Pacer } from '../../../src/source/file/pacer.js';
import { eventually } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile, play, steps } from '../../helpers/file-feed.js';
import { makeNumberedClip } from '../../helpers/numbered-clip.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-own-times-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const clip = (name: string, ...args: readonly string[]): string => makeFile(path.join(folder, name), ...args);
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

const even = path.join(folder, 'even.mp4');
await makeNumberedClip(even, { widthPx: 160, heightPx: 96, seconds: 3 });
/** A screen that moves for a third of a second at 30 a second, stands for a second, moves, and stands to the end. */
const screen = (name: string, ...args: readonly string[]): string =>
  clip(name, '-i', even, '-vf', "select='lt(n,10)+between(n,40,49)+eq(n,80)'", '-vsync', 'vfr', ...ENCODED, ...args);

for (const [which, tools] of [
  ['the ffmpeg that was found', realDeps().tools],
  ['the bundled ffmpeg', await bundledTools()],
] as const) {
  test(
    `pictures keep their own times when they are encoded again, by ${which}`,
    { skip: tools === undefined && 'no bundled ffmpeg for this platform' },
    async () => {
      const deps = { ...realDeps(), ...(tools && { tools }) };
      const description = await describeFile(deps, screen('screen.mp4', '-bf', '2', '-x264-params', 'b-adapt=0'));
      assert.equal(description.delivery, 'transcode');
      assert.ok(Math.abs((description.fps ?? 0) - 21 / (description.durationS ?? 0)) < 0.01, `${description.fps} a second`);
      const { feed, got } = play(description, deps);
      await eventually(() => got.video.length >= 30, 20_000, 'pictures of two passes');
      const expected = [...Array.from({ length: 10 }, (_unused, i) => i), ...Array.from({ length: 10 }, (_unused, i) => 40 + i), 80];
      assert.deepEqual(got.numbers.slice(0, 21), expected);
      got.video
        .slice(0, 21)
        .forEach((timeMs, i) =>
          assert.ok(
            Math.abs(timeMs - (got.video[0] ?? 0) - ((expected[i] ?? 0) * 1000) / 30) < 2,
            `picture ${expected[i]} at ${timeMs} ms`,
          ),
        );
      assert.ok(
        Math.abs((got.video[21] ?? 0) - (got.video[0] ?? 0) - 1000 * (description.durationS ?? 0)) < 2,
        'the next pass follows at its end',
      );
      await feed.close();
      assertNothingHeld(deps);
    },
  );
}

test('a time-lapse is delivered at its own pace, and copied where each picture is a keyframe', async () => {
  const deps = realDeps();
  const file = clip('lapse.mp4', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=1/5:duration=40', ...ENCODED, '-g', '1');
  const slow = await describeFile(deps, file);
  assert.deepEqual([slow.delivery, slow.fps, slow.durationS, slow.plan?.longestFrameS], ['passthrough', 0.2, 40, 5]);
  const quick = await describeFile(
    deps,
    clip('quick-lapse.mp4', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=1:duration=3', ...ENCODED, '-g', '1'),
  );
  const { feed, got } = play(quick, deps);
  await eventually(() => got.video.length >= 5, 20_000, 'five pictures');
  assert.deepEqual(steps(got.video).slice(0, 4).map(Math.round), [1000, 1000, 1000, 1000]);
  const early = got.video.map((timeMs, i) => timeMs - (got.video[0] ?? 0) - ((got.arrivedMs[i] ?? 0) - (got.arrivedMs[0] ?? 0)));
  assert.ok(Math.max(...early) < 100, `none comes early: ${Math.max(...early)} ms`);
  await feed.close();
  assertNothingHeld(deps);
});

test('of more than sixty pictures a second, sixty are delivered, evenly', async () => {
  const deps = realDeps();
  const description = await describeFile(
    deps,
    clip('fast.mp4', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=120:duration=1', ...ENCODED, '-bf', '0'),
  );
  assert.deepEqual([description.fps, description.delivery], [60, 'transcode']);
  assert.match(description.reason ?? '', /up to 120 frames per second; at most 60/);
  const { feed, got } = play(description, deps);
  await eventually(() => got.video.length >= 90, 15_000, 'pictures');
  assert.ok(
    steps(got.video)
      .slice(0, 89)
      .every((step) => Math.abs(step - 1000 / 60) < 1),
    'even steps',
  );
  await feed.close();
  assertNothingHeld(deps);
});

test('what comes ahead of its time waits for it, in order, and is dropped when it is cleared', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock);
  const told: string[] = [];
  const add = (dueMs: number, name: string): void =>
    pacer.add(
      clock.now() + dueMs,
      () => told.push(name),
      () => told.push(`no ${name}`),
    );
  add(0, 'a');
  add(5000, 'b');
  add(5010, 'c');
  add(9000, 'd');
  assert.deepEqual(told, ['a']);
  await clock.advance(4900);
  assert.deepEqual(told, ['a']);
  await clock.advance(100);
  assert.deepEqual(told, ['a', 'b', 'c']);
  pacer.clear();
  assert.deepEqual(told, ['a', 'b', 'c', 'no d']);
});
