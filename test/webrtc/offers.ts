/** Offers as real clients write them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Rendition, SourceMedia } from '../../src/media/index.js';
import { negotiate, type Plan } from '../../src/webrtc/sdp/negotiate.js';
import { parseSdp } from '../../src/webrtc/sdp/parse.js';
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

/** What an offer as it comes is negotiated to. */
export function planOf(sdp: string, source: SourceMedia, requested?: readonly Rendition[]): Plan {
  return negotiate(parseSdp(sdp), source, requested);
}
