/** Finds the sources that a viewer wants to watch. */
import { MediaPeerError } from '../../base/errors.js';
import type { OpenedSource, Rendition, SourceMedia } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { OpenedTile, WatchRequest } from '../api/requests.js';
import type { Plan } from '../sdp/negotiate.js';
import type { TileToNegotiate } from '../sdp/wall.js';
import type { WallSources, WatchedSources } from './tiles.js';

/** A source, and how errors name who wants it: `tracks[2]`. */
export interface NamedSource {
  /** Its id. */
  readonly sourceId: string;
  /** Who wants it. */
  readonly name: string;
}

/**
 * One that is not live does not keep the others of a wall from being shown; it may come.
 * @throws MediaPeerError what the gateway throws for a source that cannot be watched, or for the first where none is live; DETECTION_OFF
 */
export async function openWatched(
  gateway: Pick<MediaGateway, 'open' | 'openPast'>,
  { sourceId, tiles, atMs }: WatchRequest,
): Promise<WatchedSources> {
  if (atMs !== undefined && tiles)
    throw new MediaPeerError('BODY_INVALID', 'at and a wall of several sources do not go together; leave one of them out');
  if (!tiles) {
    const own = await (atMs === undefined ? gateway.open(sourceId) : openPast(gateway, sourceId, atMs));
    return { sourceId, own, named: new Map(), tiles };
  }
  const wanted = tiles.flatMap((tile, index) => (tile ? [{ sourceId: tile.sourceId ?? sourceId, name: `tracks[${index}]`, tile }] : []));
  const all: NamedSource[] = wanted.some((each) => each.sourceId === sourceId) ? wanted : [...wanted, { sourceId, name: 'source' }];
  const away: MediaPeerError[] = [];
  const opened = await openNamed(gateway, all, (error) => away.push(error));
  if (opened.size === 0 && away[0]) throw away[0];
  for (const { name, sourceId: id, tile } of wanted) throwIfNotOffered(opened.get(id), tile.rendition, name);
  const named = new Map(
    tiles.flatMap((tile) => (tile?.sourceId === undefined ? [] : [[tile.sourceId, opened.get(tile.sourceId)] as const])),
  );
  return { sourceId, own: opened.get(sourceId), named, tiles };
}

/** What was recorded of a source, from that time on. @param atMs UTC in ms @throws MediaPeerError as `MediaGateway.openPast` */
export async function openPast({ openPast: open }: Pick<MediaGateway, 'openPast'>, sourceId: string, atMs: number): Promise<OpenedSource> {
  if (!open)
    throw new MediaPeerError('RECORDING_NOT_FOUND', `nothing is recorded of '${sourceId.slice(0, 80)}': this server records nothing`);
  return open(sourceId, atMs);
}

/** @throws MediaPeerError BODY_INVALID where a wall has more items than the offer has m-lines for */
export function throwIfTooMany(tiles: WatchRequest['tiles'], videoSections: number): void {
  if (tiles && tiles.length > videoSections)
    throw new MediaPeerError(
      'BODY_INVALID',
      `tracks has ${tiles.length} items, but the offer has ${videoSections} m-lines of video that can be sent to; add a recvonly one for each`,
    );
}

/** What the m-lines of a wall show at first. */
export function tilesToNegotiate({ own, named, tiles }: WallSources): TileToNegotiate[] {
  return tiles.map((tile) => ({
    rendition: tile?.rendition ?? 'raw',
    media: tile && (tile.sourceId === undefined ? own : named.get(tile.sourceId))?.media,
  }));
}

/** What the m-lines of video show that are served; undefined where it is no wall. */
export function openedTiles({ mLines }: Plan, { sourceId, tiles }: WatchedSources): OpenedTile[] | undefined {
  return (
    tiles &&
    mLines.flatMap((mLine) => {
      if (mLine.use !== 'video') return [];
      const tile = tiles[mLine.tile];
      return [{ mid: mLine.section.mid, shown: tile && { ...tile, sourceId: tile.sourceId ?? sourceId } }];
    })
  );
}

/** Every source that may be heard. */
export function soundOf({ own, named }: WallSources): SourceMedia[] {
  return [own, ...named.values()].flatMap((source) => source?.media ?? []);
}

/**
 * Opens these, each once, side by side.
 * @param onAway told of each that is not live, which is left out. Default: that is an error, too
 * @throws MediaPeerError the first error, with the name of who wants that source
 */
export async function openNamed(
  gateway: Pick<MediaGateway, 'open'>,
  wanted: readonly NamedSource[],
  onAway?: (error: MediaPeerError) => void,
): Promise<ReadonlyMap<string, OpenedSource>> {
  const first = new Map<string, string>();
  for (const { sourceId, name } of wanted) if (!first.has(sourceId)) first.set(sourceId, name);
  const opened = await Promise.allSettled([...first].map(async ([sourceId]) => gateway.open(sourceId)));
  const found = new Map<string, OpenedSource>();
  for (const [i, [sourceId, name]] of [...first].entries()) {
    const result = opened[i];
    if (result?.status === 'fulfilled') found.set(sourceId, result.value);
    else {
      const error = namedError(name, result?.reason);
      if (!onAway || error.code !== 'SOURCE_NOT_LIVE') throw error;
      onAway(error);
    }
  }
  return found;
}

/** @param name who wants it, for the message; default: nobody is named @throws MediaPeerError DETECTION_OFF */
export function throwIfNotOffered(source: OpenedSource | undefined, rendition: Rendition | undefined, name?: string): void {
  if (!source || rendition === undefined || source.media.renditions.includes(rendition)) return;
  const what = `source '${source.sourceId}' has no rendition '${rendition}'; it has ${source.media.renditions.join(', ')}`;
  throw new MediaPeerError('DETECTION_OFF', name === undefined ? what : `${name}: ${what}`);
}

/** @throws what is no error of this server's making */
function namedError(name: string, error: unknown): MediaPeerError {
  if (!(error instanceof MediaPeerError)) throw error;
  const { code, message, details, retryAfterS, cause } = error;
  return new MediaPeerError(code, `${name}: ${message}`, { details, cause, ...(retryAfterS !== undefined && { retryAfterS }) });
}
