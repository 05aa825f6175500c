/** What m-lines of video are to show, once their sources are found. */
import { MediaPeerError } from '../../base/errors.js';
import type { OpenedSource } from '../../media/index.js';
import type { TileChoice } from '../channels/watched-media.js';
import type { ArrivingSources } from './arriving-sources.js';
import { openNamed } from './open-watched.js';
import type { Aim, Tiles } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';
import type { WatchedSource } from './watched-source.js';

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
 * @param arriving which expects the sources that they name
 * @throws MediaPeerError COMMAND_INVALID for one that shows nothing and is told no source, or what the gateway throws
 */
export async function planTiles(
  choices: ReadonlyMap<number, TileChoice | 'nothing'>,
  tiles: Tiles,
  arriving: ArrivingSources,
): Promise<PlannedTile[]> {
  const wanted = [...choices].flatMap(([index, choice]) => {
    const stream = tiles.videos[index];
    return stream ? [{ stream, choice, source: wantedSource(stream, choice, tiles, arriving) }] : [];
  });
  const missing = wanted.flatMap(({ choice, source }) =>
    choice === 'nothing' || !source || source.live ? [] : [{ sourceId: source.sourceId, name: choice.name }],
  );
  const opened = await openNamed(arriving, missing);
  return wanted.map(({ stream, choice, source }) => plannedTile({ stream, choice, source, tiles, opened }));
}

/** The sources that choices name. */
export function sourcesNamed(choices: Iterable<TileChoice | 'nothing'>): string[] {
  return [...choices].flatMap((choice) => (choice === 'nothing' ? [] : (choice.source ?? [])));
}

/** Undefined: nothing. */
function wantedSource(
  stream: ViewerStream,
  choice: TileChoice | 'nothing',
  tiles: Tiles,
  arriving: ArrivingSources,
): WatchedSource | undefined {
  if (choice === 'nothing') return undefined;
  const { source, name } = choice;
  const named = (id: string): WatchedSource | undefined => tiles.named(id) ?? arriving.named(id);
  const wanted = source === undefined ? tiles.watchedOn(stream) : source === null ? tiles.own : named(source);
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
