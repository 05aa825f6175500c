/** The page in a browser: opened with an ear on its console, and what tests look at. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { projectRoot } from '../helpers/assets.js';
import type { ChromiumHarness } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';

/** Where screenshots go. */
export const screens = path.join(projectRoot, 'dist/screens');
export const PLAYING = '#stage[data-phase=playing]';
/** What the overlay has drawn: pixels of its canvas that are not empty. */
export const DRAWN = `(() => {
  const canvas = document.querySelector('#stage .deck:has(video.on) canvas');
  if (!canvas?.width) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
  return drawn;
})()`;

/** Waits until an expression holds in the page. Playwright's own way evaluates in the page, which its policy forbids. */
export async function until(page: Page, expression: string, ms = 20_000): Promise<void> {
  await eventually(() => page.evaluate<boolean>(`Boolean(${expression})`), ms, expression);
}

/** What axe finds wrong with a page: all of its rules, whatever their severity, also those that are experimental. */
export async function complaints(page: Page): Promise<string[]> {
  await page.evaluate(`${readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')}; undefined`);
  return page.evaluate<string[]>(
    "axe.run({ rules: Object.fromEntries(axe.getRules().map(({ ruleId }) => [ruleId, { enabled: ruleId !== 'color-contrast-enhanced' }])) }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))",
  );
}

/** A page, and what its console and scripts complained about. `init` runs before the page's own scripts. */
export async function openPage(
  browser: ChromiumHarness,
  url: string,
  options: Parameters<ChromiumHarness['open']>[1],
  init?: string,
): Promise<{ page: Page; troubles: string[] }> {
  const troubles: string[] = [];
  const page = await browser.open('about:blank', options);
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => message.type() === 'error' && troubles.push(`${message.text()} ${message.location().url}`));
  if (init !== undefined) await page.addInitScript(init);
  await page.goto(url);
  return { page, troubles };
}
