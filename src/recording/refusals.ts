/** What whoever asks for the past is told where there is none, in words that say what there is. */
import { MediaPeerError } from '../base/errors.js';
import type { TimeRange } from './recorded.js';

/** RECORDING_NOT_FOUND. */
export function recordingNotFound(sourceId: string): MediaPeerError {
  return new MediaPeerError(
    'RECORDING_NOT_FOUND',
    `nothing is recorded of '${sourceId.slice(0, 80)}': it was never recorded, or that is older than RECORD_RETENTION`,
  );
}

/** RECORDING_OUT_OF_RANGE. @param there from the first to the last that is recorded of it @param asked what was asked for, in words: `the time 1796000000` */
export function outOfRange(sourceId: string, there: TimeRange, asked: string): MediaPeerError {
  const [from, to] = [seconds(there.fromMs), seconds(there.toMs)];
  return new MediaPeerError(
    'RECORDING_OUT_OF_RANGE',
    `${asked} is not recorded of '${sourceId}': there is something from ${from} (${iso(there.fromMs)}) to ${to} (${iso(there.toMs)}); ask for a time between`,
    { facts: { from, to } },
  );
}

/** RECORDING_KEPT. @param kept what stands in the way */
export function isKept(sourceId: string, kept: TimeRange): MediaPeerError {
  const [from, to] = [seconds(kept.fromMs), seconds(kept.toMs)];
  return new MediaPeerError(
    'RECORDING_KEPT',
    `nothing was removed: ${from} to ${to} of '${sourceId}' is to be kept; DELETE /recordings/${encodeURIComponent(sourceId)}/keep?from=${from}&to=${to} releases it`,
    { facts: { from, to } },
  );
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** Times that no calendar has are told as they are. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
