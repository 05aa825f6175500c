import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { combine, pair, type Pairing } from '../../scripts/bench/frame-exact-pairing.js';
import type { Rendition } from '../../src/media/index.js';
import '../helpers/alone.js';
import { ChromiumHarness, noChromium, type BrowserViewer, type JoinOptions, type ViewerPage } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { FRAME_NUMBER_MODEL } from '../helpers/frame-number-model.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];
/** Of the clips; the first numbers come again after it. */
const CLIP_S = 3;

describe('detections in Chromium', { skip: noChromium, timeout: 90_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let page: ViewerPage;

  before(async () => {
    folder = await temporaryFolder();
    const clip = { seconds: CLIP_S, keyframeS: 1 };
    await makeNumberedClip(path.join(folder.videos, 'copied.mp4'), clip);
    await makeNumberedClip(path.join(folder.videos, 'transcoded.mp4'), { ...clip, bFrames: 2 });
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: FRAME_NUMBER_MODEL, DETECT_FPS: '30', IDLE_GRACE: '0' });
    browser = await ChromiumHarness.shared();
    page = await browser.viewerPage(server.url);
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  async function join(source: string, more: JoinOptions = {}): Promise<BrowserViewer> {
    const viewer = await page.join({
      video: 2,
      codec: 'H264',
      detections: true,
      numbers: true,
      keepFirstPicture: false,
      body: { source, tracks: RENDITIONS },
      ...more,
    });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    return viewer;
  }

  for (const source of ['copied', 'transcoded']) {
    it(`belong to the very picture they come with, across the loop of a ${source} file`, async () => {
      const viewer = await join(source);
      await Promise.all([0, 1].map((index) => viewer.frames((CLIP_S + 1) * 30, index, 20_000)));
      assertExact(await pairings(viewer), 60);
      await viewer.leave();
    });
  }

  it('belong to the very picture for a viewer that joins in the middle of a group of pictures', async () => {
    const host = await join('copied');
    const newcomers: Readonly<Record<Rendition, Pairing>>[] = [];
    for (let i = 0; i < 3; i++) {
      await host.record(11 + i * 7, 0);
      const newcomer = await join('copied');
      await Promise.all([0, 1].map((index) => newcomer.frames(15, index)));
      newcomers.push(await pairings(newcomer));
      await newcomer.leave();
    }
    assertExact({ raw: combine(newcomers.map(({ raw }) => raw)), processed: combine(newcomers.map(({ processed }) => processed)) }, 15);
    await host.leave();
  });

  it('never pair with another picture after a lost one was asked for again', async () => {
    const viewer = await join('copied', { keyframeRequests: true });
    for (let shown = 20; shown <= 80; shown += 30) {
      await viewer.frames(shown, 0);
      await viewer.requestKeyframe(0);
    }
    await viewer.frames(110, 0);
    const { raw, processed } = await pairings(viewer);
    // A copied file is replayed: pictures that are shown again have no message of their own.
    assertExact({ processed }, 40);
    assert.equal(raw.maxErrorFrames, 0, raw.faults.join('\n'));
    assert.ok(raw.paired >= 40, `${raw.paired} pictures of raw pair`);
    await viewer.leave();
  });
});

/** What was shown so far, once the message of what was shown last has had its time. */
async function pairings(viewer: BrowserViewer): Promise<Readonly<Record<Rendition, Pairing>>> {
  const [raw = [], processed = []] = await viewer.numbers();
  const count = (await viewer.messages()).length;
  await eventually(async () => (await viewer.messages()).length >= count + 3, 5000, 'three more messages');
  const messages = await viewer.messages();
  return { raw: pair(raw, messages, 'raw'), processed: pair(processed, messages, 'processed') };
}

function assertExact(seen: Readonly<Partial<Record<Rendition, Pairing>>>, atLeast: number): void {
  for (const [rendition, { withMessage, paired, maxErrorFrames, faults }] of Object.entries(seen)) {
    assert.ok(withMessage >= atLeast, `${withMessage} pictures of ${rendition} had a message`);
    assert.equal(maxErrorFrames, 0, `${rendition}: ${faults.join('\n')}`);
    assert.equal(paired, withMessage, `${rendition}: ${faults.join('\n')}`);
  }
}
