import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { rankAudios, rankVideos, type Candidate } from '../../../src/ffmpeg/choose-streams.js';
import type { ListedStream } from '../../../src/ffmpeg/listing.js';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile, play, steps } from '../../helpers/file-feed.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-main-stream-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const clip = (name: string, ...args: readonly string[]): string => makeFile(path.join(folder, name), ...args);

const film = (seconds: number, size = '160x90'): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=10:duration=${seconds}`];
const tone = (seconds: number, hz = 440): string[] => ['-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000:duration=${seconds}`];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0'];

const video = (index: number, more: Partial<ListedStream> = {}, count = 100): Candidate => ({
  stream: { index, codec_type: 'video', codec_name: 'h264', width: 640, height: 360, ...more },
  count,
});
const audio = (index: number, more: Partial<ListedStream> = {}, count = 100): Candidate => ({
  stream: { index, codec_type: 'audio', codec_name: 'aac', channels: 2, ...more },
  count,
});
const order = (candidates: readonly Candidate[]): number[] => candidates.map(({ stream }) => stream.index);

const RANKED: [string, Candidate[], number[]][] = [
  ['the largest, where none is the default', [video(0), video(1, { width: 1280, height: 720 })], [1, 0]],
  ['the default before the largest', [video(0, { width: 1280, height: 720 }), video(1, { disposition: { default: 1 } })], [1, 0]],
  ['a film before a single picture, though that is the default', [video(0, { disposition: { default: 1 } }, 1), video(1)], [1, 0]],
  ['what is no preview, though that is the default', [video(0, { disposition: { default: 1, timed_thumbnails: 1 } }), video(1)], [1, 0]],
  ['a picture where there is nothing else', [video(0, {}, 1)], [0]],
  [
    'no cover, no unknown codec, nothing without size or pictures',
    [video(0, { disposition: { attached_pic: 1 } }), video(1, { codec_name: 'none' }), video(2, { width: 0 }), video(3, {}, 0), video(4)],
    [4],
  ],
  ['the first of equals', [video(0), video(1)], [0, 1]],
];
for (const [which, candidates, expected] of RANKED) {
  test(`of several videos, ${which} is played`, () => assert.deepEqual(order(rankVideos(candidates)), expected));
}

test('of several sounds, the one of the same programme is played, then the default, then what is for everybody, then stereo', () => {
  const sounds = [
    audio(1),
    audio(2, { channels: 1 }),
    audio(3, { disposition: { comment: 1 } }),
    audio(4, { disposition: { default: 1 } }),
    audio(5, { disposition: { default: 1 } }),
  ];
  const programs = [
    { streams: [{ index: 0 }, { index: 1 }, { index: 2 }, { index: 3 }, { index: 4 }] },
    { streams: [{ index: 5 }, { index: 9 }] },
  ];
  assert.deepEqual(order(rankAudios(sounds, video(0).stream, { streams: [], programs })), [4, 1, 2, 3]);
  assert.deepEqual(order(rankAudios(sounds, video(0).stream, { streams: [] })), [4, 5, 1, 2, 3]);
});

