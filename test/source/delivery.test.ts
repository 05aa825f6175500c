import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { H265Profile } from '../../src/media/index.js';
import { probe } from '../../src/ffmpeg/index.js';
import { describeContent, openFileFeed, type FileDescription } from '../../src/source/index.js';
import { whyNotCopied } from '../../src/source/delivery.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';
import { assetPath } from '../helpers/assets.js';
import { makeVideo, noH265, type VideoName } from '../helpers/make-video.js';

async function describeFile(file: string): Promise<ReturnType<typeof describeContent>> {
  const deps = realDeps();
  const content = await probe(deps.tools, file, statSync(file).size, { ledger: deps.ledger });
  assertNothingHeld(deps);
  return describeContent(content);
}

const COPIED: VideoName[] = [
  'copyable.mp4',
  'copyable.mkv',
  'copyable.mov',
  'copyable.ts',
  'copyable.avi',
  'high.mp4',
  'portrait.mp4',
  'long-video.mp4',
  'keyframes-every-4s.mp4',
];
for (const name of COPIED) {
  test(`${name} is copied`, async () => {
    const found = await describeFile(makeVideo(name));
    assert.deepEqual([found.playable, found.delivery, found.reason], [true, 'passthrough', undefined]);
  });
}

test('the H.264 profile of what is copied is known, of what is transcoded it is not', async () => {
  assert.match((await describeFile(makeVideo('high.mp4'))).h264Profile ?? '', /^6400[0-9a-f]{2}$/);
  assert.match((await describeFile(makeVideo('copyable.mp4'))).h264Profile ?? '', /^4d00[0-9a-f]{2}$/);
  assert.equal((await describeFile(makeVideo('b-frames.mp4'))).h264Profile, undefined);
});

const TRANSCODED: [VideoName, RegExp, { widthPx: number; heightPx: number; fps?: number }][] = [
  ['b-frames.mp4', /B-frames, which browsers cannot play/, { widthPx: 640, heightPx: 360, fps: 30 }],
  ['odd.webm', /codec is vp8/, { widthPx: 852, heightPx: 480, fps: 30 }],
  ['rotated.mp4', /turned by \d+ degrees/, { widthPx: 360, heightPx: 640, fps: 30 }],
  ['ten-bit.mp4', /High 10/, { widthPx: 640, heightPx: 360, fps: 30 }],
  ['vp9.webm', /codec is vp9/, { widthPx: 640, heightPx: 360, fps: 30 }],
  ['variable-rate.mp4', /B-frames/, { widthPx: 640, heightPx: 360 }],
  ['late-keyframe.ts', /does not begin with a keyframe/, { widthPx: 640, heightPx: 360, fps: 30 }],
  ['interlaced.mp4', /interlaced/, { widthPx: 720, heightPx: 576, fps: 12.5 }],
  ['wide-pixels.mp4', /pixels are not square/, { widthPx: 1046, heightPx: 576, fps: 25 }],
  ['rare-keyframes.mp4', /keyframes are up to 6\.0 s apart/, { widthPx: 320, heightPx: 180, fps: 30 }],
];
for (const [name, reason, format] of TRANSCODED) {
  test(`${name} is transcoded, and the reason says why`, async () => {
    const found = await describeFile(makeVideo(name));
    assert.deepEqual([found.playable, found.delivery], [true, 'transcode']);
    assert.match(found.reason ?? '', reason);
    assert.deepEqual({ ...found.plan, ...format }, found.plan);
  });
}

