/** The timeline under a player, in a browser: looked at, clicked, dragged, zoomed, by keys, marked. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { complaints, openPage, PLAYING, screens, until } from './page-rig.js';
import { GAP, openPast, type Past } from './past-rig.js';

const DESKTOP = { viewport: { width: 1280, height: 900 }, timezoneId: 'America/New_York' };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const TRACK = '.timeline-track';

/** The player has buttons of the same names. */
const panel = (page: Page): Locator => page.locator('.timeline');

describe('the timeline in Chromium', { skip: noChromium, timeout: 240_000 }, () => {
  let past: Past;

  before(async () => {
    await mkdir(screens, { recursive: true });
    past = await openPast();
  });

  after(() => past.close());

  /** The page with the source at a frame of the recording; undefined: in the present. */
  async function open(
    frame: number | undefined,
    options: Parameters<typeof openPage>[2] = DESKTOP,
  ): Promise<{ page: Page; troubles: string[] }> {
    const at = frame === undefined ? '' : `?at=${past.at(frame)}`;
    const { page, troubles } = await openPage(past.browser, `${past.server.url}/#/street/raw${at}`, options);
    await page.waitForSelector(PLAYING);
    await page.waitForSelector(TRACK);
    await until(page, drawn());
    await panel(page)
      .locator('details')
      .evaluate((details: { open?: boolean }) => (details.open = true));
    return { page, troubles };
  }

  /** How far in the recording the player is, in frames, as the slider tells it. */
  async function frameOf(page: Page): Promise<number> {
    return (Number(await page.getAttribute(TRACK, 'aria-valuenow')) - past.at(0)) * 30;
  }

  async function reach(page: Page, from: number, to: number): Promise<void> {
    await eventually(
      async () => {
        const frame = await frameOf(page);
        return frame >= from && frame < to;
      },
      10_000,
      `a frame from ${from} to ${to}`,
    );
  }

  it('goes from the present into the past and back, over one connection', async () => {
    const { page, troubles } = await open(undefined);
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    const live = panel(page).getByRole('button', { name: 'Live', exact: true });
    assert.equal(await live.getAttribute('aria-pressed'), 'true');
    await page.focus(TRACK);
    await page.keyboard.press('Home');
    await page.waitForSelector('.timeline-where[data-state=playing]');
    await reach(page, 0, 300);
    await page.keyboard.press('PageUp');
    await live.click();
    await page.waitForSelector('.timeline-where[data-state=live]');
    await page.keyboard.press('Home');
    await page.focus(TRACK);
    await page.keyboard.press('Home');
    await page.waitForSelector('.timeline-where[data-state=playing]');
    await page.keyboard.press('End');
    await page.waitForSelector('.timeline-where[data-state=live]');
    assert.equal(offers, 0, 'the connection stays');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('plays, holds, steps, jumps and changes its pace', async () => {
    const { page } = await open(600);
    await panel(page).getByRole('button', { name: 'Pause', exact: true }).click();
    await page.waitForSelector('.timeline-where[data-state=paused]');
    await panel(page).getByRole('button', { name: '10 seconds back' }).click();
    await reach(page, 240, 600);
    await panel(page).getByRole('button', { name: 'One frame forward' }).click();
    await panel(page).getByRole('button', { name: 'One frame back' }).click();
    assert.equal(await page.locator('.timeline-fault').count(), 0);
    await panel(page).getByLabel('Speed').selectOption('4');
    await panel(page).getByRole('button', { name: 'Play', exact: true }).click();
    await page.waitForSelector('.timeline-where[data-state=playing]');
    await eventually(async () => (await panel(page).getByLabel('Speed').inputValue()) === '4', 5000, 'four times as fast');
    await page.context().close();
  });

  it('shows a picture where the pointer is, and goes where it is clicked and dragged to', async () => {
    const { page } = await open(4000);
    await zoomToRecording(page);
    const box = (await page.locator(TRACK).boundingBox())!;
    const y = box.y + 40;
    await page.mouse.move(box.x + box.width * 0.5, y);
    await page.waitForSelector('.timeline-preview canvas:not([hidden])', { timeout: 20_000 });
    await page.screenshot({ path: path.join(screens, 'timeline-hover.png') });
    const x = await placeOf(page, 1500);
    await page.mouse.click(x, y);
    await reach(page, 1400, 2400);
    // A hand that drags sees pictures of the way, and what played plays on where it lets go.
    await page.mouse.move(x, y);
    await page.mouse.down();
    const target = await placeOf(page, 6000);
    for (let step = 1; step <= 8; step++) await page.mouse.move(x + ((target - x) * step) / 8, y);
    await page.mouse.up();
    await page.waitForSelector('.timeline-where[data-state=playing]');
    await reach(page, 5800, 7500);
    await page.context().close();
  });

  it('zooms with the wheel from hours to a second, moves sideways, and stays sharp', async () => {
    const { page } = await open(4000, { ...DESKTOP, deviceScaleFactor: 1.5 });
    const box = (await page.locator(TRACK).boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 30);
    const before = await page.evaluate('scrollY');
    for (let i = 0; i < 60; i++) await page.mouse.wheel(0, -400);
    await eventually(async () => (await seenS(page)) < 1.5, 10_000, 'a second');
    await page.screenshot({ path: path.join(screens, 'timeline-second.png') });
    for (let i = 0; i < 5; i++) await page.mouse.wheel(300, 0);
    for (let i = 0; i < 90; i++) await page.mouse.wheel(0, 400);
    await eventually(async () => (await seenS(page)) > 86_400, 10_000, 'a day and more');
    await until(page, drawn());
    await page.screenshot({ path: path.join(screens, 'timeline-week.png') });
    assert.equal(await page.evaluate('scrollY'), before, 'the page itself stays');
    const [pixels, width] = await page.evaluate<[number, number]>(
      `(({ width, clientWidth }) => [width, clientWidth])(document.querySelector('${TRACK} > canvas'))`,
    );
    assert.equal(pixels, Math.round(width * 1.5));
    await page.context().close();
  });

  it('tells of a gap, and of what cannot be had, in words', async () => {
    const { page } = await open(GAP[0] - 60);
    await eventually(async () => (await frameOf(page)) >= GAP[1], 15_000, 'the frames behind the gap');
    assert.equal(await page.locator('.timeline-fault').count(), 0);
    await page.context().close();
  });

  it('tells times in one named zone, which is kept', async () => {
    const { page } = await open(4000);
    const zone = panel(page).getByLabel('Time zone');
    assert.equal(await zone.inputValue(), 'America/New_York');
    await zone.selectOption('Europe/Berlin');
    const inBerlin = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit' }).format(past.at(4000) * 1000);
    assert.match(await page.locator('.timeline-where').innerText(), new RegExp(`, ${inBerlin}:`));
    await page.reload();
    await page.waitForSelector(TRACK);
    assert.equal(await zone.inputValue(), 'Europe/Berlin');
    await page.context().close();
  });

  it('marks a clip by keys, downloads it and keeps it', async () => {
    const { page } = await open(300);
    await panel(page).getByRole('button', { name: 'Pause', exact: true }).click();
    await page.waitForSelector('.timeline-where[data-state=paused]');
    await page.focus(TRACK);
    await page.keyboard.press('i');
    await panel(page).getByRole('button', { name: '10 seconds forward' }).click();
    await reach(page, 550, 700);
    await page.focus(TRACK);
    await page.keyboard.press('o');
    assert.match(await page.locator('.timeline-range').innerText(), /, (9|1[01])(\.\d)? seconds/);
    const [download] = await Promise.all([page.waitForEvent('download'), panel(page).getByRole('button', { name: 'Download' }).click()]);
    assert.match(download.suggestedFilename(), /^street_.*\.mp4$/);
    await panel(page).getByRole('button', { name: 'Keep', exact: true }).click();
    await panel(page).getByRole('button', { name: 'Keep no longer' }).waitFor();
    const { kept } = (await (await fetch(new URL('/recordings/street', past.server.url))).json()) as { readonly kept: unknown[] };
    assert.equal(kept.length, 1);
    await panel(page).getByRole('button', { name: 'Keep no longer' }).click();
    await panel(page).getByRole('button', { name: 'Keep', exact: true }).waitFor();
    await page.focus(TRACK);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.timeline-range').count(), 0);
    await page.context().close();
  });

  it('is not there where nothing is recorded', async (t) => {
    if (!past.canSee) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page, troubles } = await openPage(past.browser, `${past.server.url}/#/seen/raw`, DESKTOP);
    await page.waitForSelector(PLAYING);
    await until(page, "performance.getEntriesByName(new URL('recordings', document.baseURI).href).length > 0");
    assert.equal(await page.locator('.timeline').count(), 0);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  for (const [name, options] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const)
    for (const colorScheme of ['light', 'dark'] as const)
      it(`looks well, and axe finds nothing: ${name}, ${colorScheme}`, async () => {
        const { page } = await open(4000, { ...options, colorScheme });
        await zoomToRecording(page);
        await page.focus(TRACK);
        await page.keyboard.press('i');
        await panel(page).getByRole('button', { name: '10 seconds forward' }).click();
        await reach(page, 4200, 6000);
        await panel(page).getByRole('button', { name: 'Clip to here' }).click();
        await until(page, drawn());
        assert.deepEqual(await complaints(page), []);
        assert.ok(
          await page.evaluate(`document.documentElement.scrollWidth <= ${options.viewport.width}`),
          'nothing is wider than the screen',
        );
        await page.locator('.timeline').scrollIntoViewIfNeeded();
        await page.screenshot({ path: path.join(screens, `app-timeline-${name}-${colorScheme}.png`), fullPage: name === 'phone' });
        await page.context().close();
      });

  /** Seconds that are seen at once. */
  async function seenS(page: Page): Promise<number> {
    const [from, to] = (await page.getAttribute(TRACK, 'data-span'))!.split(' ').map(Number);
    return to! - from!;
  }

  /** The place of a frame on the screen. */
  async function placeOf(page: Page, frame: number): Promise<number> {
    const box = (await page.locator(TRACK).boundingBox())!;
    const [from, to] = (await page.getAttribute(TRACK, 'data-span'))!.split(' ').map(Number);
    return box.x + ((past.at(frame) - from!) / (to! - from!)) * box.width;
  }

  /** Half an hour becomes ten minutes. */
  async function zoomToRecording(page: Page): Promise<void> {
    for (let i = 0; i < 3; i++) await panel(page).getByRole('button', { name: 'Zoom in' }).click();
  }
});

/** Something stands on the canvas, and what happened is known. */
function drawn(): string {
  return `(() => {
    const canvas = document.querySelector('${TRACK} > canvas');
    if (!canvas?.width || !document.querySelector('.timeline-legend')) return false;
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  })()`;
}
