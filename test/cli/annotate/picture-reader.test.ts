import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openInput } from '../../../src/cli/annotate/input-video.js';
import { PictureReader } from '../../../src/cli/annotate/picture-reader.js';
import { delay } from '../../../src/base/clock.js';
import { within } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { makeVideo, type VideoName } from '../../helpers/make-video.js';

const whole = { fromS: 0, durationS: undefined };

describe('the picture reader', () => {
  const deps = realDeps();
  after(() => assertNothingHeld(deps));
  const open = async (name: VideoName): Promise<PictureReader> => new PictureReader(await openInput(makeVideo(name), deps), whole, deps);

  // Small pictures end up whole in the pipe, behind an ffmpeg that has exited long ago.
  for (const name of ['copyable-720p.mp4', 'small.mp4'] as const) {
    it(`loses nothing of ${name} when pictures are taken slowly, and decodes only a few ahead`, async () => {
      const reader = await open(name);
      const times: number[] = [];
      let most = 0;
      for await (const picture of reader) {
        times.push(picture.mediaTimeMs);
        picture.release();
        if (times.length % 10 === 1) await delay(deps.clock, times.length === 1 ? 1500 : 20);
        most = Math.max(most, reader.waiting);
      }
      assert.deepEqual(
        times.map((ms) => Math.round((ms * 30) / 1000)),
        Array.from({ length: 60 }, (_unused, i) => i),
      );
      if (name === 'copyable-720p.mp4') assert.ok(most <= 4, `${most} pictures waited`);
    });
  }

  it('ends when it is closed in the middle', async () => {
    const reader = await open('copyable-720p.mp4');
    for await (const picture of reader) {
      picture.release();
      await within(reader.close(), 5000, 'the reader to close');
    }
  });
});
