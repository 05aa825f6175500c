/** LADDER: lower qualities of every source. */
import type { Variable } from './variable.js';

/** A lower quality: the shorter side of its frames in pixels, and bits a second. */
interface LadderItem {
  readonly shortSidePx: number;
  readonly bitrateBps: number;
}

const MAX_RUNGS = 16;

/** The rungs of a list, the best first, or what is wrong with it. */
function readLadder(value: string): readonly LadderItem[] | string {
  const items: LadderItem[] = [];
  for (const part of value.split(',').map((item) => item.trim())) {
    const [, height, kbps] = /^(\d{1,5})p:(\d{1,7})$/.exec(part) ?? [];
    const item = { shortSidePx: Number(height), bitrateBps: 1000 * Number(kbps) };
    if (height === undefined) return `'${part}' is not of that form`;
    if (item.shortSidePx % 2 !== 0) return `${height}p is odd`;
    if (item.shortSidePx < 16 || item.shortSidePx > 4320) return `${height}p is not in [16p, 4320p]`;
    if (item.bitrateBps < 10_000 || item.bitrateBps > 100_000_000) return `${kbps} kbit/s is not in [10, 100000]`;
    if (items.some(({ shortSidePx }) => shortSidePx === item.shortSidePx)) return `${height}p stands in it twice`;
    items.push(item);
  }
  if (items.length > MAX_RUNGS) return `it has ${items.length} rungs`;
  items.sort((a, b) => b.shortSidePx - a.shortSidePx);
  const rising = items.find(({ bitrateBps }, i) => i > 0 && bitrateBps >= (items[i - 1]?.bitrateBps ?? Infinity));
  return rising ? `${rising.shortSidePx}p takes no less than the next larger one` : items;
}

/** Of LADDER; empty: none. */
export const ladder: Variable<'auto' | readonly LadderItem[]> = {
  shownDefault: 'auto',
  description:
    'Lower qualities for viewers on slow links, encoded while somebody needs one: the shorter side of the picture and kbit/s, such as `540p:1100,360p:550`. `auto`: of `720p:1800,540p:1100,360p:550,180p:180` those that are smaller than the source and take at most 0.7 of its bitrate. `off`: none.',
  allowed: `auto, off, or up to ${MAX_RUNGS} heights with kbit/s such as 540p:1100,360p:550, even, each once, the smaller with fewer`,
  defaultValue: 'auto',
  parse(value) {
    if (value === 'auto') return 'auto';
    const rungs = value === 'off' ? [] : readLadder(value);
    return typeof rungs === 'string' ? undefined : rungs;
  },
  explain(value) {
    const rungs = readLadder(value);
    return typeof rungs === 'string' ? rungs : undefined;
  },
};
