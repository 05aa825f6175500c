/** `tracks` as clients write it, by whichever door or command: what the video m-lines show, in order. */
import { Type, type Static } from 'typebox';
import { MediaPeerError, type ErrorCode } from '../../base/errors.js';
import { misspeltMember } from '../../base/near-miss.js';
import type { OpenedTile, TileRequest, WatchRequest } from './requests.js';

/** The most items: m-lines of video in one session. */
export const MAX_TRACKS = 16;
/** Taller than any picture. */
const MAX_HEIGHT_PX = 16_384;

/** A rendition of the video. */
export const RenditionSchema = Type.Enum(['raw', 'processed'], { description: 'As it is, or with detected objects drawn in' });

/** Of which source, in which rendition, and how tall at most. */
export const tileMembers = {
  source: Type.String({ minLength: 1, maxLength: 255, description: 'A source of /available-videos' }),
  rendition: RenditionSchema,
  max_height: Type.Optional(
    Type.Integer({
      minimum: 16,
      maximum: MAX_HEIGHT_PX,
      description: 'No quality is taller, by its shorter side in pixels, where the source has one that is not',
    }),
  ),
};

/** A source of its own for one m-line. */
const Tile = Type.Object(tileMembers, { description: 'A source of its own for this m-line' });

/** One item of `tracks`. */
export const TrackItemSchema = Type.Union([RenditionSchema, Tile, Type.Null()], {
  description: 'A rendition of the source of the session; or a source of its own (a wall); or null: nothing until the command `select`',
});
/** One item of `tracks`. */
export type TrackItem = Static<typeof TrackItemSchema>;

/** What is to be watched, and every source of that. */
export interface WantedTracks extends WatchRequest {
  /** Each once: whoever asks must be allowed to watch all of them. */
  readonly sourceIds: readonly string[];
}

/** The first source that items name; undefined where none does. */
export function firstSourceOf(tracks: readonly TrackItem[] = []): string | undefined {
  return tracks.find(isTile)?.source;
}

/**
 * What a client wants to watch.
 * @param tracks undefined: the server's choice
 * @param sourceId of the session
 * @throws MediaPeerError of that code for a misspelt member
 */
export function readTracks(tracks: readonly TrackItem[] | undefined, sourceId: string, code: ErrorCode): WantedTracks {
  const sourceIds = [...new Set([sourceId, ...(tracks ?? []).flatMap((item) => (isTile(item) ? [item.source] : []))])];
  const renditions = tracks?.filter((item) => typeof item === 'string');
  if (renditions?.length === tracks?.length) return { sourceId, sourceIds, ...(renditions && { renditions }) };
  return { sourceId, sourceIds, tiles: tracks?.map((item, index) => tileRequest(item, index, code)) };
}

/** True for an item with a source of its own. */
export function isTile(item: TrackItem): item is Static<typeof Tile> {
  return typeof item === 'object' && item !== null;
}

/** @throws MediaPeerError of that code for a misspelt member */
export function throwIfMisspelt(item: TrackItem, index: number, code: ErrorCode): void {
  const misspelt = isTile(item) ? misspeltMember(item, Object.keys(tileMembers)) : undefined;
  if (misspelt) throw new MediaPeerError(code, `tracks[${index}] has no member '${misspelt.name}': did you mean '${misspelt.meant}'?`);
}

/** The m-lines of a wall as clients are told of them. */
export function tileJson({ mid, shown }: OpenedTile) {
  if (!shown) return { mid: mid ?? null, source: null, rendition: null };
  const { sourceId, rendition, maxHeightPx } = shown;
  return { mid: mid ?? null, source: sourceId, rendition, ...(maxHeightPx !== undefined && { max_height: maxHeightPx }) };
}

function tileRequest(item: TrackItem, index: number, code: ErrorCode): TileRequest | undefined {
  throwIfMisspelt(item, index, code);
  if (item === null) return undefined;
  if (!isTile(item)) return { rendition: item };
  const { source: sourceId, rendition, max_height: maxHeightPx } = item;
  return { sourceId, rendition, ...(maxHeightPx !== undefined && { maxHeightPx }) };
}
