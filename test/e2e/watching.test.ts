import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium, type BrowserViewer, type StatsEntry, type ViewerPage } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { processTree, startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { bestMatch, classColouredPixels, lumaOfFile, lumaOfPicture } from './pictures.js';

const MIN_PSNR_DB = 30;

describe('watching in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let page: ViewerPage;
  let browserPids: number[];

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: seeing?.model ?? 'none', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.launch();
    browserPids = processTree(process.pid)
      .filter(({ command }) => command.includes('user-data-dir'))
      .map(({ pid }) => pid);
    page = await browser.viewerPage(server.url);
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
    assert.ok(browserPids.length > 0, 'the browser was seen');
    await eventually(() => processTree(process.pid).every(({ pid }) => !browserPids.includes(pid)), 5000, 'every browser process to end');
  });

  it('shows raw, processed with boxes, and plays sound, all from one H.264 offer', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const viewer = await page.join({ video: 2, audio: true, codec: 'H264', body: { source: 'seen' } });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    assert.deepEqual(viewer.answer['tracks'], ['raw', 'processed']);
    await viewer.frames(5, 0);
    await viewer.frames(5, 1);
    for (const index of [0, 1]) await assertMoves(viewer, index);
    await assertCodec(viewer, 'video/H264');
    await assertSound(viewer);
    // Objects may come a moment after the first picture.
    const { classes } = seeing;
    await eventually(
      async () => {
        const [raw, processed] = [await viewer.picture(0), await viewer.picture(1)];
        return classColouredPixels(processed, classes) > classColouredPixels(raw, classes) + 400;
      },
      15_000,
      'boxes in the processed picture',
    );
    await viewer.leave();
  });

  it('shows a client that offers VP8 alone the same source in VP8', async () => {
    const viewer = await page.join({ video: 1, codec: 'VP8', body: { source: 'clip', tracks: ['raw'] } });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    await viewer.frames(5, 0, 15_000);
    await assertMoves(viewer, 0);
    await assertCodec(viewer, 'video/VP8');
    await viewer.leave();
  });

  it('shows a late viewer the right picture from the first frame on, live', async () => {
    const { videos } = (await (await fetch(new URL('/available-videos', server.url))).json()) as {
      videos: { source: string; delivery: string }[];
    };
    assert.equal(videos.find(({ source }) => source === 'clip')?.delivery, 'passthrough', 'the pictures of the file are what is sent');
    const file = await lumaOfFile(path.join(folder.videos, 'clip.mp4'));
    const early = await page.join({ body: { source: 'clip', tracks: ['raw'] } });
    await early.frames(30);
    for (let joins = 0; joins < 3; joins++) {
      // In the middle of a GOP: what has been shown so far decides the moment.
      await early.record(17 + 20 * joins);
      const late = await page.join({ body: { source: 'clip', tracks: ['raw'] } });
      await late.frames(1);
      const first = bestMatch(lumaOfPicture(await late.firstPicture()), file);
      assert.ok(first.psnrDb > MIN_PSNR_DB, `first picture is like picture ${first.index} of the file at ${first.psnrDb.toFixed(1)} dB`);
      await late.frames(10);
      // A browser on a busy machine shows the first pictures late, and makes up for it.
      const isLive = async (): Promise<boolean> => {
        const [one, other] = [bestMatch(lumaOfPicture(await early.picture()), file), bestMatch(lumaOfPicture(await late.picture()), file)];
        assert.ok(other.psnrDb > MIN_PSNR_DB, `later picture at ${other.psnrDb.toFixed(1)} dB`);
        const behind = (one.index - other.index + file.length) % file.length;
        return Math.min(behind, file.length - behind) <= 15;
      };
      await eventually(isLive, 15_000, 'the late viewer to be within 15 pictures of the early one');
      await late.leave();
    }
    await early.leave();
  });

  it('plays for a client that gathers its candidates first and opens a data channel too', async () => {
    const viewer = await page.join({ audio: true, dataChannel: true, waitForCandidates: true, body: { source: 'clip', tracks: ['raw'] } });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    await viewer.frames(5);
    await viewer.leave();
  });
});

async function assertMoves(viewer: BrowserViewer, index: number): Promise<void> {
  const shown = await viewer.record(15, index);
  const different = new Set(shown.map(({ hash }) => hash)).size;
  assert.ok(different >= 8, `${different} of 15 pictures on m-line ${index} differ`);
}

async function assertCodec(viewer: BrowserViewer, mimeType: string): Promise<void> {
  const stats = await viewer.stats();
  const codecs = inbound(stats, 'video').map(({ ['codecId']: codecId }) => stats.find(({ id }) => id === codecId)?.['mimeType']);
  assert.ok(codecs.length > 0 && codecs.every((codec) => codec === mimeType), `codecs: ${codecs.join(', ')}`);
}

async function assertSound(viewer: BrowserViewer): Promise<void> {
  await eventually(
    async () =>
      inbound(await viewer.stats(), 'audio').some(
        (entry) => Number(entry['totalAudioEnergy']) > 0 && Number(entry['totalSamplesReceived']) > 4800,
      ),
    8000,
    'sound',
  );
}

function inbound(stats: readonly StatsEntry[], kind: string): readonly StatsEntry[] {
  return stats.filter((entry) => entry.type === 'inbound-rtp' && entry['kind'] === kind);
}
