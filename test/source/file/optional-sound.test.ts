import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile, play } from '../../helpers/file-feed.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-optional-sound-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=2'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0'];
const clip = (name: string, ...args: readonly string[]): string => makeFile(path.join(folder, name), ...PICTURES, ...args);

const SILENT: [string, readonly string[], RegExp][] = [
  ['damaged.mkv', [...TONE, ...H264, '-c:a', 'aac', '-bsf:a', 'noise=amount=1'], /^its sound \(aac, 1 channel\) cannot be played: /],
  ['without-packets.ts', [...TONE, ...H264, '-c:a', 'aac', '-bsf:a', 'noise=drop=1'], /^its sound \(aac\) holds nothing$/],
];
for (const [name, args, reason] of SILENT) {
  test(`${name} is played without its sound, and says why`, async () => {
    const deps = realDeps();
    const description = await describeFile(deps, clip(name, ...args));
    assert.deepEqual([description.playable, description.hasAudio, description.audioCodec], [true, false, null]);
    assert.match(description.audioReason ?? '', reason);
    const { feed, got } = play(description, deps);
    await eventually(() => got.video.length > 3, 10_000, 'pictures');
    await feed.close();
    assertNothingHeld(deps);
  });
}

test('sound of twelve channels is mixed to two', async () => {
  const deps = realDeps();
  const channels = Array.from({ length: 12 }, () => '0.1*sin(2764*t)').join('|');
  const description = await describeFile(
    deps,
    clip('twelve.mov', '-f', 'lavfi', '-i', `aevalsrc=exprs=${channels}:s=48000:d=2`, ...H264, '-c:a', 'pcm_s16le'),
  );
  assert.deepEqual([description.hasAudio, description.audioCodec, description.audioReason], [true, 'pcm_s16le', undefined]);
  const { feed, got } = play(description, deps);
  await eventually(() => got.video.length > 3 && got.audio.length > 10, 10_000, 'pictures and sound');
  assert.equal(feed.restarts, 0);
  await feed.close();
  assertNothingHeld(deps);
});

test('of two sounds, the one that can be played is', async () => {
  const deps = realDeps();
  const { plan, audioReason } = await describeFile(
    deps,
    clip(
      'second-is-good.mkv',
      ...TONE,
      ...TONE,
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '2',
      ...H264,
      '-c:a',
      'aac',
      '-bsf:a:0',
      'noise=amount=1',
    ),
  );
  assert.deepEqual([plan?.audioIndex, audioReason], [2, undefined]);
});

test('a process that fails of its sound is followed by one without it', async () => {
  const deps = realDeps();
  const description = await describeFile(deps, clip('good.mp4', ...TONE, ...H264, '-c:a', 'aac'));
  assert.equal(description.hasAudio, true);
  const ffmpegPath = path.join(folder, 'ffmpeg');
  writeFileSync(
    ffmpegPath,
    `#!/bin/sh\ncase "$*" in *libopus*) echo 'Error reinitializing filters!' >&2; exit 1;; esac\nexec '${deps.tools.ffmpegPath}' "$@"\n`,
  );
  chmodSync(ffmpegPath, 0o755);
  const { feed, got } = play(description, { ...deps, tools: { ...deps.tools, ffmpegPath } }, { backoff: { firstMs: 1, maxMs: 1 } });
  await eventually(() => got.video.length > 3, 10_000, 'pictures');
  assert.deepEqual([got.audio.length, feed.restarts], [0, 1]);
  await feed.close();
  assertNothingHeld(deps);
});
