/** What the streams of a session send by: types only. A faster way of sending replaces what stands behind it. */

/** One RTP packet of one viewer: its own header over payload bytes that all viewers share. */
export interface RtpPacket {
  /** 12 bytes and the extensions. */
  readonly header: Buffer;
  /** Shared by all viewers; never changed. */
  readonly payload: Buffer;
  /** Rollover counter × 2^16 + sequence number (RFC 3711 §3.3.1). */
  readonly index: number;
}

/** Where a client's packets go. */
export interface PacketTransport {
  /** Bytes handed to the network stack and not taken by it yet: the measure of a slow viewer. */
  readonly pendingBytes: number;
  /** Protects and sends the packets of one frame in order. Never waits, never throws; dropped when not connected. */
  sendRtp(packets: readonly RtpPacket[]): void;
  /** Of the network in ms, as last measured; undefined before. */
  readonly roundTripMs?: number | undefined;
  /** Protects and sends one compound RTCP packet. Never throws; dropped when not connected. */
  sendRtcp(compound: Buffer): void;
}
