/** What a receiver says about what was sent to it, whatever the format it says it in. */

/** What became of one packet, by transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01). */
export interface PacketResult {
  /** Of the UDP payload. */
  readonly sizeBytes: number;
  /** When it left, by the monotonic clock of this process, ms. */
  readonly sentMs: number;
  /** When it arrived, by the receiver's clock, ms, unwrapped; the origin is arbitrary. Undefined: lost. */
  readonly arrivedMs: number | undefined;
}

/** What Receiver Reports of all streams of a transport say together (RFC 3550 §6.4.1). */
export interface ReceptionSummary {
  /** 0..1, of the packets since the previous report; of the worst stream. */
  readonly fractionLost: number;
  /** By LSR and DLSR; undefined where the report does not tell it. */
  readonly roundTripMs: number | undefined;
  /** Interarrival jitter of the worst stream, ms. */
  readonly jitterMs: number;
}

/** Whether a queue is building on the way. */
export type CongestionState = 'clear' | 'warning' | 'congested';

/** What congestion was seen by: a queue that grows, heavy loss, silence of the receiver, its own estimate (REMB). */
export type CongestionCause = 'queue' | 'loss' | 'silence' | 'receiver';
