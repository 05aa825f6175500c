import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile, play, steps } from '../../helpers/file-feed.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-short-sound-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SOUND_FOR_A_SECOND = [
  '-f',
  'lavfi',
  '-i',
  'testsrc2=size=160x90:rate=25:duration=4',
  '-f',
  'lavfi',
  '-i',
  'sine=440:sample_rate=48000:duration=1',
];
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac'];

for (const [delivery, options] of [
  ['passthrough', ['-bf', '0']],
  ['transcode', ['-bf', '2', '-x264-params', 'b-adapt=0']],
] as const) {
  test(`pictures do not wait where a file has no more sound (${delivery})`, async () => {
    const deps = realDeps();
    const description = await describeFile(
      deps,
      makeFile(path.join(folder, `${delivery}.mp4`), ...SOUND_FOR_A_SECOND, ...ENCODED, ...options),
    );
    assert.deepEqual([description.delivery, description.durationS, description.plan?.audioIndex], [delivery, 4, 1]);
    const { feed, got } = play(description, deps);
    await eventually(() => got.video.length >= 125, 30_000, 'pictures of two passes');
    await feed.close();
    const late = got.arrivedMs.map((arrivedMs, i) => arrivedMs - (got.arrivedMs[0] ?? 0) - ((got.video[i] ?? 0) - (got.video[0] ?? 0)));
    assert.ok(Math.max(...late) < 1_500, `a picture came ${Math.max(...late).toFixed(0)} ms late`);
    assert.ok(Math.max(...steps(got.video)) < 60, 'no picture is missing');
    assert.ok(Math.max(...steps(got.audio)) < 25, 'what a pass lacks is silence');
    assertNothingHeld(deps);
  });
}
