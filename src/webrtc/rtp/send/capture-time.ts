/**
 * abs-capture-time: when a frame was captured, by the clock of our Sender Reports. It stands on the first packet of a frame
 * once a second; what lies between, receivers count by RTP timestamps.
 */
import type { HeaderExtension } from '../header-extensions.js';
import { writeNtp } from '../rtcp.js';

const INTERVAL_MS = 1000;
const NTP_BYTES = 8;

/** The extension of one stream. */
export class CaptureTime {
  readonly #id: number | undefined;
  #toldAtMs = -Infinity;
  #offset: number | undefined;

  /** @param id as negotiated; undefined: it was not */
  constructor(id: number | undefined) {
    this.#id = id;
  }

  /** For the first packet of a frame; undefined where it carries none. @param timestampOffset that its RTP timestamp has: another one is told at once */
  next(capturedAtMs: number | undefined, timestampOffset: number, nowMs: number): HeaderExtension | undefined {
    if (this.#id === undefined || capturedAtMs === undefined) return undefined;
    if (timestampOffset === this.#offset && nowMs - this.#toldAtMs < INTERVAL_MS) return undefined;
    this.#toldAtMs = nowMs;
    this.#offset = timestampOffset;
    const value = Buffer.allocUnsafe(NTP_BYTES);
    writeNtp(value, 0, capturedAtMs);
    return { id: this.#id, value };
  }
}
