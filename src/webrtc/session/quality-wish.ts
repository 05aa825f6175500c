/** What a viewer may ask for in quality. */
import { MediaPeerError } from '../../base/errors.js';
import { SOURCE_RUNG, type OpenedSource } from '../../media/index.js';
import type { ViewerStream } from './viewer-stream.js';

/** The quality follows the network. */
export const AUTO = 'auto';
/** Another word for the best rung. */
const HIGH = 'high';

/** The wish that a command names. @throws MediaPeerError COMMAND_UNSUPPORTED where the source has no such quality for any of these streams */
export function readWish(quality: string, source: OpenedSource, streams: readonly ViewerStream[]): string {
  if (quality === HIGH) return SOURCE_RUNG;
  const names = new Set([SOURCE_RUNG, ...streams.flatMap((stream) => stream.ladderOf(source).map(({ name }) => name))]);
  if (quality === AUTO || names.has(quality)) return quality;
  throw new MediaPeerError(
    'COMMAND_UNSUPPORTED',
    `source '${source.sourceId}' has no quality '${quality}'; there is ${[AUTO, HIGH, ...names].join(', ')}`,
  );
}
