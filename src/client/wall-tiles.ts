/** What the tiles of a wall show, in words of the page and of the server. Pure. */
import type { DetectionsMessage } from './detection-message.js';
import type { Reason, SightlineError } from './errors.js';
import type { QualityChange } from './quality.js';
import type { Rendition } from './viewing.js';

/** What a tile is to show. */
export interface WallTile {
  /** Name of the source. */
  readonly source: string;
  /** Default `raw`. */
  readonly rendition?: Rendition;
  /** No quality is taller, by its shorter side in pixels, where the source has one that is not. Default: no limit. */
  readonly maxHeight?: number;
}

/**
 * `empty`: it shows nothing, as was asked; `connecting`: the server has not said yes so far; `live`: it has; `ended`: the source is
 * away, and the tile goes on by itself once it is back; `refused`: there is no such source, or it cannot be watched: it is asked for
 * again every 10 s.
 */
export type TilePhase = 'empty' | 'connecting' | 'live' | 'ended' | 'refused';

/** A tile as it is now. */
export interface TileState {
  /** What it is to show; undefined: nothing. */
  readonly tile: WallTile | undefined;
  /** How that goes. */
  readonly phase: TilePhase;
  /** Why it shows nothing, with `ended` and `refused`. */
  readonly reason?: Reason;
  /** As the server said last; undefined while it is `source` from the start. */
  readonly quality?: QualityChange;
}

/** What was detected in a frame of a tile. */
export interface TileDetections {
  /** Which tile, from 0 on. */
  readonly index: number;
  /** With the RTP timestamp of that frame on the tile's own m-line, as `FramePairing` takes it. */
  readonly message: DetectionsMessage;
}

/** As an item of `tracks`, or as members of the command `select`. */
export function itemOf({ source, rendition = 'raw', maxHeight }: WallTile): object {
  return { source, rendition, ...(maxHeight !== undefined && { max_height: maxHeight }) };
}

/** The same for tiles that show the same. */
export function keyOf(tile: WallTile | undefined): string {
  return tile ? JSON.stringify([tile.source, tile.rendition ?? 'raw', tile.maxHeight ?? null]) : '';
}

/**
 * Which sources a server refused when it was asked for all of them: it names the item, or the source. None where it means something else.
 * @param tiles as they were asked for
 */
export function refusedSources({ message, isPermanent }: SightlineError, tiles: readonly (WallTile | undefined)[]): readonly string[] {
  if (!isPermanent) return [];
  const index = /^tracks\[(\d+)\]/.exec(message)?.[1];
  const named = index === undefined ? undefined : tiles[Number(index)]?.source;
  if (named !== undefined) return [named];
  return [...new Set(tiles.flatMap((tile) => tile?.source ?? []))]
    .filter((source) => message.includes(`'${source.slice(0, 80)}'`))
    .slice(0, 1);
}

/** A message for each m-line that shows its frame. @param mids of the tiles' m-lines, in order */
export function detectionsOf(
  message: DetectionsMessage,
  tiles: readonly (WallTile | undefined)[],
  mids: readonly (string | null)[],
): TileDetections[] {
  return (message.m_lines ?? []).flatMap(({ mid, rtp_timestamp: timestamp }) => {
    const index = mids.indexOf(mid);
    const tile = tiles[index];
    if (tile?.source !== message.source) return [];
    return [{ index, message: { ...message, rtp_timestamp: { [tile.rendition ?? 'raw']: timestamp } } }];
  });
}
