/** Events and search in a browser: yesterday's car is found, its moment is watched, and what happens now comes by itself. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { complaints, openPage, PLAYING, screens, until } from './page-rig.js';
import { openPast, type Past } from './past-rig.js';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const ITEMS = '.events-view li';

describe('events in Chromium', { skip: noChromium, timeout: 240_000 }, () => {
  let past: Past;

  before(async () => {
    await mkdir(screens, { recursive: true });
    past = await openPast();
    if (past.canSee) await drawZone();
  });

  after(() => past.close());

  /** All of the picture: whoever is seen anew has entered it. */
  async function drawZone(): Promise<void> {
    const zones = {
      units: 'fraction',
      always: true,
      zones: [
        {
          id: 'road',
          polygon: [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 1],
          ],
        },
      ],
    };
    const response = await fetch(new URL('/sources/seen/zones', past.server.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(zones),
    });
    assert.equal(response.status, 200, await response.text());
    await eventually(
      async () => {
        const { events } = (await (await fetch(new URL('/events?type=enter&limit=20', past.server.url))).json()) as {
          readonly events: unknown[];
        };
        return events.length >= 6;
      },
      60_000,
      'six who entered',
    );
  }

  async function open(hash: string, options: Parameters<typeof openPage>[2] = DESKTOP): Promise<{ page: Page; troubles: string[] }> {
    const opened = await openPage(past.browser, `${past.server.url}/${hash}`, options);
    await opened.page.waitForSelector('.events-view');
    return opened;
  }

  it('lists what was seen, page by page, and finds it by label and day', async () => {
    const { page, troubles } = await open('#events');
    await page.waitForSelector(ITEMS);
    const count = await page.locator(ITEMS).count();
    assert.ok(count >= 60 && count < 300, `${count} of many hundreds at first`);
    await page.getByRole('button', { name: 'Load more' }).scrollIntoViewIfNeeded();
    await eventually(async () => (await page.locator(ITEMS).count()) > count, 10_000, 'the next page');
    await page.getByLabel('Object').fill('number');
    await page.keyboard.press('Tab');
    await until(page, "location.hash.includes('label=number')");
    await page.waitForSelector(ITEMS);
    await page.getByLabel('When').selectOption('yesterday');
    await until(page, "location.hash.includes('day=yesterday')");
    await page.getByLabel('Object').fill('car');
    await page.keyboard.press('Tab');
    await page.getByText('Nothing fits these filters').waitFor();
    assert.deepEqual(await complaints(page), []);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.waitForSelector(ITEMS);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('narrows by hours, weekdays and duration, says what is wrong with what is not understood, and keeps it all in the address', async () => {
    const { page } = await open('#events/seen?weekday=mon,tue,wed,thu,fri,sat,sun&hours=00:00-24:00&longer=3600');
    await page.getByText('Nothing fits these filters').waitFor();
    assert.equal(await page.getByLabel('Longer than (seconds)').inputValue(), '3600');
    await page.getByLabel('Longer than (seconds)').fill('');
    await page.keyboard.press('Tab');
    await page.waitForSelector(ITEMS);
    await page.getByLabel('Mon', { exact: true }).uncheck({ force: true });
    await until(page, "location.hash.includes('weekday=tue')");
    await page.reload();
    await page.waitForSelector('.events-view');
    assert.equal(await page.getByLabel('Tue', { exact: true }).isChecked(), true);
    assert.equal(await page.getByLabel('Mon', { exact: true }).isChecked(), false);
    await page.context().close();
  });

  it('opens the player at the frame of what was found', async () => {
    const { page, troubles } = await open('#events/seen?source=street');
    await page.waitForSelector(`${ITEMS} .event-picture img`);
    await page.locator(`${ITEMS} a.event-card`).first().focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(PLAYING);
    assert.match(page.url(), /#\/street.*at=\d/);
    await page.waitForSelector('.timeline-where:not([data-state=live])');
    await page.goBack();
    await page.waitForSelector(ITEMS);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('adds what happens on top, and announces it', async (t) => {
    if (!past.canSee) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page } = await open('#events/zones');
    await page.waitForSelector(ITEMS);
    await page.waitForSelector('[data-live=true]');
    const newest = await page.locator('.event-title').first().innerText();
    assert.match(newest, /(entered|left) road/i);
    const time = (): Promise<string | null> => page.locator(`${ITEMS} time`).first().getAttribute('datetime');
    const before = await time();
    await eventually(async () => (await time()) !== before, 30_000, 'something new');
    await eventually(
      async () => /road/.test((await page.locator('[role=status].visually-hidden').allInnerTexts()).join()),
      30_000,
      'an announcement',
    );
    const dates = await page.evaluate<string[]>(`[...document.querySelectorAll('${ITEMS} time')].map(({ dateTime }) => dateTime)`);
    const [first, second] = dates;
    assert.ok(first! >= second!, 'the newest first');
    await page.getByLabel('What happened').selectOption('leave');
    await until(page, "[...document.querySelectorAll('.event-title')].every((each) => /left/i.test(each.textContent))");
    await page.context().close();
  });

  it('says that nothing is added while the server has no place for another reader, and catches up when it has', async (t) => {
    if (!past.canSee) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page } = await open('#events/system');
    await page.waitForSelector('[data-live=true]');
    const asked: string[] = [];
    await page.route('**/events/stream*', (route) => {
      asked.push(route.request().url());
      return asked.length === 1 ? route.fulfill({ status: 503, body: '' }) : route.continue();
    });
    await page.getByLabel('Zones and lines').check({ force: true });
    await page.waitForSelector('[data-live=false]');
    await page.waitForSelector('[data-live=true]');
    assert.match(asked[1]!, /after=\d+/);
    await page.context().close();
  });

  it('tells of sources and viewers, and says in words when the server is away', async () => {
    const { page } = await open('#events/system');
    await page.waitForSelector(ITEMS);
    await page.context().setOffline(true);
    await page.getByLabel('When').selectOption('today');
    await page.getByText('The server cannot be reached.').waitFor();
    assert.deepEqual(await complaints(page), []);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector(ITEMS);
    await page.context().close();
  });

  for (const [name, options] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const)
    for (const colorScheme of ['light', 'dark'] as const)
      it(`looks well, and axe finds nothing: ${name}, ${colorScheme}`, async () => {
        // Up to now: nothing moves while it is looked at.
        const now = new Date().toISOString().slice(0, 19);
        const hash = past.canSee ? `#events/zones?day=range&to=${now}` : '#events/seen';
        const { page } = await open(hash, { ...options, colorScheme, timezoneId: 'UTC' });
        await page.waitForSelector(ITEMS);
        for (const layout of ['List', 'Grid']) {
          await page.getByLabel(layout).check({ force: true });
          await until(page, "[...document.querySelectorAll('.event-picture img')].filter(({ complete }) => complete).length > 3");
          assert.deepEqual(await complaints(page), []);
          assert.ok(
            await page.evaluate(`document.documentElement.scrollWidth <= ${options.viewport.width}`),
            'nothing is wider than the screen',
          );
          await page.screenshot({ path: path.join(screens, `app-events-${layout === 'Grid' ? '' : 'list-'}${name}-${colorScheme}.png`) });
        }
        await page.context().close();
      });
});
