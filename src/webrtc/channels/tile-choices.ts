/** What `select` says about the m-lines of a wall. */
import { MediaPeerError } from '../../base/errors.js';
import { isTile, type TrackItem } from '../api/track-items.js';
import type { Command } from './commands.js';
import type { ShownTile, TileChoice } from './watched-media.js';

/** The command `select`. */
export type Select = Extract<Command, { cmd: 'select' }>;

/**
 * By the index among the m-lines of video; undefined where the command is about all of them alike.
 * @throws MediaPeerError COMMAND_INVALID where there is no such m-line
 */
export function readTileChoices(command: Select, tiles: readonly ShownTile[]): ReadonlyMap<number, TileChoice | 'nothing'> | undefined {
  const { tracks, mid } = command;
  if (mid !== undefined) return new Map([[indexOf(mid, tiles), oneChoice(command, mid)]]);
  if (!isList(tracks)) return undefined;
  if (tracks.length > tiles.length)
    throw new MediaPeerError('COMMAND_INVALID', `tracks has ${tracks.length} items, but the session has ${tiles.length} m-lines of video`);
  return new Map(tracks.map((item, index) => [index, listedChoice(item, index)]));
}

/** Indexes of the m-lines of video that a command is about; undefined where it is about all alike. */
export function changedTiles({ tracks, mid }: Select, tiles: readonly ShownTile[]): readonly number[] | undefined {
  if (mid === undefined) return isList(tracks) ? [...tracks.keys()] : undefined;
  const index = tiles.findIndex((tile) => tile.mid === mid);
  return index < 0 ? [] : [index];
}

function isList(tracks: Select['tracks']): tracks is TrackItem[] {
  return tracks?.some((item) => item === null || isTile(item)) ?? false;
}

function indexOf(mid: string, tiles: readonly ShownTile[]): number {
  const index = tiles.findIndex((tile) => tile.mid === mid);
  if (index >= 0) return index;
  const known = tiles.flatMap((tile) => tile.mid ?? []).join(', ') || 'none';
  throw new MediaPeerError('COMMAND_INVALID', `the session has no m-line of video with mid '${mid}'; it has ${known}`);
}

/** What is left out stays as it is. */
function oneChoice({ source, rendition, max_height: maxHeightPx }: Select, mid: string): TileChoice | 'nothing' {
  return source === null ? 'nothing' : { name: `mid '${mid}'`, source, rendition, maxHeightPx };
}

/** An item says everything. */
function listedChoice(item: TrackItem, index: number): TileChoice | 'nothing' {
  if (item === null) return 'nothing';
  const name = `tracks[${index}]`;
  if (!isTile(item)) return { name, source: null, rendition: item, maxHeightPx: null };
  return { name, source: item.source, rendition: item.rendition, maxHeightPx: item.max_height ?? null };
}
