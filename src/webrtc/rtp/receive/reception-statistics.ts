/** What a Receiver Report says of one ssrc (RFC 3550 §6.4.1, appendices A.3 and A.8). */
import { ExtendedSequence } from './extended-sequence.js';
import type { ReportBlock } from './feedback-packets.js';

/** Counts the packets of one ssrc. */
export class ReceptionStatistics {
  readonly #clockRateHz: number;
  readonly #sequence = new ExtendedSequence();
  #first: number | undefined;
  #newest = 0;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #jitterTicks = 0;
  #transitTicks: number | undefined;
  #senderReport: { readonly compactNtp: number; readonly atMs: number } | undefined;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** Interarrival jitter (RFC 3550 §6.4.1), in milliseconds. */
  get jitterMs(): number {
    return (this.#jitterTicks * 1000) / this.#clockRateHz;
  }

  /** A packet of this ssrc came, duplicates included. */
  count(sequenceNumber: number, timestamp: number, nowMs: number): void {
    const index = this.#sequence.extend(sequenceNumber);
    this.#received++;
    this.#first ??= index;
    if (this.#received > 1 && index <= this.#newest) return; // sent again, or overtaken: says nothing about jitter
    this.#newest = index;
    const transitTicks = (Math.round((nowMs * this.#clockRateHz) / 1000) - timestamp) | 0;
    if (this.#transitTicks !== undefined) {
      const difference = Math.abs((transitTicks - this.#transitTicks) | 0);
      this.#jitterTicks += (difference - this.#jitterTicks) / 16;
    }
    this.#transitTicks = transitTicks;
  }

  /** @param compactNtp the middle 32 bits of its NTP time. */
  senderReport(compactNtp: number, nowMs: number): void {
    this.#senderReport = { compactNtp, atMs: nowMs };
  }

  /** What came since the previous report; undefined before the first packet. */
  report(ssrc: number, nowMs: number): ReportBlock | undefined {
    if (this.#first === undefined) return undefined;
    const expected = this.#newest - this.#first + 1;
    const expectedSince = expected - this.#expectedBefore;
    const lostSince = expectedSince - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    return {
      ssrc,
      fractionLost: expectedSince <= 0 || lostSince <= 0 ? 0 : lostSince / expectedSince,
      packetsLost: expected - this.#received,
      highestSequence: this.#newest,
      jitterTicks: Math.round(this.#jitterTicks),
      lastSenderReport: this.#senderReport?.compactNtp ?? 0,
      delaySinceLastSenderReport: this.#senderReport ? Math.round(((nowMs - this.#senderReport.atMs) * 65_536) / 1000) : 0,
    };
  }
}
