import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { complaints, openPage, screens, until } from './page-rig.js';

interface Zones {
  readonly units?: string;
  readonly zones: { readonly id: string; readonly polygon: number[][]; readonly classes?: string[]; readonly min_dwell_ms?: number }[];
  readonly lines: { readonly id: string; readonly from: number[]; readonly to: number[] }[];
}

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const SQUARE = [
  [0.1, 0.2],
  [0.5, 0.2],
  [0.5, 0.8],
  [0.1, 0.8],
];

describe('the editor of zones', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: seeing?.model ?? 'none',
      ADMIN_TOKEN: 'admin-token-of-tests',
      ALLOW_ANONYMOUS: 'watch',
    });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  const address = (source = 'clip'): string => `${server.url}/sources/${source}/zones`;
  const authorization = 'Bearer admin-token-of-tests';
  const read = async (source = 'clip'): Promise<Zones> =>
    (await (await fetch(address(source), { headers: { authorization } })).json()) as Zones;
  const put = async (zones: object, source = 'clip'): Promise<void> => {
    const headers = { authorization, 'content-type': 'application/json' };
    const { status } = await fetch(address(source), { method: 'PUT', headers, body: JSON.stringify(zones) });
    assert.equal(status, 200);
  };
  const open = async (hash: string, options: Parameters<typeof openPage>[2] = DESKTOP, isAdmin = true) => {
    const opened = await openPage(browser, 'about:blank', options);
    if (isAdmin) await opened.page.request.post(`${server.url}/login`, { data: { token: 'admin-token-of-tests' } });
    await opened.page.goto(`${server.url}/${hash}`);
    return opened;
  };
  const at = async (page: Page, x: number, y: number): Promise<[number, number]> => {
    const box = await page.locator('.zones-stage').boundingBox();
    assert.ok(box);
    return [box.x + x * box.width, box.y + y * box.height];
  };
  const click = async (page: Page, x: number, y: number): Promise<void> => page.mouse.click(...(await at(page, x, y)));
  const saved = (page: Page): Promise<void> =>
    until(page, "document.querySelector('.zones-save .main:disabled')?.textContent === 'Save' && !document.querySelector('dialog')");
  const save = async (page: Page): Promise<void> => {
    await page.click('.zones-save .main');
    await saved(page);
  };

  it('draws a zone and a line by clicks, drags corners, and writes what the server counts by', async () => {
    const { page, troubles } = await open('#zones');
    await page.click('.zones-choice a:has-text("clip")');
    await page.waitForSelector('.zones-stage');
    await page.click('button:has-text("New zone")');
    for (const [x, y] of [
      [0.1, 0.2],
      [0.5, 0.2],
      [0.5, 0.8],
      [0.1, 0.8],
      [0.1, 0.2],
    ] as const)
      await click(page, x, y);
    await page.fill('.zones-fields input[type=text]', 'yard');
    await page.fill('.zones-fields input[type=number]', '2.5');
    await page.click('button:has-text("New line")');
    await click(page, 0.7, 0.9);
    await click(page, 0.7, 0.1);
    const upwards = await page.locator('.zones-art .line .tip').getAttribute('points');
    await page.click('button:has-text("Turn the direction")');
    assert.notEqual(await page.locator('.zones-art .line .tip').getAttribute('points'), upwards);
    await page.keyboard.press('Control+z');
    await save(page);
    const near = (points: number[][], expected: number[][]): void =>
      points.forEach((point, i) =>
        point.forEach((value, axis) => assert.ok(Math.abs(value - (expected[i]?.[axis] ?? NaN)) < 0.01, points.join(' '))),
      );
    const written = await read();
    assert.equal(written.units, 'fraction');
    near(written.zones[0]?.polygon ?? [], SQUARE);
    assert.deepEqual([written.zones[0]?.id, written.zones[0]?.min_dwell_ms, written.zones.length], ['yard', 2500, 1]);
    near(
      [written.lines[0]?.from ?? [], written.lines[0]?.to ?? []],
      [
        [0.7, 0.9],
        [0.7, 0.1],
      ],
    );

    // A corner is dragged; one more comes out of an edge; both are steps of their own.
    await page.click('.zones-row:has-text("yard")');
    await page.mouse.move(...(await at(page, 0.5, 0.8)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.6, 0.85)), { steps: 4 });
    await page.mouse.up();
    await page.mouse.move(...(await at(page, 0.3, 0.2)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.3, 0.003)), { steps: 4 });
    await page.mouse.up();
    await save(page);
    const changed = (await read()).zones[0]?.polygon ?? [];
    near(changed, [
      [0.1, 0.2],
      [0.3, 0],
      [0.5, 0.2],
      [0.6, 0.85],
      [0.1, 0.8],
    ]);
    assert.equal(changed[1]?.[1], 0, 'it was drawn to the side');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('is used by keys alone: drawing, moving corners, removing them, undoing', async () => {
    await put({});
    const { page } = await open('#zones/clip');
    await page.waitForSelector('.zones-stage');
    await page.focus('button:has-text("New zone")');
    await page.keyboard.press('Enter');
    await until(page, "document.activeElement?.className === 'zones-drawing'");
    await page.keyboard.press('Space');
    for (const keys of [['Shift+ArrowRight'], ['Shift+ArrowDown'], ['Shift+ArrowLeft']]) {
      for (const key of keys) for (let i = 0; i < 4; i++) await page.keyboard.press(key);
      await page.keyboard.press('Space');
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector('.zones-handles');
    assert.equal(await page.locator('.zones-handles .corner').count(), 4);
    const before = await page.locator('[data-corner="0"]').getAttribute('style');
    await page.focus('[data-corner="0"]');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('ArrowUp');
    assert.notEqual(await page.locator('[data-corner="0"]').getAttribute('style'), before);
    await page.keyboard.press('Delete');
    assert.equal(await page.locator('.zones-handles .corner').count(), 3);
    await page.keyboard.press('Delete');
    assert.equal(await page.locator('.zones-handles .corner').count(), 3, 'a zone keeps three');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    assert.equal(await page.locator('[data-corner="0"]').getAttribute('style'), before);
    await page.keyboard.press('Control+y');
    await page.keyboard.press('Control+s');
    await saved(page);
    assert.equal((await read()).zones.length, 1);
    await page.context().close();
  });

  it('shows faults beside what has them, its own and those of the server', async () => {
    await put({
      units: 'fraction',
      zones: [
        { id: 'a', polygon: SQUARE },
        { id: 'b', polygon: SQUARE.map(([x = 0, y]) => [x + 0.4, y]) },
      ],
    });
    const { page } = await open('#zones/clip');
    await page.click('.zones-row:has-text("a")');
    await page.mouse.move(...(await at(page, 0.1, 0.2)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.65, 0.6)), { steps: 3 });
    await page.mouse.up();
    await until(page, "document.querySelectorAll('.zones-art .wrong').length === 2");
    assert.match(await page.locator('.zones-fields .zones-wrong').first().innerText(), /edges cross/);
    await page.fill('.zones-fields input[type=text]', 'b');
    assert.match(await page.locator('.zones-fields small').innerText(), /this name already/);
    assert.deepEqual(await complaints(page), []);
    await page.click('.zones-save .main');
    await until(page, "document.querySelector('.zones-trouble[role=alert]')?.textContent.includes('does not take')");
    assert.deepEqual(
      (await read()).zones.map(({ id }) => id),
      ['a', 'b'],
    );
    await page.context().close();
  });

  it('tells the second of two windows that the first one has saved, and lets it load or overwrite', async () => {
    await put({ units: 'fraction', zones: [{ id: 'first', polygon: SQUARE }] });
    const { page } = await open('#zones/clip');
    const rename = async (name: string): Promise<void> => {
      await page.click('.zones-row');
      await page.fill('.zones-fields input[type=text]', name);
      await page.click('.zones-save .main');
      await page.waitForSelector('dialog[open]');
    };
    await page.waitForSelector('.zones-row');
    await put({ units: 'fraction', zones: [{ id: 'theirs', polygon: SQUARE }] });
    await rename('mine');
    assert.deepEqual(await complaints(page), []);
    assert.equal((await read()).zones[0]?.id, 'theirs', 'nothing is lost before somebody decides');
    await page.click('dialog button:has-text("Load theirs")');
    await page.waitForSelector('.zones-row:has-text("theirs")');
    await put({ units: 'fraction', zones: [{ id: 'again', polygon: SQUARE }] });
    await rename('mine');
    await page.click('dialog button:has-text("Overwrite")');
    await saved(page);
    assert.equal((await read()).zones[0]?.id, 'mine');
    await page.context().close();
  });

  it('says that something is not saved before it is left, by a link as by Back', async () => {
    await put({ units: 'fraction', zones: [{ id: 'first', polygon: SQUARE }] });
    const { page } = await open('#zones');
    await page.click('.zones-choice a:has-text("clip")');
    await page.click('.zones-row');
    await page.fill('.zones-fields input[type=text]', 'changed');
    await page.click('a:has-text("Other sources")');
    await page.waitForSelector('dialog[open]');
    assert.match(page.url(), /#zones\/clip$/);
    await page.keyboard.press('Escape');
    await until(page, "!document.querySelector('dialog')");
    assert.equal(await page.locator('.zones-fields input[type=text]').inputValue(), 'changed');
    await page.evaluate('history.back()');
    await page.waitForSelector('dialog[open]');
    await page.click('dialog button:has-text("Save and go")');
    await page.waitForSelector('.zones-choice');
    assert.equal((await read()).zones[0]?.id, 'changed');
    await page.context().close();
  });

  it('shows what is counted while it is, over the live picture, and nothing to change for who may not', async (t) => {
    if (!seeing) return t.skip('no detector at hand');
    const everywhere = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    await put(
      {
        units: 'fraction',
        always: true,
        zones: [{ id: 'all', polygon: everywhere }],
        lines: [{ id: 'road', from: [0.5, 1], to: [0.5, 0] }],
      },
      'seen',
    );
    const { page, troubles } = await open('#zones/seen', DESKTOP, false);
    await page.click('button:has-text("Live picture")');
    await until(page, "document.querySelector('video.zones-picture')?.currentTime > 0");
    await until(page, "/[1-9]\\d* inside/.test(document.querySelector('.zones-list').textContent)", 30_000);
    assert.equal(await page.locator('.zones-note').innerText(), 'You may look at these zones, and not change them.');
    assert.equal(await page.locator('.zones-save, button:has-text("New zone")').count(), 0);
    assert.deepEqual(await complaints(page), []);
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('looks right on desktops and phones, by day and by night, and axe finds nothing', async () => {
    const source = seeing ? 'seen' : 'clip';
    await put(
      {
        units: 'fraction',
        zones: [
          {
            id: 'car-park',
            polygon: [
              [0.05, 0.55],
              [0.4, 0.5],
              [0.45, 0.95],
              [0.05, 0.97],
            ],
            ...(seeing && { classes: ['car'] }),
            min_dwell_ms: 5000,
          },
          {
            id: 'pavement',
            polygon: [
              [0.55, 0.35],
              [0.95, 0.3],
              [0.95, 0.5],
              [0.58, 0.55],
            ],
          },
        ],
        lines: [{ id: 'gate', from: [0.5, 0.98], to: [0.52, 0.6] }],
      },
      source,
    );
    for (const [name, viewport] of [
      ['desktop', { width: 1280, height: 900 }],
      ['phone', { width: 390, height: 844 }],
    ] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open(`#zones/${source}`, { viewport, colorScheme, hasTouch: name === 'phone', isMobile: name === 'phone' });
        await page.click('.zones-row:has-text("car-park")');
        await until(page, "document.querySelector('img.zones-picture')?.complete && document.querySelector('.zones-handles')");
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), viewport.width);
        assert.deepEqual(await complaints(page), []);
        await page.screenshot({ path: path.join(screens, `app-zones-${name}-${colorScheme}.png`), fullPage: name === 'phone' });
        if (name === 'desktop' && colorScheme === 'light') {
          await page.click('a:has-text("Other sources")');
          await page.waitForSelector('.zones-choice li');
          assert.deepEqual(await complaints(page), []);
          await page.screenshot({ path: path.join(screens, 'app-zones-choice.png') });
        }
        await page.context().close();
      }
  });
});
