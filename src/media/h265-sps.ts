/** What the SPS of H.265 says (ITU-T H.265 §7.3.2.2): size, bit depth, profile and colour. */
import { BitReader, withoutEmulationPrevention } from './bit-reader.js';
import { H265_HEADER_BYTES } from './h265.js';
import type { H265Profile } from './h265-profile.js';
import { credible, type PictureColour, type PictureSize } from './picture-size.js';

/** What is read of an SPS. */
export interface H265Sps extends PictureSize {
  /** Profile, tier and level. */
  readonly profile: H265Profile;
  /** chroma_format_idc: 1 is 4:2:0. */
  readonly chromaFormat: number;
  /** Bits of a luma sample. */
  readonly bitDepth: number;
}

/** Limits of the syntax (§7.4.3.2.1, §7.4.8); beyond them the bytes are something else. */
const [MAX_SUB_LAYERS, MAX_SHORT_TERM_SETS, MAX_PICTURES, MAX_LONG_TERM] = [7, 64, 16, 32];
/** aspect_ratio_idc behind which the ratio itself stands (table E.1). */
const EXTENDED_SAR = 255;

/** Undefined where it cannot be read. @param sps with its NAL unit header */
export function readH265Sps(sps: Buffer): H265Sps | undefined {
  return readHead(sps)?.read;
}

/** The colour that an SPS tells in its VUI (§E.2.1); undefined where it tells none, or cannot be read. */
export function h265Colour(sps: Buffer): PictureColour | undefined {
  const head = readHead(sps);
  if (!head || !skipToVui(head)) return undefined;
  const { bits } = head;
  if (bits.read(1) !== 1) return undefined; // vui_parameters_present_flag
  if (bits.read(1) === 1 && bits.read(8) === EXTENDED_SAR) bits.skip(32); // aspect_ratio_idc, sar_width, sar_height
  if (bits.read(1) === 1) bits.skip(1); // overscan_appropriate_flag
  if (bits.read(1) !== 1) return undefined; // video_signal_type_present_flag
  bits.skip(4); // video_format, video_full_range_flag
  if (bits.read(1) !== 1) return undefined; // colour_description_present_flag
  const colour = { primaries: bits.read(8), transfer: bits.read(8), matrix: bits.read(8) };
  return bits.isBeyondEnd ? undefined : colour;
}

/** An SPS up to its bit depths, and the bits behind. */
interface Head {
  readonly read: H265Sps;
  readonly bits: BitReader;
  readonly subLayers: number;
}

function readHead(sps: Buffer): Head | undefined {
  const bits = new BitReader(withoutEmulationPrevention(sps.subarray(H265_HEADER_BYTES)));
  bits.skip(4); // sps_video_parameter_set_id
  const subLayers = bits.read(3) + 1;
  if (subLayers > MAX_SUB_LAYERS) return undefined;
  bits.skip(1); // sps_temporal_id_nesting_flag
  const profile = readProfileTierLevel(bits, subLayers);
  bits.exponential(); // sps_seq_parameter_set_id
  const chromaFormat = bits.exponential();
  const isSeparate = chromaFormat === 3 && bits.read(1) === 1;
  const [width, height] = [bits.exponential(), bits.exponential()];
  const [left, right, top, bottom] =
    bits.read(1) === 1 ? [bits.exponential(), bits.exponential(), bits.exponential(), bits.exponential()] : [0, 0, 0, 0];
  const bitDepth = bits.exponential() + 8;
  bits.exponential(); // bit_depth_chroma_minus8
  if (bits.isBeyondEnd || chromaFormat > 3) return undefined;
  // The conformance window counts in chroma samples (§7.4.3.2.1).
  const unitX = !isSeparate && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
  const unitY = !isSeparate && chromaFormat === 1 ? 2 : 1;
  const size = credible({ widthPx: width - unitX * (left + right), heightPx: height - unitY * (top + bottom) });
  return size && { read: { ...size, profile, chromaFormat, bitDepth }, bits, subLayers };
}

/** profile_tier_level (§7.3.3). */
function readProfileTierLevel(bits: BitReader, subLayers: number): H265Profile {
  bits.skip(2); // general_profile_space
  const tierFlag = bits.read(1);
  const profileId = bits.read(5);
  bits.skip(32 + 48); // compatibility flags, constraint flags
  const levelId = bits.read(8);
  const present = Array.from({ length: subLayers - 1 }, () => [bits.read(1), bits.read(1)] as const);
  if (subLayers > 1) bits.skip(2 * (9 - subLayers)); // reserved_zero_2bits
  for (const [hasProfile, hasLevel] of present) bits.skip(88 * hasProfile + 8 * hasLevel);
  return { profileId, tierFlag, levelId };
}

/** Reads over what stands before the VUI; false where it makes no sense. */
function skipToVui({ bits, subLayers }: Head): boolean {
  const orderBits = bits.exponential() + 4; // log2_max_pic_order_cnt_lsb_minus4
  const layers = bits.read(1) === 1 ? subLayers : 1; // sps_sub_layer_ordering_info_present_flag
  for (let i = 0; i < 3 * layers; i++) bits.exponential();
  for (let i = 0; i < 6; i++) bits.exponential(); // block sizes and depths
  if (bits.read(1) === 1 && bits.read(1) === 1) skipScalingLists(bits); // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.read(1) === 1) {
    bits.skip(8); // pcm_sample_bit_depth_luma_minus1, pcm_sample_bit_depth_chroma_minus1
    bits.exponential();
    bits.exponential();
    bits.skip(1); // pcm_loop_filter_disabled_flag
  }
  if (!skipShortTermSets(bits)) return false;
  // long_term_ref_pics_present_flag
  if (bits.read(1) === 1) {
    const count = bits.exponential();
    if (count > MAX_LONG_TERM) return false;
    bits.skip(count * (orderBits + 1));
  }
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  return !bits.isBeyondEnd;
}

/** §7.3.4. */
function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (bits.read(1) === 0) {
        bits.exponential(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (size > 1) bits.exponential(); // scaling_list_dc_coef_minus8
      for (let i = 0; i < Math.min(64, 1 << (4 + (size << 1))); i++) bits.exponential();
    }
  }
}

/** st_ref_pic_set of each (§7.3.7); false where one makes no sense. */
function skipShortTermSets(bits: BitReader): boolean {
  const sets = bits.exponential();
  if (sets > MAX_SHORT_TERM_SETS) return false;
  let pictures = 0;
  for (let set = 0; set < sets; set++) {
    if (set > 0 && bits.read(1) === 1) {
      pictures = readPredictedSet(bits, pictures);
    } else {
      const [before, after] = [bits.exponential(), bits.exponential()];
      pictures = before + after;
      if (pictures > MAX_PICTURES) return false;
      for (let i = 0; i < pictures; i++) {
        bits.exponential(); // delta_poc_minus1
        bits.skip(1); // used_by_curr_pic_flag
      }
    }
    if (pictures > MAX_PICTURES || bits.isBeyondEnd) return false;
  }
  return true;
}

/** How many pictures a set has that is told by what changes to the one before. */
function readPredictedSet(bits: BitReader, picturesBefore: number): number {
  bits.skip(1); // delta_rps_sign
  bits.exponential(); // abs_delta_rps_minus1
  let pictures = 0;
  for (let i = 0; i <= picturesBefore; i++) {
    const isUsed = bits.read(1) === 1; // used_by_curr_pic_flag
    if (isUsed || bits.read(1) === 1) pictures++; // use_delta_flag
  }
  return pictures;
}
