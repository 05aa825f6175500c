/** How large tiles are, and how large their pictures need to be. Pure. */
import { contain } from '../overlay/layout.js';

/** CSS pixels. */
export interface Size {
  /** From left to right. */
  readonly width: number;
  /** From top to bottom. */
  readonly height: number;
}

/** Narrower than this nobody sees anything. */
const NARROWEST_PX = 260;
const ASPECT = 16 / 9;
/** Shorter sides that encoders are asked for. */
const STEPS_PX = [180, 360, 540, 720, 1080, 1440, 2160];
/** A picture that is this much smaller than its tile still looks sharp. */
const SHARP_ENOUGH = 0.8;

/** Columns with which tiles are largest inside a place; fewer where they would be too narrow, and the page is scrolled. */
export function bestColumns(count: number, { width, height }: Size): number {
  const most = Math.max(1, Math.min(count, Math.floor(width / NARROWEST_PX)));
  let [best, widest] = [most, 0];
  for (let columns = 1; columns <= most; columns++) {
    const rows = Math.ceil(count / columns);
    const tileWidth = Math.min(width / columns, (height / rows) * ASPECT);
    if (tileWidth > widest) [best, widest] = [columns, tileWidth];
  }
  // Where all is small anyway, scrolling through larger ones is better.
  return widest < NARROWEST_PX ? most : best;
}

/**
 * The shorter side that a tile's picture may have; undefined: any.
 * @param tile in CSS pixels @param ratio device pixels in one of them @param picture as it is now, where that is known
 */
export function heightFor(tile: Size, ratio: number, picture?: Size): number | undefined {
  const { width, height } = contain(tile.width, tile.height, picture?.width ?? ASPECT, picture?.height ?? 1);
  const needed = Math.min(width, height) * ratio * SHARP_ENOUGH;
  return STEPS_PX.find((step) => step >= needed);
}
