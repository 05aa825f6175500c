/** What a wall shows, as its address says. Pure. */
import { hashOf } from '../app/router.js';
import type { KeptTile, WallContent } from '../api/walls.js';

/** What the address of a wall says. */
export interface WallAddress extends WallContent {
  /** It was opened, or kept, by this name. */
  readonly name?: string;
  /** Whether boxes are drawn; undefined: on walls of few tiles. */
  readonly boxes?: boolean;
  /** Place of the tile that is enlarged, from 0 on. */
  readonly enlarged?: number;
  /** Without anything around the pictures. */
  readonly kiosk: boolean;
}

/** A tile with a name of its own: the same source may stand on a wall twice. */
export interface PlacedTile extends KeptTile {
  /** The same for the same tile while others come, go and move. */
  readonly id: string;
}

/** Tiles of a wall. */
export const MOST_TILES = 16;
/** Columns that somebody may ask for. */
export const MOST_COLUMNS = 6;
/** Beyond, boxes are drawn only where somebody asks: each source that is looked at takes a part of the server. */
const BOXES_UP_TO = 4;
const PROCESSED = '!processed';

/** @param query of `#wall?s=gate,yard&columns=2` */
export function readAddress(query: URLSearchParams): WallAddress {
  const number = (name: string, from: number, to: number): number | undefined => {
    const value = Number(query.get(name) ?? NaN);
    return Number.isInteger(value) && value >= from && value <= to ? value : undefined;
  };
  const listed = query.get('s') ?? '';
  const tiles = listed === '' ? [] : listed.split(',').filter(Boolean).slice(0, MOST_TILES).map(readTile);
  const [columns, enlarged] = [number('columns', 1, MOST_COLUMNS), number('big', 0, tiles.length - 1)];
  const [name, boxes] = [query.get('name') ?? '', query.get('boxes')];
  return {
    tiles,
    kiosk: query.get('kiosk') === '1',
    ...(columns !== undefined && { columns }),
    ...(enlarged !== undefined && { enlarged }),
    ...(name !== '' && { name }),
    ...((boxes === '0' || boxes === '1') && { boxes: boxes === '1' }),
  };
}

/** The hash of a wall. */
export function wallHash({ tiles, columns, name, boxes, enlarged, kiosk }: WallAddress): string {
  const hash = hashOf('wall', [], {
    s: tiles.map(writeTile).join(','),
    columns: columns?.toString(),
    boxes: boxes === undefined ? undefined : boxes ? '1' : '0',
    name,
    big: enlarged?.toString(),
    kiosk: kiosk ? '1' : undefined,
  });
  // A comma needs no escape there, and a link that says what it shows is one that people trust.
  return hash.replaceAll('%2C', ',').replaceAll('%21', '!');
}

/** Each tile with a name of its own. */
export function placed(tiles: readonly KeptTile[]): PlacedTile[] {
  const seen = new Map<string, number>();
  return tiles.map((tile) => {
    const key = writeTile(tile);
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return { ...tile, id: times === 1 ? key : `${key}!${times}` };
  });
}

/** Whether boxes are drawn. */
export function drawsBoxes({ boxes, tiles }: Pick<WallAddress, 'boxes' | 'tiles'>): boolean {
  return boxes ?? tiles.length <= BOXES_UP_TO;
}

/** Another order: the tile at `from` comes to stand at `to`. */
export function moved<T>(tiles: readonly T[], from: number, to: number): T[] {
  const tile = tiles[from];
  if (tile === undefined || to < 0 || to >= tiles.length) return [...tiles];
  const others = tiles.filter((_, index) => index !== from);
  return [...others.slice(0, to), tile, ...others.slice(to)];
}

/** Same tiles in the same places and columns. */
export function isSame(a: WallContent, b: WallContent): boolean {
  return a.columns === b.columns && a.tiles.map(writeTile).join() === b.tiles.map(writeTile).join();
}

function writeTile({ source, rendition }: KeptTile): string {
  return (
    source.replace(/[%,!]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`) +
    (rendition === 'processed' ? PROCESSED : '')
  );
}

function readTile(text: string): KeptTile {
  const isProcessed = text.endsWith(PROCESSED);
  const source = (isProcessed ? text.slice(0, -PROCESSED.length) : text).replace(/%(25|2C|21)/gi, (escaped) => decodeURIComponent(escaped));
  return { source, ...(isProcessed && { rendition: 'processed' }) };
}
