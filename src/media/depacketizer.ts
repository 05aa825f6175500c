/**
 * What puts the RTP payloads of one frame together. Where a frame begins and ends, and that nothing of it is missing, is for the caller to know.
 */
import type { PictureSize } from './picture-size.js';

/** One frame in the form of `EncodedFrame`. */
export interface AssembledFrame {
  /** The encoded frame: an access unit in Annex B (H.264), or a VP8 frame. */
  readonly data: Buffer;
  /** True where it can be decoded without those before it. */
  readonly keyframe: boolean;
}

/** Puts the frames of one stream together. */
export interface Depacketizer {
  /** Of the newest keyframe; undefined before it, and for audio. */
  readonly size: PictureSize | undefined;
  /** Whether a frame certainly begins with this payload, whatever came before it was lost. */
  beginsFrame(payload: Buffer): boolean;
  /** Whether a keyframe certainly begins with this payload. */
  beginsKeyframe(payload: Buffer): boolean;
  /** The frame of these payloads, in order and none of them empty. `empty`: they hold no picture; `damaged`: they make no frame. Never throws. */
  assemble(payloads: readonly Buffer[]): AssembledFrame | 'empty' | 'damaged';
}
