/** What a viewer may ask for in quality. */
import { MediaPeerError } from '../../base/errors.js';
import { SOURCE_RUNG, type Rung } from '../../media/index.js';
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

/**
 * What a stream may have of a ladder, the best first; never empty where the ladder is not. A quality that is not to be had now
 * still says how much its viewer wants: nothing taller is sent in its place.
 * @param maxHeightPx no rung is taller by its short side, where there is one that is not
 */
export function rungsWithin(rungs: readonly Rung[], wish: string, maxHeightPx: number): readonly Rung[] {
  const allowed = noTaller(rungs, maxHeightPx);
  return allowed.some(({ name }) => name === wish) ? allowed : noTaller(allowed, heightPxOf(wish));
}

/** Else the lowest one. */
function noTaller(rungs: readonly Rung[], maxHeightPx: number): readonly Rung[] {
  if (maxHeightPx === Infinity) return rungs;
  const fitting = rungs.filter(({ widthPx = 0, heightPx = 0 }) => Math.min(widthPx, heightPx) <= maxHeightPx);
  return fitting.length > 0 ? fitting : rungs.slice(-1);
}

/** The short side that the name of a lower rung tells; Infinity for all others. */
function heightPxOf(wish: string): number {
  const [, digits] = /^([0-9]+)p$/.exec(wish) ?? [];
  return digits === undefined ? Infinity : Number(digits);
}
