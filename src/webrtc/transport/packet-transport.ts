/** What the streams of a session send by: types only. A faster way of sending replaces what stands behind it. */
import type { CongestionController, ProbeDemand, ReceptionSummary } from '../congestion/index.js';
import type { Arrivals } from './arrivals.js';

/** Where in a header the transport writes what is known only when the packet leaves: offsets in bytes; 0: nowhere. */
export interface DeparturePlaces {
  /** Of the number that counts the packets of the transport, 2 bytes. */
  readonly sequenceAt: number;
  /** Of abs-send-time, 3 bytes. */
  readonly sendTimeAt: number;
}

/** One RTP packet of one viewer: its own header over payload bytes that all viewers share. */
export interface RtpPacket {
  /** 12 bytes and the extensions. */
  readonly header: Buffer;
  /** Shared by all viewers; never changed. */
  readonly payload: Buffer;
  /** Rollover counter × 2^16 + sequence number (RFC 3711 §3.3.1). */
  readonly index: number;
  /** In `header`; undefined where nothing is written. */
  readonly places: DeparturePlaces | undefined;
}

/** A stream whose packets wait for their turn. */
export interface PacedStream {
  /** Bytes that wait, repairs included. */
  readonly waitingBytes: number;
  /** Sends repairs that wait until that many bytes have left; the last one may go beyond. @returns bytes sent */
  sendRepairs(maxBytes: number): number;
  /** Forgets repairs that wait. */
  dropRepairs(): void;
  /** Sends frames that wait, likewise. */
  sendFrames(maxBytes: number): number;
  /** Sends packets of no use, where it can. @returns bytes sent; 0: it cannot, or not now */
  sendProbe(demand: ProbeDemand): number;
}

/** Lets packets of a transport leave no faster than its network carries them. */
export interface Pacing {
  /** False: packets may leave as they come. True: they wait at their streams, sound excepted. */
  readonly isPaced: boolean;
  /** How many bytes may wait before whoever makes them is told to stop; a second of what may leave. */
  readonly maxWaitingBytes: number;
  /** From now on its packets can wait. */
  add(stream: PacedStream): void;
  /** Something waits: what may leave does so at once, and the rest in time. */
  wake(): void;
}

/** What is known of the network of a transport, and who is told what its receiver says. */
export interface Congestion {
  /** For its reads, and `want`: what it learns, it learns here. */
  readonly controller: CongestionController;
  /** Calls `listener` after feedback of any kind, and while the transport is paced at least every 100 ms. @returns how to stop that */
  onUpdated(listener: (nowMs: number) => void): () => void;
  /** The receiver tells what arrived. */
  receiveArrivals(arrivals: Arrivals): void;
  /** The receiver tells its own estimate of what may be sent, bits a second, all streams together. */
  receiveEstimate(bitrateBps: number): void;
  /** Receiver Reports of one compound packet. */
  receiveReport(summary: ReceptionSummary): void;
}

/** Where a client's packets go. */
export interface PacketTransport {
  /** Bytes handed to the network stack and not taken by it yet: the measure of a slow viewer. */
  readonly pendingBytes: number;
  /**
   * Fills the places in the headers of new packets, protects and sends them in order. Each packet once: an index stands
   * for one header and payload forever. Never waits, never throws; dropped when not connected.
   */
  sendRtp(packets: readonly RtpPacket[]): void;
  /** Sends packets of `sendRtp` once more, byte for byte what they were, so under no new number. Otherwise as `sendRtp`. */
  repeatRtp(packets: readonly RtpPacket[]): void;
  /** Of the network in ms, as last measured; undefined before. */
  readonly roundTripMs?: number | undefined;
  /** Left out: nothing is known, and nothing adapts. */
  readonly congestion?: Congestion;
  /** Left out: nothing is ever paced. */
  readonly pacing?: Pacing;
  /** Protects and sends one compound RTCP packet. Never throws; dropped when not connected. */
  sendRtcp(compound: Buffer): void;
}
