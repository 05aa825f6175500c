/** What a viewer may ask for in quality. */
import { MediaPeerError } from '../../base/errors.js';
import { SOURCE_RUNG } from '../../media/index.js';
import type { Aim } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';

/** The quality follows the network. */
export const AUTO = 'auto';
/** Another word for the best rung. */
const HIGH = 'high';

/** The wish that a command names. @param aims of the streams that it is for @throws MediaPeerError COMMAND_UNSUPPORTED where none of them has such a quality */
export function readWish(quality: string, aims: ReadonlyMap<ViewerStream, Aim>): string {
  if (quality === HIGH) return SOURCE_RUNG;
  const names = new Set([
    SOURCE_RUNG,
    ...[...aims].flatMap(([stream, { source, rendition }]) => stream.ladderOf(source, rendition).map(({ name }) => name)),
  ]);
  if (quality === AUTO || names.has(quality)) return quality;
  const sources = [...new Set([...aims.values()].map(({ source }) => `'${source.sourceId}'`))];
  throw new MediaPeerError(
    'COMMAND_UNSUPPORTED',
    `source ${sources.join(', ')} has no quality '${quality}'; there is ${[AUTO, HIGH, ...names].join(', ')}`,
  );
}
