/** Size and colour of the pictures in a compressed video, read from the bytes that say it: the SPS of H.264, the header of a VP8 keyframe. H.265: `h265-sps.ts`. */

import { BitReader, withoutEmulationPrevention } from './bit-reader.js';

/** Of the picture that is shown: cropping is taken off. */
export interface PictureSize {
  /** For display, after cropping, in pixels. */
  readonly widthPx: number;
  /** For display, after cropping, in pixels. */
  readonly heightPx: number;
}

/** What the samples of a picture mean: numbers of ITU-T H.273, which H.264, H.265 and Matroska share. */
export interface PictureColour {
  /** ColourPrimaries. */
  readonly primaries: number;
  /** TransferCharacteristics. */
  readonly transfer: number;
  /** MatrixCoefficients: 1 is BT.709, 5 and 6 are BT.601. */
  readonly matrix: number;
}

/** BT.601 with 525 lines: what VP8 means (RFC 6386 §9.2). */
export const BT601: PictureColour = { primaries: 6, transfer: 6, matrix: 6 };

/** Whether samples are BT.709's; all others are taken for BT.601's, which what says nothing is decoded by in WebRTC. */
export function isBt709(colour: PictureColour | undefined): boolean {
  return colour?.matrix === 1;
}

/** Largest side that is believed; beyond it the bytes are something else. */
const MAX_SIDE_PX = 16_384;
const MACROBLOCK_PX = 16;
/** profile_idc whose SPS tells the chroma format (ITU-T H.264 §7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** num_ref_frames_in_pic_order_cnt_cycle is at most 255 (§7.4.2.1.1). */
const MAX_ORDER_CYCLE = 255;
/** aspect_ratio_idc behind which the ratio itself stands (table E-1). */
const EXTENDED_SAR = 255;

/** The size that an SPS tells, with its one-byte NAL unit header (ITU-T H.264 §7.3.2.1.1); undefined where it cannot be read. */
export function h264Size(sps: Buffer): PictureSize | undefined {
  return readSps(sps)?.size;
}

/** The colour that an SPS tells in its VUI (ITU-T H.264 §E.1.1); undefined where it tells none, or cannot be read. */
export function h264Colour(sps: Buffer): PictureColour | undefined {
  const bits = readSps(sps)?.bits;
  if (bits?.read(1) !== 1) return undefined; // vui_parameters_present_flag
  if (bits.read(1) === 1 && bits.read(8) === EXTENDED_SAR) bits.skip(32); // aspect_ratio_idc, sar_width, sar_height
  if (bits.read(1) === 1) bits.skip(1); // overscan_appropriate_flag
  if (bits.read(1) !== 1) return undefined; // video_signal_type_present_flag
  bits.skip(4); // video_format, video_full_range_flag
  if (bits.read(1) !== 1) return undefined; // colour_description_present_flag
  const colour = { primaries: bits.read(8), transfer: bits.read(8), matrix: bits.read(8) };
  return bits.isBeyondEnd ? undefined : colour;
}

/** How the samples of an SPS are stored. */
interface SampleDepth {
  /** chroma_format_idc: 1 is 4:2:0. */
  readonly chromaFormat: number;
  /** Bits of a luma sample. */
  readonly lumaBits: number;
  /** Bits of a chroma sample. */
  readonly chromaBits: number;
}

/** Chroma format and depths that the SPS of a High profile tells; undefined where they cannot be read, or make no sense. */
export function h264Depth(sps: Buffer): SampleDepth | undefined {
  const bits = new BitReader(withoutEmulationPrevention(sps.subarray(1)));
  bits.skip(24); // profile, constraint flags, level
  bits.exponential(); // seq_parameter_set_id
  const chromaFormat = bits.exponential();
  if (chromaFormat === 3) bits.skip(1); // separate_colour_plane_flag
  const [luma, chroma] = [bits.exponential(), bits.exponential()];
  const isCredible = !bits.isBeyondEnd && chromaFormat <= 3 && luma <= 6 && chroma <= 6;
  return isCredible ? { chromaFormat, lumaBits: luma + 8, chromaBits: chroma + 8 } : undefined;
}

