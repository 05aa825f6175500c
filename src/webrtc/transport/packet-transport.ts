/** What the streams of a session send by: types only. A faster way of sending replaces what stands behind it. */

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
  /** Protects and sends one compound RTCP packet. Never throws; dropped when not connected. */
  sendRtcp(compound: Buffer): void;
}
