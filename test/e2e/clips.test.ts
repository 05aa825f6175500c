/** Clips of recordings in a real browser, from the address: it plays them while they are still being made. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Clips, PlaybackEncodes } from '../../src/recording/index.js';
import { testApp } from '../helpers/app.js';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';
import { makeVideo } from '../helpers/make-video.js';
import { contentOf, MemoryArchive, segmentOf } from '../recording/archive-rig.js';

const T = 1_796_061_600_000;
const FROM = T / 1000;

/** What a page says of a clip that it has played to its end. */
interface Played {
  readonly duration: number;
  readonly end: number;
  readonly frames: number;
  readonly soundBytes: number;
  readonly width: number;
}

/** Runs in the page. */
const PLAY = `async (url) => {
  const video = document.createElement('video');
  video.src = url;
  video.playbackRate = 4;
  document.body.append(video);
  const known = new Promise((resolve) => video.addEventListener('loadedmetadata', () => resolve(video.duration), { once: true }));
  await new Promise((resolve, reject) => {
    video.addEventListener('ended', resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
    video.play().catch(reject);
  });
  return {
    duration: await known,
    end: video.currentTime,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    soundBytes: video.webkitAudioDecodedByteCount,
    width: video.videoWidth,
  };
}`;

describe('clips in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  const ffmpeg = realDeps();
  const content = contentOf(makeVideo('copyable.mp4'), 'h264', true);
  // Six segments of two seconds, with a gap behind the third.
  const archive = new MemoryArchive([0, 1, 2, 10, 11, 12].map((at, i) => segmentOf(content, i + 1, T + 2000 * at)));
  const clips = new Clips({ archive, ffmpeg, encodes: new PlaybackEncodes(1), openDraw: () => Promise.resolve(() => undefined) });
  let app: Awaited<ReturnType<typeof testApp>>;
  let address: string;
  let browser: ChromiumHarness;

  before(async () => {
    app = await testApp({ looking: { clips: { openClip: (request, signal) => clips.open(request, signal) } } });
    address = await app.listen({ port: 0, host: '127.0.0.1' });
    browser = await ChromiumHarness.launch();
  });
  after(async () => {
    await browser.close();
    await clips.close();
    await app.close();
    assertNothingHeld(ffmpeg);
  });

  for (const [name, query, seconds] of [
    ['copied', `from=${FROM}&to=${FROM + 26}`, 12],
    ['exact', `from=${FROM + 0.5}&to=${FROM + 3}&exact=1`, 2.5],
    ['annotated', `from=${FROM + 1}&to=${FROM + 3}&annotated=1`, 2],
  ] as const) {
    it(`plays one that is ${name} to its end, with sound, and knows how long it is`, async () => {
      const { page } = await browser.viewerPage(address);
      const played = await page.evaluate<Played>(`(${PLAY})(${JSON.stringify(`${address}/recordings/gate/clip.mp4?${query}`)})`);
      await page.context().close();
      assert.ok(Math.abs(played.duration - seconds) < 0.25, `${played.duration} s, expected ${seconds}`);
      assert.ok(Math.abs(played.end - seconds) < 0.25, `it ended at ${played.end} s`);
      assert.ok(played.frames >= seconds * 25, `${played.frames} frames`);
      assert.ok(played.soundBytes > 1000, `${played.soundBytes} bytes of sound`);
      assert.equal(played.width, 640);
    });
  }
});