describe('H.265', { skip: noH265 }, () => {
  const PROFILES: [VideoName, H265Profile][] = [
    ['hevc-copyable.mp4', { profileId: 1, tierFlag: 0, levelId: 63 }],
    ['hevc-copyable.mkv', { profileId: 1, tierFlag: 0, levelId: 63 }],
    ['hevc-copyable.ts', { profileId: 1, tierFlag: 0, levelId: 63 }],
    ['hevc-720p.mp4', { profileId: 1, tierFlag: 0, levelId: 93 }],
    ['hevc-ten-bit.mp4', { profileId: 2, tierFlag: 0, levelId: 63 }],
  ];
  for (const [name, profile] of PROFILES) {
    test(`${name} is copied, and its profile is known`, async () => {
      const found = await describeFile(makeVideo(name));
      assert.deepEqual([found.playable, found.delivery, found.reason, found.videoCodec], [true, 'passthrough', undefined, 'hevc']);
      assert.deepEqual([found.h265Profile, found.h264Profile], [profile, undefined]);
    });
  }

  test('what is decoded of a copy is at most 1920 pixels wide; the copy has all of them', async () => {
    const { widthPx, heightPx, plan } = await describeFile(makeVideo('hevc-2160p.mp4'));
    assert.deepEqual([widthPx, heightPx, plan?.copiedSize], [3840, 2160, { widthPx: 3840, heightPx: 2160 }]);
    assert.deepEqual([plan?.widthPx, plan?.heightPx], [1920, 1080]);
  });

  const REFUSED: [VideoName, RegExp][] = [
    ['hevc.mp4', /B-frames, which browsers cannot play/],
    ['hevc-422.mp4', /its H\.265 is Rext in yuv422p; Main and Main 10 in 4:2:0 are copied/],
    ['hevc-rare-keyframes.mp4', /keyframes are up to 6\.0 s apart/],
  ];
  for (const [name, reason] of REFUSED) {
    test(`${name} is transcoded, and the reason says why`, async () => {
      const found = await describeFile(makeVideo(name));
      assert.deepEqual([found.playable, found.delivery, found.h265Profile], [true, 'transcode', undefined]);
      assert.match(found.reason ?? '', reason);
    });
  }
});

const UNPLAYABLE: [VideoName, RegExp][] = [
  ['empty.mp4', /is empty/],
  ['text.mp4', /not a video/],
  ['no-index.mp4', /incomplete.*moov atom not found/],
  ['sound-only.mp4', /has sound but no video/],
];
for (const [name, reason] of UNPLAYABLE) {
  test(`${name} is listed with the reason why it cannot be played`, async () => {
    const found = await describeFile(makeVideo(name));
    assert.equal(found.playable, false);
    assert.match(found.reason ?? '', reason);
    const description: FileDescription = { id: 'x', name, file: makeVideo(name), sizeBytes: 0, ...found };
    assert.throws(() => openFileFeed(description, { encodedVideo() {}, picture() {}, audio() {} }, realDeps()), {
      code: 'SOURCE_NOT_PLAYABLE',
    });
  });
}

test('a file whose end is missing is played as far as it goes', async () => {
  assert.equal((await describeFile(makeVideo('truncated.mp4'))).playable, true);
});

test('the size shown has rotation and pixel aspect applied', async () => {
  const rotated = await describeFile(makeVideo('rotated.mp4'));
  assert.deepEqual([rotated.widthPx, rotated.heightPx, rotated.durationS, rotated.hasAudio], [360, 640, 2, false]);
});

const street = assetPath('videos/person-bicycle-car-detection.mp4');
test(
  'a file that shows pictures from before its first shown keyframe is played from its begin',
  { skip: street ? false : 'no assets beside the project' },
  async () => {
    const found = await describeFile(street as string);
    assert.deepEqual([found.playable, found.delivery, found.plan?.beginS], [true, 'transcode', undefined]);
  },
);

test('a file that ffprobe crashes on is not called broken, but says what happened', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const ffprobePath = path.join(folder, 'ffprobe');
  writeFileSync(ffprobePath, '#!/bin/sh\nkill -SEGV $$\n', { mode: 0o755 });
  const { problem } = await probe({ ...realDeps().tools, ffprobePath }, makeVideo('copyable.mp4'), 1000);
  assert.equal(problem, 'ffprobe itself crashed on it (SIGSEGV); it may be damaged, or a newer ffmpeg may understand it');
});

test('an odd-sized stream is not copied, because what is made of it beside the copy has even sides', async () => {
  const deps = realDeps();
  const file = makeVideo('silent.mp4');
  const { video } = await probe(deps.tools, file, statSync(file).size, { ledger: deps.ledger });
  assert.ok(video);
  assert.equal(whyNotCopied(video), undefined);
  assert.match(whyNotCopied({ ...video, widthPx: 853, heightPx: 481 }) ?? '', /size is odd \(853x481\)/);
});
