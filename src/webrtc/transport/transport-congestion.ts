/**
 * What one transport knows of its network, and what it sends under that: numbers packets, keeps what is under way, hands
 * to the controller what the receiver tells, and paces.
 */
import { CongestionController, type ReceptionSummary } from '../congestion/index.js';
import type { Arrivals } from './arrivals.js';
import type { Pacer } from './pacer.js';
import type { Congestion, RtpPacket } from './packet-transport.js';
import { SentPackets } from './sent-packets.js';
import { TransportPacing } from './transport-pacing.js';

/** What protection adds to a packet, at most. */
const TAG_BYTES = 16;
/** abs-send-time counts in 2^-18 s, and starts again after 64 s. */
const SEND_TIME_UNITS_PER_MS = 2 ** 18 / 1000;
const SEND_TIME_WRAP = 2 ** 24;
/** Listeners are told that time passes no more often. */
const TELL_MS = 50;

/** The way to the peer, as far as it can be asked itself. */
export interface CheckedPath {
  /** Sends a check; its answer is told by `receiveAnswer`. */
  checkPath(id: number): void;
}

/** Congestion control of one transport. */
export class TransportCongestion implements Congestion {
  readonly controller = new CongestionController();
  readonly pacing: TransportPacing;
  readonly #pacer: Pacer;
  readonly #now: () => number;
  readonly #path: () => CheckedPath | undefined;
  readonly #sent = new SentPackets();
  readonly #listeners = new Set<(nowMs: number) => void>();
  #toldMs = -Infinity;
  /** Packets have left that the receiver acknowledges. */
  #isNumbered = false;

  /**
   * @param now monotonic ms
   * @param path default: none that can be asked
   */
  constructor(pacer: Pacer, now: () => number, path: () => CheckedPath | undefined = () => undefined) {
    this.#pacer = pacer;
    this.#now = now;
    this.#path = path;
    this.pacing = new TransportPacing(
      this.controller,
      pacer,
      now,
      () => this.#timePasses(),
      () => this.#isAsking,
    );
  }

  onUpdated(listener: (nowMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Another path is in use. @param roundTripMs as its checks told it; undefined where they did not */
  setPath(roundTripMs: number | undefined): void {
    this.controller.setPath(roundTripMs);
    this.#updated();
  }

  /** New packets leave now, in that order: fills the places in their headers. Once for each, before it is encrypted. */
  leave(packets: readonly RtpPacket[]): void {
    const nowMs = this.#now();
    const sendTime = Math.floor(nowMs * SEND_TIME_UNITS_PER_MS) % SEND_TIME_WRAP;
    let bytes = 0;
    let numberedBytes = 0;
    for (const { header, payload, places } of packets) {
      const sizeBytes = header.length + payload.length + TAG_BYTES;
      bytes += sizeBytes;
      if (!places) continue;
      const { sequenceAt, sendTimeAt } = places;
      if (sequenceAt > 0) {
        const number = this.#sent.add(nowMs, sizeBytes);
        numberedBytes += sizeBytes;
        header[sequenceAt] = number >>> 8;
        header[sequenceAt + 1] = number & 0xff;
      }
      if (sendTimeAt > 0) {
        header[sendTimeAt] = sendTime >>> 16;
        header[sendTimeAt + 1] = (sendTime >>> 8) & 0xff;
        header[sendTimeAt + 2] = sendTime & 0xff;
      }
    }
    this.#isNumbered ||= numberedBytes > 0;
    this.#count(bytes, numberedBytes, nowMs);
  }

  /** Packets leave once more: under no new number, so that their second arrival is not counted. */
  repeat(packets: readonly RtpPacket[]): void {
    const bytes = packets.reduce((sum, { header, payload }) => sum + header.length + payload.length + TAG_BYTES, 0);
    this.#count(bytes, 0, this.#now());
  }

  receiveArrivals(arrivals: Arrivals): void {
    const results = this.#sent.resolve(arrivals);
    if (results.length === 0) return;
    this.controller.onFeedback(results, this.#now());
    this.#updated();
  }

  receiveEstimate(bitrateBps: number): void {
    this.controller.onRemb(bitrateBps, this.#hearing());
    this.#updated();
  }

  receiveReport(summary: ReceptionSummary): void {
    this.controller.onReport(summary, this.#hearing());
    this.#updated();
  }

  /** A check of the path was answered. @param roundTripMs undefined: it is not known */
  receiveAnswer(id: number, roundTripMs: number | undefined): void {
    this.controller.onChecked(id, roundTripMs, this.#hearing());
    this.#updated();
  }

  /** Nothing waits, and nobody is told any more. Idempotent. */
  close(): void {
    this.#listeners.clear();
    this.pacing.close();
  }

  /** Now, where something is heard of the network: late, where this process is. */
  #hearing(): number {
    const nowMs = this.#now();
    if (this.#pacer.isLate(nowMs)) this.controller.excuse(nowMs);
    return nowMs;
  }

  /** What nobody can acknowledge, as the sound of Firefox, would look like silence where other packets are. */
  #count(bytes: number, numberedBytes: number, nowMs: number): void {
    const countedBytes = this.#isNumbered ? numberedBytes : bytes;
    if (countedBytes > 0) this.controller.onSent(countedBytes, nowMs);
    this.pacing.spent(bytes);
  }

  /** What is paced differently by now leaves at once. */
  #updated(): void {
    this.#tell(this.#now());
    if (this.pacing.isPaced || this.#isAsking) this.pacing.wake();
  }

  /** Nobody acknowledges packets: the path itself is asked. */
  get #isAsking(): boolean {
    return !this.#isNumbered && this.#path() !== undefined;
  }

  #timePasses(): void {
    const nowMs = this.#now();
    const path = this.#path();
    const check = path && this.controller.checkDue(nowMs);
    if (check !== undefined) path?.checkPath(check);
    if (nowMs - this.#toldMs >= TELL_MS) this.#tell(nowMs);
  }

  #tell(nowMs: number): void {
    this.#toldMs = nowMs;
    for (const listener of this.#listeners) listener(nowMs);
  }
}
