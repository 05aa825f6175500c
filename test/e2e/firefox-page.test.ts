/** The pages in Firefox, as somebody sees them: by their texts, and by what moves. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { Firefox, noFirefox, type FirefoxPage } from '../helpers/firefox/index.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { screens } from './page-rig.js';

/** Of `GET /connection-stats`. */
interface Client {
  readonly role: string;
  readonly active_tracks?: readonly string[];
  readonly received?: { readonly layers: readonly { readonly rid: string | null; readonly height: number | null; readonly fps: number }[] };
}

/** Videos that have a picture and are in view. */
const SHOWN = `[...document.querySelectorAll('main video')].filter((video) =>
  video.readyState >= 2 && video.videoWidth > 0 && video.checkVisibility({ opacityProperty: true, visibilityProperty: true }))`;

/** How many of them have presented two more pictures; waits for those pictures. */
const MOVING = `Promise.all(${SHOWN}.map((video) => new Promise((resolve) =>
  video.requestVideoFrameCallback(() => video.requestVideoFrameCallback(resolve))))).then(({ length }) => length)`;

/** Pixels that are not empty, of everything that is drawn over a video in view. */
const DRAWN = `[...document.querySelectorAll('main canvas')].filter((canvas) => canvas.width > 0 && canvas.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .reduce((sum, canvas) => sum + canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((value, index) => index % 4 === 3 && value > 0).length, 0)`;

describe('the pages in Firefox', { skip: noFirefox, timeout: 180_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let firefox: Firefox;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: seeing?.model ?? 'none', IDLE_GRACE: '1000' });
    firefox = await Firefox.launch();
  });

  after(async () => {
    await firefox.close();
    await server.close();
    await folder.remove();
  });

  it('a video plays once it is clicked, and each view of it moves, over one session', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const page = await open(t, '/');
    await page.click({ text: 'seen.mp4' });
    await shows(page, 1);
    await page.until(`${DRAWN} > 500`);
    await writeFile(path.join(screens, 'firefox-overlay.png'), await page.screenshot());
    for (const [view, videos, sent] of [
      ['Burnt-in', 1, 'processed'],
      ['Side by side', 2, 'raw,processed'],
      ['Raw', 1, 'raw'],
      ['Overlay', 1, 'raw'],
    ] as const) {
      await page.click({ text: view });
      await shows(page, videos);
      await eventually(async () => (await activeTracks()) === sent, 10_000, `${view} to be what is sent`);
      await writeFile(path.join(screens, `firefox-${view.toLowerCase().replaceAll(' ', '-')}.png`), await page.screenshot());
    }
    await page.until(`${DRAWN} > 500`);
    assert.equal(page.requests.filter((request) => request.startsWith('POST') && request.endsWith('/offer')).length, 1);
    assert.deepEqual(page.troubles, []);
  });

  it('a link plays on a narrow screen without scrolling sideways', async (t) => {
    const page = await open(t, '/#/clip/raw', { widthPx: 390, heightPx: 844 });
    await shows(page, 1);
    // Firefox makes no window narrower than 450 pixels, but the page in it.
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    assert.deepEqual(page.troubles, []);
  });

  it('a wall plays several videos over one connection', async (t) => {
    const page = await open(t, '/#wall?s=clip,seen');
    await shows(page, 2);
    await writeFile(path.join(screens, 'firefox-wall.png'), await page.screenshot());
    assert.equal(page.requests.filter((request) => request.startsWith('POST') && request.endsWith('/offer')).length, 1);
    assert.deepEqual(page.troubles, []);
  });

  it('every view opens', async (t) => {
    const page = await open(t, '/');
    await page.until("document.querySelector('nav a')");
    const addresses = await page.evaluate<string[]>("[...document.querySelectorAll('nav a')].map(({ href }) => href)");
    for (const address of addresses) {
      await page.goto(address);
      await page.until("document.querySelector('main h2, main h3')?.checkVisibility()");
    }
    assert.deepEqual(page.troubles, []);
  });

  it('goes on by itself once the server is back', async (t) => {
    const variables = { UPLOAD_DIR: folder.videos, MODEL: 'none' };
    const first = await startServerProcess(variables);
    t.after(() => first.close());
    const page = await firefox.open(`${first.url}/#/clip/raw`);
    t.after(() => page.close());
    await shows(page, 1);
    await first.close();
    await page.until("document.querySelector('main').innerText.includes('The server cannot be reached')");
    await page.until("/Last picture \\d+ s ago/.test(document.querySelector('main').innerText)");
    const second = await startServerProcess({ ...variables, PORT: new URL(first.url).port });
    t.after(() => second.close());
    await page.until("!document.querySelector('main').innerText.includes('The server cannot be reached')");
    await shows(page, 1);
  });

  it('a camera of this device is live for others, with the smaller sizes that viewers on slow links need', async (t) => {
    const camera = await open(t, '/publish?room=garden');
    await camera.click({ text: 'Start' });
    await camera.until(
      "[...document.querySelectorAll('p')].some((each) => each.checkVisibility() && each.innerText.trim().toLowerCase() === 'on air')",
    );
    const viewer = await open(t, '/');
    await viewer.click({ text: 'garden' });
    await shows(viewer, 1);
    await writeFile(path.join(screens, 'firefox-publish.png'), await camera.screenshot());
    await eventually(async () => (await publishedSizes()).length >= 2, 20_000, 'pictures of several sizes');
    await camera.click({ text: 'Stop' });
    await eventually(async () => (await clients()).every(({ role }) => role !== 'publisher'), 10_000, 'the camera to be gone');
    assert.deepEqual([...camera.troubles, ...viewer.troubles], []);
  });

  /** Closed after the test. */
  async function open(t: TestContext, address: string, size: { widthPx?: number; heightPx?: number } = {}): Promise<FirefoxPage> {
    const page = await firefox.open(new URL(address, server.url).href, size);
    t.after(() => page.close());
    return page;
  }

  /** What is sent to the viewer that came last. */
  async function activeTracks(): Promise<string | undefined> {
    return (await clients()).findLast(({ role }) => role === 'viewer')?.active_tracks?.join();
  }

  /** Such as `h 720`, of what the publisher sends. */
  async function publishedSizes(): Promise<string[]> {
    const layers = (await clients()).find(({ role }) => role === 'publisher')?.received?.layers ?? [];
    return layers.filter(({ fps }) => fps > 2).map(({ rid, height }) => `${rid} ${height}`);
  }

  async function clients(): Promise<readonly Client[]> {
    const answer = await fetch(new URL('/connection-stats', server.url));
    return ((await answer.json()) as { clients: Client[] }).clients;
  }
});

/** Waits until so many videos are in view, no more, and move. */
async function shows(page: FirefoxPage, videos: number): Promise<void> {
  await page.until(`${SHOWN}.length === ${videos}`, 30_000);
  assert.equal(await page.evaluate(MOVING), videos);
}
