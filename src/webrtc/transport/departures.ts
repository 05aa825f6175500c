/** Writes into packets what is known only when they leave: the transport's own count of them, and the time. */
import { randomInt } from 'node:crypto';
import type { RtpPacket } from './packet-transport.js';

/** abs-send-time counts in 2^-18 s, and starts again after 64 s. */
const SEND_TIME_UNITS_PER_MS = 2 ** 18 / 1000;
const SEND_TIME_WRAP = 2 ** 24;

/** Of one transport: its streams, their repairs and probes share the numbers. */
export class Departures {
  #next = randomInt(2 ** 15);

  /** The packet leaves now. To be called once for each packet, before it is encrypted. */
  stamp({ header, places }: RtpPacket, nowMs: number): void {
    if (!places) return;
    const { sequenceAt, sendTimeAt } = places;
    if (sequenceAt > 0) {
      const number = this.#next++;
      header[sequenceAt] = (number >>> 8) & 0xff;
      header[sequenceAt + 1] = number & 0xff;
    }
    if (sendTimeAt > 0) {
      const units = Math.floor(nowMs * SEND_TIME_UNITS_PER_MS) % SEND_TIME_WRAP;
      header[sendTimeAt] = units >>> 16;
      header[sendTimeAt + 1] = (units >>> 8) & 0xff;
      header[sendTimeAt + 2] = units & 0xff;
    }
  }
}
