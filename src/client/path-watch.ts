/**
 * Notices that nothing arrives any more, long before a browser says `disconnected`: what is sent or received in a
 * connection that flows makes packets come at least once a second, reports if nothing else. Pure.
 */
import { SLEPT_MS } from './frame-watch.js';

/** Two reports that did not come, and some. */
const SILENT_MS = 2_500;

/** Watches the bytes that one connection receives. */
export class PathWatch {
  #bytes: number | undefined;
  #sinceMs = 0;
  #lookedAtMs = -Infinity;

  /** Begins afresh: over another connection, or where nothing is expected. */
  reset(): void {
    this.#bytes = undefined;
  }

  /** True where nothing has come for `SILENT_MS`. @param bytes received so far; undefined where the browser does not tell */
  isSilent(bytes: number | undefined, nowMs: number): boolean {
    const slept = nowMs - this.#lookedAtMs > SLEPT_MS;
    this.#lookedAtMs = nowMs;
    if (bytes === undefined || bytes !== this.#bytes || slept) {
      this.#bytes = bytes;
      this.#sinceMs = nowMs;
      return false;
    }
    return nowMs - this.#sinceMs >= SILENT_MS;
  }
}

/** Bytes that came over all paths of a connection; undefined where the browser does not tell. */
export function bytesReceived(report: RTCStatsReport): number | undefined {
  let bytes: number | undefined;
  report.forEach((entry: { type: string; bytesReceived?: number }) => {
    if (entry.type === 'candidate-pair' && entry.bytesReceived !== undefined) bytes = (bytes ?? 0) + entry.bytesReceived;
  });
  return bytes;
}
