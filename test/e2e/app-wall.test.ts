/** The wall in Chromium: over one connection, arranged by mouse and keys, kept, and what it says when a tile is dark. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { complaints, openPage, screens, until } from './page-rig.js';

const CLIPS = ['gate', 'yard', 'dock', 'roof, north', 'hall'];
const DESKTOP = { viewport: { width: 1280, height: 900 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } as const;

/** That many tiles show pictures that move. */
function playing(count: number): string {
  return `(() => {
    const videos = [...document.querySelectorAll('.tile video')].filter((video) => video.checkVisibility());
    globalThis.shown ??= new WeakMap();
    const moving = videos.filter((video) => {
      const now = video.getVideoPlaybackQuality().totalVideoFrames;
      const before = shown.get(video) ?? now;
      if (!shown.has(video)) shown.set(video, now);
      return video.videoWidth > 0 && now > before + 5;
    });
    return videos.length === ${count} && moving.length === ${count};
  })()`;
}

const order = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('.tile-name bdi')].map(({ textContent }) => textContent.replace('.mp4', ''))`);

describe('the wall', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    for (const [at, source] of CLIPS.entries())
      await makeNumberedClip(path.join(folder.videos, `${source}.mp4`), {
        widthPx: 320,
        seconds: 4,
        keyframeS: 1,
        firstNumber: 100 + 400 * at,
      });
    await writeFile(path.join(folder.videos, 'notes.mp4'), 'not a video at all');
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: seeing?.model ?? 'none', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.launch();
  });
  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  const open = async (hash: string, options: Parameters<typeof openPage>[2] = DESKTOP): Promise<Awaited<ReturnType<typeof openPage>>> => {
    const opened = await openPage(browser, `${server.url}/${hash}`, options);
    await opened.page.waitForSelector('.wall');
    return opened;
  };

  it('plays what is chosen over one connection, and says what it shows in its address', async () => {
    const { page, troubles } = await open('#wall');
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    assert.match(await page.locator('.wall .empty').innerText(), /Nothing on the wall yet/);
    assert.deepEqual(await complaints(page), []);
    await page.click('.wall .empty button');
    await page.fill('.wall-search input', 'NORTH');
    await page.check('.wall-sources label:has-text("roof, north") input');
    await page.fill('.wall-search input', '');
    for (const source of ['gate', 'yard', 'dock']) await page.check(`.wall-sources label:has-text("${source}") input`);
    assert.match(await page.locator('.wall-count').innerText(), /4 of 16/);
    assert.equal(await page.locator('.wall-sources label:has-text("notes") input').isDisabled(), true);
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('Escape');
    await until(page, playing(4));
    assert.match(page.url(), /#wall\?s=roof_north,gate,yard,dock$/);
    assert.equal(offers, 1);
    assert.deepEqual(await complaints(page), []);
    // A fifth one needs more m-lines: another connection, and no gap in what plays.
    await page.click('.wall-bar button:has-text("Choose sources")');
    await page.check('.wall-sources label:has-text("hall") input');
    await page.keyboard.press('Escape');
    await until(page, playing(5));
    assert.equal(offers, 2);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('is arranged by keys and by dragging, enlarges and puts back, and the pictures go on', async () => {
    const { page, troubles } = await open('#wall?s=gate,yard,dock,hall');
    await until(page, playing(4));
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    await page.focus('.tile:nth-child(1) .tile-open');
    await page.keyboard.press('Shift+ArrowRight');
    assert.deepEqual(await order(page), ['yard', 'gate', 'dock', 'hall']);
    await until(page, `document.activeElement.getAttribute('aria-label') === 'Enlarge gate.mp4'`);
    await page.keyboard.press('ArrowDown');
    await until(page, `document.activeElement.getAttribute('aria-label') === 'Enlarge hall.mp4'`);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.tile.big[data-tile=hall]');
    assert.match(page.url(), /big=3/);
    await until(page, playing(1));
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.tile.big', { state: 'detached' });
    await page.evaluate('shown = new WeakMap()');
    await until(page, playing(4));
    await page.dragAndDrop('.tile:nth-child(4)', '.tile:nth-child(1)');
    await until(page, `document.querySelector('.tile').dataset.tile === 'hall'`);
    assert.deepEqual(await order(page), ['hall', 'yard', 'gate', 'dock']);
    await page.click('.wall-bar button:has-text("Arrange")');
    await page.click('button[aria-label="Move dock.mp4 one place back"]');
    await page.click('button[aria-label="Take yard.mp4 off the wall"]');
    await until(page, `document.querySelectorAll('.tile').length === 3`);
    assert.deepEqual(await order(page), ['hall', 'dock', 'gate']);
    assert.deepEqual(await complaints(page), []);
    await page.evaluate('shown = new WeakMap()');
    await until(page, playing(3));
    assert.match(page.url(), /s=hall,dock,gate/);
    assert.equal(offers, 0, 'no other connection was needed');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('asks for small pictures where tiles are small, and for nothing that nobody sees', async () => {
    const { page } = await open('#wall?s=gate,yard,dock,hall,roof_north', PHONE);
    const shown = async (): Promise<number[]> => {
      const { clients } = (await (await fetch(`${server.url}/connection-stats`)).json()) as {
        clients: { m_lines?: { source: string | null; max_height?: number }[] }[];
      };
      return (clients[0]?.m_lines ?? []).flatMap(({ source, max_height: height }) => (source === null ? [] : (height ?? 0)));
    };
    await page.waitForSelector('.tile');
    await eventually(async () => [1, 2, 3, 4].includes((await shown()).length), 15_000, 'the tiles in sight alone');
    await page.locator('.tile').last().scrollIntoViewIfNeeded();
    await until(page, `document.querySelector('.tile:last-child video').getVideoPlaybackQuality().totalVideoFrames > 5`);
    await page.context().close();
  });

  it('keeps a wall by name for everybody, and tells who was slower', async () => {
    const { page, troubles } = await open('#wall?s=gate,yard&columns=1');
    await page.click('.wall-bar button:has-text("Kept walls")');
    await page.waitForSelector('text=No wall is kept on this server yet.');
    await page.fill('.wall-keep input', 'Nacht 夜');
    await page.click('.wall-keep button[type=submit]');
    await page.waitForSelector('.wall-kept li');
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('Escape');
    assert.match(await page.locator('.wall-bar h2').innerText(), /^Nacht 夜$/);

    const { page: other } = await open(`#wall?name=${encodeURIComponent('Nacht 夜')}`);
    await until(other, playing(2));
    assert.deepEqual(await order(other), ['gate', 'yard']);
    await other.focus('.tile .tile-open');
    await other.keyboard.press('Shift+ArrowDown');
    await other.waitForSelector('.wall-bar h2 small');
    const keep = async (which: Page): Promise<void> => {
      await which.click('.wall-bar button:has-text("Kept walls")');
      await which.click('.wall-keep button[type=submit]');
    };
    await keep(other);
    await other.waitForSelector('.wall-bar h2 small', { state: 'detached' });
    await other.context().close();

    await keep(page);
    await page.waitForSelector('text=Somebody else has kept another wall as Nacht 夜');
    assert.deepEqual(await complaints(page), []);
    await page.click('button:has-text("Replace theirs")');
    await page.waitForSelector('text=Replace theirs', { state: 'detached' });
    await page.click('button[aria-label="Remove the wall Nacht 夜"]');
    await page.click('button:has-text("Really remove?")');
    await page.waitForSelector('.wall-kept li', { state: 'detached' });
    // The console names each refusal.
    assert.deepEqual(
      troubles.filter((trouble) => !trouble.includes('412')),
      [],
    );
    await page.context().close();
  });

  it('says why a tile is dark while the others play, and plays it once it is there', async () => {
    const { page } = await open('#wall?s=gate,later,notes');
    await page.waitForSelector('.tile[data-tile=later] :text("No such source")');
    await page.waitForSelector('.tile[data-tile=notes] :text("Cannot be played")');
    await until(page, `document.querySelector('.tile[data-tile=gate] video').getVideoPlaybackQuality().totalVideoFrames > 10`);
    assert.deepEqual(await complaints(page), []);
    await makeNumberedClip(path.join(folder.videos, 'later.mp4'), { widthPx: 320, seconds: 4, keyframeS: 1, firstNumber: 5000 });
    await until(page, `document.querySelector('.tile[data-tile=later] video').getVideoPlaybackQuality().totalVideoFrames > 10`, 40_000);
    await page.waitForSelector('.tile[data-tile=later] .tile-notice', { state: 'detached' });
    await rm(path.join(folder.videos, 'later.mp4'));
    await page.waitForSelector('.tile[data-tile=later] .tile-notice', { timeout: 20_000 });
    await page.context().close();
  });

  it('shows nothing but pictures as a kiosk, and leaves by Escape', async () => {
    const { page } = await open('#wall?s=gate,yard&kiosk=1');
    await until(page, playing(2));
    assert.equal(await page.locator('.top').isVisible(), false);
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.wall-bar');
    assert.equal(await page.locator('.top').isVisible(), true);
    assert.doesNotMatch(page.url(), /kiosk/);
    await page.context().close();
  });

  it('goes on by itself when the server is back, and says so meanwhile', async () => {
    const variables = { UPLOAD_DIR: folder.videos, MODEL: 'none' };
    const first = await startServerProcess(variables);
    const { page } = await openPage(browser, `${first.url}/#wall?s=gate,yard`, DESKTOP);
    await until(page, playing(2));
    await first.close();
    await page.waitForSelector('.wall-notices .wall-fault', { timeout: 20_000 });
    const second = await startServerProcess({ ...variables, PORT: new URL(first.url).port });
    await page.waitForSelector('.wall-notices .wall-fault', { state: 'detached', timeout: 20_000 });
    await page.evaluate('shown = new WeakMap()');
    await until(page, playing(2));
    await page.context().close();
    await second.close();
  });

  it('draws boxes, speaks German, and looks as it should', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    for (const [device, options] of [
      ['desktop', DESKTOP],
      ['phone', PHONE],
    ] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open('#wall?s=seen,gate,yard,nowhere&boxes=1', {
          ...options,
          colorScheme,
          locale: device === 'phone' ? 'de-DE' : 'en-GB',
        });
        await until(
          page,
          `(() => { const canvas = document.querySelector('.tile[data-tile=seen] canvas'); if (!canvas?.width) return false;
            return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0); })()`,
        );
        if (device === 'phone') assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
        assert.deepEqual(await complaints(page), []);
        await page.screenshot({ path: path.join(screens, `app-wall-${device}-${colorScheme}.png`) });
        await page.context().close();
      }
  });
});
