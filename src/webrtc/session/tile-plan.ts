/** What m-lines of video are to show, once their sources are found. */
import { MediaPeerError } from '../../base/errors.js';
import type { OpenedSource } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { TileChoice } from '../channels/watched-media.js';
import { openNamed } from './open-watched.js';
import type { Aim, Tiles } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';
import { WatchedSource } from './watched-source.js';

/** What one m-line is to show. */
export interface PlannedTile {
  /** Of the m-line. */
  readonly stream: ViewerStream;
  /** How errors name it. */
  readonly name: string;
  /** Undefined: nothing. */
  readonly source: WatchedSource | undefined;
  /** As of `Aim`. */
  readonly maxHeightPx: number;
  /** What it is to carry; undefined: nothing. */
  readonly aim: Aim | undefined;
  /** The source as it was found for this; undefined where it was live already, and may have ended since. */
  readonly opened?: OpenedSource | undefined;
  /** It needs another track than it has. */
  readonly isOther: boolean;
}

/**
 * @param choices by the index among the m-lines of video
 * @throws MediaPeerError COMMAND_INVALID for one that shows nothing and is told no source, or what the gateway throws
 */
export async function planTiles(
  choices: ReadonlyMap<number, TileChoice | 'nothing'>,
  tiles: Tiles,
  gateway: Pick<MediaGateway, 'open'>,
): Promise<PlannedTile[]> {
  const made = new Map<string, WatchedSource>();
  const sourceOf = (id: string): WatchedSource => {
    const source = tiles.named(id) ?? made.get(id) ?? new WatchedSource(id, undefined);
    made.set(id, source);
    return source;
  };
  const wanted = [...choices].flatMap(([index, choice]) => {
    const stream = tiles.videos[index];
    return stream ? [{ stream, choice, source: wantedSource(stream, choice, tiles, sourceOf) }] : [];
  });
  const missing = wanted.flatMap(({ choice, source }) =>
    choice === 'nothing' || !source || source.live ? [] : [{ sourceId: source.sourceId, name: choice.name }],
  );
  const opened = await openNamed(gateway, missing);
  return wanted.map(({ stream, choice, source }) => plannedTile({ stream, choice, source, tiles, opened }));
}

/** Undefined: nothing. */
function wantedSource(
  stream: ViewerStream,
  choice: TileChoice | 'nothing',
  tiles: Tiles,
  sourceOf: (id: string) => WatchedSource,
): WatchedSource | undefined {
  if (choice === 'nothing') return undefined;
  const { source, name } = choice;
  const wanted = source === undefined ? tiles.watchedOn(stream) : source === null ? tiles.own : sourceOf(source);
  if (wanted) return wanted;
  throw new MediaPeerError('COMMAND_INVALID', `${name} shows nothing now; name its "source", too`);
}

interface Wanted {
  readonly stream: ViewerStream;
  readonly choice: TileChoice | 'nothing';
  readonly source: WatchedSource | undefined;
  readonly tiles: Tiles;
  readonly opened: ReadonlyMap<string, OpenedSource>;
}

function plannedTile({ stream, choice, source, tiles, opened }: Wanted): PlannedTile {
  const before = tiles.maxHeightOf(stream);
  if (choice === 'nothing' || !source) return { stream, name: '', source: undefined, maxHeightPx: before, aim: undefined, isOther: false };
  const { name, rendition = stream.rendition ?? 'raw', maxHeightPx: limit } = choice;
  const maxHeightPx = limit === undefined ? before : (limit ?? Infinity);
  const found = source.live ? undefined : opened.get(source.sourceId);
  const live = source.live ?? found;
  const isOther = tiles.watchedOn(stream) !== source || source.live === undefined || stream.rendition !== rendition;
  return { stream, name, source, maxHeightPx, aim: live && { source: live, rendition, maxHeightPx }, opened: found, isOther };
}