test('a preview that comes first, a stream without pictures, and sound that is not the default are passed over', async () => {
  const deps = realDeps();
  const preview = clip(
    'preview.mkv',
    ...film(0.1, '64x36'),
    ...film(2),
    '-map',
    '0:v',
    '-map',
    '1:v',
    '-c:v:0',
    'mjpeg',
    '-c:v:1',
    'libx264',
    '-bf:v:1',
    '0',
    '-pix_fmt:v:1',
    'yuv420p',
    '-disposition:v:0',
    '0',
    '-disposition:v:1',
    'default',
  );
  const unmarked = clip('unmarked.mkv', '-i', preview, '-map', '0', '-c', 'copy', '-disposition:v:0', 'default', '-disposition:v:1', '0');
  const empty = clip('empty-first.ts', ...film(2), ...film(2), '-map', '0:v', '-map', '1:v', ...H264, '-bsf:v:0', 'noise=drop=1');
  const second = clip(
    'second.mkv',
    ...film(2),
    ...tone(2),
    ...tone(2, 880),
    '-map',
    '0:v',
    '-map',
    '1:a',
    '-map',
    '2:a',
    ...H264,
    '-c:a',
    'aac',
    '-disposition:a:0',
    '0',
    '-disposition:a:1',
    'default',
  );
  const found = await Promise.all([preview, unmarked, empty, second].map((file) => describeFile(deps, file)));
  assert.deepEqual(
    found.map(({ playable, widthPx, plan }) => [playable, widthPx, plan?.videoIndex, plan?.audioIndex]),
    [
      [true, 160, 1, undefined],
      [true, 160, 1, undefined],
      [true, 160, 1, undefined],
      [true, 160, 0, 2],
    ],
  );
  assertNothingHeld(deps);
});

test('of a broadcast of several programmes, sound of the same programme as the video is played', async () => {
  const deps = realDeps();
  const file = clip(
    'programmes.ts',
    ...film(2),
    ...tone(2),
    ...film(2, '320x180'),
    ...tone(2, 880),
    '-map',
    '0',
    '-map',
    '1',
    '-map',
    '2',
    '-map',
    '3',
    ...H264,
    '-c:a',
    'aac',
    '-program',
    'program_num=1:st=0:st=1',
    '-program',
    'program_num=2:st=2:st=3',
  );
  const { plan } = await describeFile(deps, file);
  assert.deepEqual([plan?.widthPx, plan?.videoIndex, plan?.audioIndex], [320, 2, 3]);
});

const SUBTITLE = 'data:text/plain,1%0A00:00:00,000 --> 00:00:09,000%0Ahello%0A';
test('a pass ends with what is played, whatever else is longer', { concurrency: 3 }, async (t) => {
  const files = [
    clip(
      'long-subtitle.mkv',
      ...film(1.5),
      ...tone(1.5),
      '-f',
      'srt',
      '-i',
      SUBTITLE,
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '2',
      ...H264,
      '-c:a',
      'aac',
      '-c:s',
      'srt',
    ),
    clip(
      'long-second-sound.mp4',
      ...film(1.5),
      ...tone(1.5),
      ...tone(9),
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '2',
      ...H264,
      '-c:a',
      'aac',
      '-disposition:a:1',
      '0',
    ),
    clip(
      'long-second-video.mkv',
      ...film(1.5),
      ...film(9, '64x36'),
      '-map',
      '0',
      '-map',
      '1',
      ...H264,
      '-disposition:v:0',
      'default',
      '-disposition:v:1',
      '0',
    ),
  ];
  await Promise.all(
    files.map((file) =>
      t.test(path.basename(file), async () => {
        const deps = realDeps();
        const description = await describeFile(deps, file);
        assert.equal(description.durationS, 1.5);
        const { feed, got } = play(description, deps);
        await eventually(() => (got.video.at(-1) ?? 0) > 3200, 15_000, 'two passes');
        assert.ok(Math.max(...steps(got.video)) < 130, `no gap at the end of a pass: ${Math.max(...steps(got.video))} ms`);
        await feed.close();
        assertNothingHeld(deps);
      }),
    ),
  );
});

test('sound that is played and ends after the pictures, or begins before them, is played whole', async () => {
  const deps = realDeps();
  const longer = await describeFile(deps, clip('longer-sound.mp4', ...film(1), ...tone(2.5), ...H264, '-c:a', 'aac'));
  const earlier = await describeFile(deps, clip('earlier-sound.mkv', '-itsoffset', '1', ...film(1), ...tone(2), ...H264, '-c:a', 'aac'));
  assert.deepEqual(
    [longer, earlier].map(({ durationS }) => Math.round((durationS ?? 0) * 10)),
    [25, 20],
  );
});
