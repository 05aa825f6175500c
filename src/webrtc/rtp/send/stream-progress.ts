/** What a viewer has said of one stream, by which a watch tells whether it still receives. */
export interface StreamProgress {
  /** Of the stream. */
  readonly ssrc: number;
  /** Packets sent so far. */
  readonly packetsSent: number;
  /** Of the newest receiver report (RFC 3550 §6.4.1); undefined before the first. */
  readonly highestReported: number | undefined;
  /** NACKs that the viewer sent. */
  readonly nacks: number;
}