/** The size, and the bits behind it: those of the VUI. */
function readSps(sps: Buffer): { readonly size: PictureSize; readonly bits: BitReader } | undefined {
  const bits = new BitReader(withoutEmulationPrevention(sps.subarray(1)));
  const profile = bits.read(8);
  bits.skip(16); // constraint flags and level
  bits.exponential(); // seq_parameter_set_id
  const chroma = HIGH_PROFILES.has(profile) ? readChromaFormat(bits) : 1;
  bits.exponential(); // log2_max_frame_num_minus4
  skipPictureOrder(bits);
  bits.exponential(); // max_num_ref_frames
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMacroblocks = bits.exponential() + 1;
  const heightInMapUnits = bits.exponential() + 1;
  const fieldsPerUnit = bits.read(1) === 1 ? 1 : 2;
  if (fieldsPerUnit === 2) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const [left, right, top, bottom] =
    bits.read(1) === 1 ? [bits.exponential(), bits.exponential(), bits.exponential(), bits.exponential()] : [0, 0, 0, 0];
  if (bits.isBeyondEnd) return undefined;
  // Cropping counts in chroma samples (§7.4.2.1.1, equations 7-19 to 7-22).
  const cropUnitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropUnitY = (chroma === 1 ? 2 : 1) * fieldsPerUnit;
  const size = credible({
    widthPx: widthInMacroblocks * MACROBLOCK_PX - cropUnitX * (left + right),
    heightPx: heightInMapUnits * MACROBLOCK_PX * fieldsPerUnit - cropUnitY * (top + bottom),
  });
  return size && { size, bits };
}

/** The size that a VP8 frame tells; undefined where it is no keyframe (RFC 6386 §9.1). */
export function vp8Size(frame: Buffer): PictureSize | undefined {
  if (frame.length < 10 || (frame.readUInt8(0) & 1) !== 0 || frame.readUIntBE(3, 3) !== 0x9d012a) return undefined;
  return credible({ widthPx: frame.readUInt16LE(6) & 0x3fff, heightPx: frame.readUInt16LE(8) & 0x3fff });
}

/** seq_parameter_set_id of an SPS, pic_parameter_set_id of a PPS; undefined where it cannot be read. */
export function parameterSetId(unit: Buffer, isSps: boolean): number | undefined {
  const bits = new BitReader(withoutEmulationPrevention(unit.subarray(1, 16)));
  if (isSps) bits.skip(24);
  const id = bits.exponential();
  return bits.isBeyondEnd || id > (isSps ? 31 : 255) ? undefined : id;
}

/** Undefined where a side is larger than any picture that is sent. */
export function credible(size: PictureSize): PictureSize | undefined {
  const isCredible = (px: number): boolean => px > 0 && px <= MAX_SIDE_PX;
  return isCredible(size.widthPx) && isCredible(size.heightPx) ? size : undefined;
}

function readChromaFormat(bits: BitReader): number {
  const chroma = bits.exponential();
  const isSeparate = chroma === 3 && bits.read(1) === 1;
  bits.exponential(); // bit_depth_luma_minus8
  bits.exponential(); // bit_depth_chroma_minus8
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.read(1) === 1) {
    for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) if (bits.read(1) === 1) skipScalingList(bits, list < 6 ? 16 : 64);
  }
  return isSeparate ? 0 : chroma;
}

/** §7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + bits.signedExponential() + 256) & 0xff;
    if (next !== 0) last = next;
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.exponential();
  if (type === 0) bits.exponential(); // log2_max_pic_order_cnt_lsb_minus4
  if (type !== 1) return;
  bits.skip(1); // delta_pic_order_always_zero_flag
  bits.exponential(); // offset_for_non_ref_pic
  bits.exponential(); // offset_for_top_to_bottom_field
  const cycle = Math.min(bits.exponential(), MAX_ORDER_CYCLE);
  for (let i = 0; i < cycle; i++) bits.exponential();
}
