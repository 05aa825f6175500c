import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { DRAWN, openPage, PLAYING, screens, until } from './page-rig.js';

/** Figures of the overlay as the page tells them. */
interface Figures {
  readonly frames: number;
  readonly withMessage: number;
  readonly paired: number;
  readonly moved: number;
  readonly messages: number;
}

describe('the overlay in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: seeing?.model ?? 'none', LADDER: 'off', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  it('draws boxes on the frames they belong to, and tells how many', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page, troubles } = await open('overlay');
    const figures = await eventually(async () => one(await figuresOf(page), ({ paired }) => paired >= 30), 30_000, '30 paired frames');
    assert.ok(figures.paired <= figures.withMessage && figures.withMessage <= figures.messages, JSON.stringify(figures));
    assert.ok(figures.moved > 0 && figures.paired + figures.moved <= figures.frames, JSON.stringify(figures));
    assert.ok((await page.evaluate<number>(DRAWN)) > 500, 'boxes are drawn');
    assert.match(await page.locator('#overlay-readout').innerText(), /Frames paired\s*\d+ of \d+/);
    await page.screenshot({ path: path.join(screens, 'desktop-overlay.png') });
    await page.setViewportSize({ width: 360, height: 780 });
    await page.check('input[value=both]', { force: true });
    await until(page, `document.querySelector('${PLAYING}[data-view=both]')`);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    await page.screenshot({ path: path.join(screens, 'phone-both.png'), fullPage: true });
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('hides what is filtered out at once, and remembers it', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page } = await open('overlay');
    await until(page, `${DRAWN} > 500 && document.querySelector('.chips .chip')`);
    // Before the next frame can be presented: one turn of the event loop.
    const drawn = await page.evaluate<number[]>(`(() => {
      const score = document.querySelector('.score input');
      const set = (value) => { score.value = value; score.dispatchEvent(new Event('input')); return ${DRAWN}; };
      return [set('1'), set('0')];
    })()`);
    assert.equal(drawn[0], 0, 'no object reaches a score of 1');
    assert.ok((drawn[1] ?? 0) > 500);
    const off = await page.evaluate<number>(
      `(() => { for (const button of document.querySelectorAll('.layers .chip[aria-pressed=true]')) button.click(); return ${DRAWN}; })()`,
    );
    assert.equal(off, 0, 'neither boxes nor labels');
    await page.evaluate("document.querySelectorAll('.layers .chip')[0].click()");
    await page.evaluate("document.querySelector('.chips .chip').click()");
    const label = await page.locator('.chips .chip').first().innerText();
    await page.reload();
    await page.waitForSelector('.chips .chip[aria-pressed=false]', { timeout: 20_000 });
    assert.equal((await page.locator('.chips .chip[aria-pressed=false]').innerText()).split('\n')[0], label.split('\n')[0]);
    await page.context().close();
  });

  it('lets the server send and detect only what is looked at, over one connection', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page, troubles } = await open('raw');
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    await flows(page, 'raw', { decodes: false, viewers: { raw: 1, processed: 0 } });
    for (const [view, raw, processed] of [
      ['overlay', 1, 0],
      ['both', 1, 1],
      ['processed', 0, 1],
      ['overlay', 1, 0],
    ] as const) {
      await page.check(`input[value=${view}]`, { force: true });
      await flows(page, view, { decodes: true, viewers: { raw, processed } });
    }
    await page.check('input[value=raw]', { force: true });
    await flows(page, 'raw', { decodes: false, viewers: { raw: 1, processed: 0 } });
    assert.equal((await get<{ active_clients: number }>('/connection-stats')).active_clients, 1);
    assert.equal(offers, 0);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('says why no boxes come when the detector is taken away, and goes on when it is back', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page, troubles } = await open('overlay');
    await until(page, `${DRAWN} > 500`);
    const { model } = await get<{ model: string }>('/sources/seen/model');
    await putModel('none');
    await page.waitForSelector('#trouble:visible', { timeout: 20_000 });
    await until(page, `${DRAWN} === 0`);
    await putModel(model);
    await page.waitForSelector('#trouble', { state: 'hidden', timeout: 20_000 });
    await until(page, `${DRAWN} > 500`);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('plays from a server that knows neither commands nor detections, and says that there are none', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const page = await browser.open('about:blank', { viewport: { width: 800, height: 700 } });
    // Such a server sends every rendition, and its channels carry nothing.
    await page.addInitScript(
      "RTCDataChannel.prototype.send = () => {}; const add = RTCDataChannel.prototype.addEventListener; RTCDataChannel.prototype.addEventListener = function (type, ...rest) { if (type !== 'message') add.call(this, type, ...rest); };",
    );
    await page.route('**/offer', (route) =>
      route.continue({ postData: JSON.stringify({ ...(route.request().postDataJSON() as object), active: undefined }) }),
    );
    await page.goto(`${server.url}/#/seen/overlay`);
    await page.waitForSelector('#trouble:visible', { timeout: 20_000 });
    for (const view of ['processed', 'both']) {
      await page.check(`input[value=${view}]`, { force: true });
      await until(page, `document.querySelector('${PLAYING}[data-view=${view}]')`);
    }
    await page.context().close();
  });

  /** The page with a view of the clip playing. */
  async function open(view: string): Promise<{ page: Page; troubles: string[] }> {
    const { page, troubles } = await openPage(browser, `${server.url}/#/seen/${view}`, { viewport: { width: 1000, height: 800 } });
    await page.waitForSelector(PLAYING, { timeout: 20_000 });
    return { page, troubles };
  }

  /** Waits until a view plays and the server does what it needs, nothing else. */
  async function flows(page: Page, view: string, wanted: { decodes: boolean; viewers: { raw: number; processed: number } }): Promise<void> {
    await until(page, `document.querySelector('${PLAYING}[data-view=${view}]')`);
    let seen: unknown;
    const isSo = async (): Promise<boolean> => {
      const { sources } = await get<{ sources: { decoder: object | null; renditions: { rendition: string; viewers: number }[] }[] }>(
        '/active-streams',
      );
      const viewers = (rendition: string): number => sources[0]?.renditions.find((one) => one.rendition === rendition)?.viewers ?? 0;
      seen = { decodes: sources[0]?.decoder != null, viewers: { raw: viewers('raw'), processed: viewers('processed') } };
      return isDeepStrictEqual(seen, wanted);
    };
    await eventually(isSo, 15_000, `${view}: ${JSON.stringify(wanted)}`).catch((error: unknown) =>
      assert.deepEqual(seen, wanted, String(error)),
    );
  }

  async function putModel(model: string): Promise<void> {
    const response = await fetch(new URL('/sources/seen/model', server.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model }),
    });
    assert.equal(response.status, 200, await response.text());
  }

  async function get<T>(address: string): Promise<T> {
    return (await (await fetch(new URL(address, server.url))).json()) as T;
  }
});

async function figuresOf(page: Page): Promise<Figures> {
  const text = await page.evaluate<Record<string, string>>("({ ...document.querySelector('#overlay-readout').dataset })");
  return Object.fromEntries(Object.entries(text).map(([name, value]) => [name, Number(value)])) as unknown as Figures;
}

function one<T>(value: T, isSo: (value: T) => boolean): T | undefined {
  return isSo(value) ? value : undefined;
}
