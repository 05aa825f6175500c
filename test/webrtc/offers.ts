/** Offers as real clients write them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../helpers/assets.js';

const folder = path.join(projectRoot, 'test/fixtures/sdp');

/** The names of all offers: `chromium`, `firefox`, ... */
export const offerNames = readdirSync(folder)
  .filter((file) => file.endsWith('.sdp'))
  .map((file) => path.basename(file, '.sdp'));

export function offer(name: string): string {
  return readFileSync(path.join(folder, `${name}.sdp`), 'utf8');
}

/** The m-section of an answer or offer, from its `m=` on. */
export function mediaSection(sdp: string, index: number): string {
  return sdp.split(/^m=/m)[index + 1] ?? '';
}
