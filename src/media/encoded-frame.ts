/**
 * The atom of the media path: one compressed frame with its media time. Files, live publishers and encoders
 * all yield it, so there is one hub, one packetizer per codec and one GOP cache.
 */

/** Video codecs that a track can carry. */
export type VideoCodec = 'h264' | 'h265' | 'vp8';
/** Codecs that a track can carry; audio is always Opus at 48 kHz. */
export type Codec = VideoCodec | 'opus';

/** One compressed video frame or audio packet. Immutable and shared. */
export interface EncodedFrame {
  /**
   * H.264 and H.265: the access unit as NAL units, each behind its length in 4 bytes big-endian, with SPS and PPS (H.265:
   * and VPS) in front of every IDR (IRAP) picture and neither access unit delimiters nor filler. VP8: the frame. Opus: one
   * packet.
   */
  readonly data: Buffer;
  /** Milliseconds on the source's timeline, presentation order; never steps back within a track. */
  readonly mediaTimeMs: number;
  /** Decoding can start here. Always true for audio. */
  readonly keyframe: boolean;
  /** Wall clock of its capture, in ms, where whoever captured it says so, now and then. */
  readonly capturedAtMs?: number | undefined;
}

/** RTP clock rate of a codec in Hz (RFC 6184 §8.2.1, RFC 7798 §7.1, RFC 7741 §6.1, RFC 7587 §4.1). */
export function clockRateHz(codec: Codec): number {
  return codec === 'opus' ? 48_000 : 90_000;
}
