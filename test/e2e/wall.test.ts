/** A wall of four numbered clips in a real browser: what each tile shows is read from its pictures. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium, type BrowserViewer } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

/** Sources by the first number of their pictures; each has 120. */
const CLIPS: Readonly<Record<string, number>> = { gate: 100, yard: 500, dock: 900, roof: 1300, hall: 1700 };
const PICTURES = 120;

describe('a wall in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    folder = await temporaryFolder();
    for (const [source, firstNumber] of Object.entries(CLIPS))
      await makeNumberedClip(path.join(folder.videos, `${source}.mp4`), { widthPx: 320, seconds: 4, keyframeS: 1, firstNumber });
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.launch();
  });
  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  /** Sources whose pictures a tile has shown since its n-th, in that order. */
  const shown = async (viewer: BrowserViewer, tile: number, since = 0): Promise<(string | undefined)[]> => {
    const numbers = ((await viewer.numbers())[tile] ?? []).slice(since).flatMap(({ number }) => number ?? []);
    const sources = numbers.map((number) =>
      Object.keys(CLIPS).find((id) => number >= (CLIPS[id] ?? 0) && number < (CLIPS[id] ?? 0) + PICTURES),
    );
    return sources.filter((source, i) => source !== sources[i - 1]);
  };

  it('shows four sources, and another one on a tile that is pointed at it, while the others go on', async () => {
    const page = await browser.viewerPage(server.url);
    const tracks = ['gate', 'yard', 'dock', 'roof'].map((source) => ({ source, rendition: 'raw' }));
    const viewer = await page.join({ video: 4, dataChannel: true, numbers: true, body: { tracks } });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    for (const tile of tracks.keys()) await viewer.frames(15, tile, 15_000);
    for (const [tile, { source }] of tracks.entries()) assert.deepEqual(await shown(viewer, tile), [source], `tile ${tile}`);
    const { mid } = (viewer.answer['tracks'] as readonly { readonly mid: string }[])[2] ?? {};
    const answer = await viewer.command({ cmd: 'select', mid, source: 'hall' });
    assert.equal(answer['ok'], true, JSON.stringify(answer));
    await eventually(async () => (await shown(viewer, 2)).at(-1) === 'hall', 10_000, 'the other source');
    assert.deepEqual(await shown(viewer, 2), ['dock', 'hall'], 'no step back');
    const before = (await viewer.numbers()).map((frames) => frames.length);
    for (const [tile, count] of before.entries()) await viewer.frames(count + 10, tile, 10_000);
    for (const [tile, source] of ['gate', 'yard', 'hall', 'roof'].entries())
      assert.deepEqual(await shown(viewer, tile, before[tile]), [source]);
    await viewer.leave();
    await page.close();
  });
});
