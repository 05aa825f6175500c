/**
 * When frames of a publisher were captured, on this machine's wall clock, where the publisher says it (abs-capture-time,
 * about once a second). Its clock is known from its Sender Reports: of several, the one that was quickest on its way.
 */
import type { HeaderExtension } from '../header-extensions.js';

/** From NTP's epoch to Unix's. */
const NTP_EPOCH_MS = 2_208_988_800_000;
const KEPT_REPORTS = 10;
/** Frames that wait for the rest of their packets. */
const MAX_WAITING = 16;

/** The capture times of one stream. */
export class CaptureTimes {
  /** Our wall clock minus the sender's, by its newest reports. */
  #behindMs: number[] = [];
  /** By the sender's clock, by RTP timestamp. */
  readonly #captured = new Map<number, number>();

  /** @param ntpMs the sender's wall clock, ms since NTP's epoch @param wallClockMs ours, on arrival */
  senderReport(ntpMs: number, wallClockMs: number, roundTripMs = 0): void {
    this.#behindMs = [...this.#behindMs, wallClockMs - roundTripMs / 2 - (ntpMs - NTP_EPOCH_MS)].slice(-KEPT_REPORTS);
  }

  /** @param value of the header extension: NTP time, and how far that clock is from the sender's where it is another's */
  packet(rtpTimestamp: number, value: HeaderExtension['value'] | undefined): void {
    if (value?.length !== 8 && value?.length !== 16) return;
    const offsetMs = value.length === 16 ? (Number(value.readBigInt64BE(8)) / 2 ** 32) * 1000 : 0;
    this.#captured.set(rtpTimestamp, value.readUInt32BE(0) * 1000 + (value.readUInt32BE(4) * 1000) / 2 ** 32 - offsetMs);
    for (const oldest of this.#captured.keys()) if (this.#captured.size > MAX_WAITING) this.#captured.delete(oldest);
  }

  /** Ms; undefined where nobody says. */
  take(rtpTimestamp: number): number | undefined {
    const captured = this.#captured.get(rtpTimestamp);
    this.#captured.delete(rtpTimestamp);
    if (captured === undefined || this.#behindMs.length === 0) return undefined;
    return captured - NTP_EPOCH_MS + Math.min(...this.#behindMs);
  }

  /** Another stream, with other timestamps. */
  restart(): void {
    this.#captured.clear();
  }
}
