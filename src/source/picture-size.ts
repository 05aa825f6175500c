/** How large the pictures of a stream are, as its keyframes say: a publisher changes it whenever its network does. */
import { NalType, nalType, readLengthPrefixed, type EncodedFrame, type VideoCodec } from '../media/index.js';

/** Size in pixels, as shown: cropping applied. */
export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The size that a keyframe announces; undefined where it is no keyframe, or cannot be read. */
export function pictureSize(codec: VideoCodec, frame: EncodedFrame): PictureSize | undefined {
  if (!frame.keyframe) return undefined;
  const size = codec === 'vp8' ? vp8Size(frame.data) : h264Size(frame.data);
  return size && size.widthPx > 0 && size.heightPx > 0 ? size : undefined;
}

/** RFC 6386 §9.1: start code, then 14 bits each of width and height, with 2 bits of scaling that nobody uses. */
function vp8Size(data: Buffer): PictureSize | undefined {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) return undefined;
  return { widthPx: data.readUInt16LE(6) & 0x3fff, heightPx: data.readUInt16LE(8) & 0x3fff };
}

function h264Size(data: Buffer): PictureSize | undefined {
  const sps = readLengthPrefixed(data)?.find((unit) => nalType(unit) === NalType.sps);
  return sps && spsSize(sps);
}

/** Profiles whose parameter sets carry the chroma format (ITU-T H.264 §7.3.2.1.1). */
const WITH_CHROMA_FORMAT = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** seq_parameter_set_data, ITU-T H.264 §7.3.2.1.1. */
function spsSize(sps: Buffer): PictureSize | undefined {
  const bits = new BitReader(withoutEmulation(sps.subarray(1)));
  const profile = bits.read(8);
  bits.read(16); // constraint flags, level
  bits.ue(); // seq_parameter_set_id
  let chromaFormat = 1;
  if (WITH_CHROMA_FORMAT.has(profile)) {
    chromaFormat = bits.ue();
    if (chromaFormat === 3) bits.read(1);
    bits.ue(); // bit_depth_luma
    bits.ue(); // bit_depth_chroma
    bits.read(1);
    if (bits.read(1) === 1) for (let i = 0; i < (chromaFormat === 3 ? 12 : 8); i++) if (bits.read(1) === 1) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  bits.ue(); // log2_max_frame_num
  const pocType = bits.ue();
  if (pocType === 0) bits.ue();
  else if (pocType === 1) {
    bits.read(1);
    bits.ue();
    bits.ue();
    for (let left = Math.min(255, bits.ue()); left > 0; left--) bits.ue();
  }
  bits.ue(); // max_num_ref_frames
  bits.read(1);
  const widthInMacroblocks = bits.ue() + 1;
  const heightInMapUnits = bits.ue() + 1;
  const framesOnly = bits.read(1);
  if (framesOnly === 0) bits.read(1);
  bits.read(1); // direct_8x8_inference_flag
  const [left, right, top, bottom] = bits.read(1) === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  if (bits.isShort) return undefined;
  const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const cropY = (chromaFormat === 1 ? 2 : 1) * (2 - framesOnly);
  return {
    widthPx: widthInMacroblocks * 16 - cropX * (left + right),
    heightPx: (2 - framesOnly) * heightInMapUnits * 16 - cropY * (top + bottom),
  };
}

/** scaling_list, ITU-T H.264 §7.3.2.1.1.1: deltas until the next scale is 0. */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) {
      const code = bits.ue();
      const delta = code % 2 === 1 ? (code + 1) / 2 : -code / 2;
      next = (last + delta + 256) % 256;
    }
    if (next !== 0) last = next;
  }
}

/** Takes out each third byte of 00 00 03 (ITU-T H.264 §7.4.1). */
function withoutEmulation(data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(data.length);
  let length = 0;
  let zeros = 0;
  for (const byte of data) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** Bits, first the highest; beyond the end come zeros, and the reader `isShort`. */
class BitReader {
  isShort = false;
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#data[this.#at >> 3];
      if (byte === undefined) this.isShort = true;
      value = value * 2 + (((byte ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  /** Exponential Golomb code (ITU-T H.264 §9.1). */
  ue(): number {
    let zeros = 0;
    while (this.read(1) === 0) {
      if (this.isShort || ++zeros > 31) {
        this.isShort = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.read(zeros);
  }
}
