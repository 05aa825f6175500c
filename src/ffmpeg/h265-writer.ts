/** H.265 into Matroska, to feed a decoder, with stamps of the writer's own: FLV carries none before ffmpeg 6.1. */
import {
  H265NalType,
  h265NalType,
  readH265Sps,
  readLengthPrefixed,
  withoutEmulationPrevention,
  type EncodedFrame,
  type H265Sps,
} from '../media/index.js';
import { matroskaH265Header, matroskaPictureHeader } from './matroska-writer.js';

/** Turns frames into the bytes of a Matroska stream. */
export class H265Writer {
  #headerWritten = false;

  /**
   * The bytes of one frame at `stampMs`; empty before the first keyframe with its parameter sets, and for data
   * that is not an access unit. New parameter sets stand in their keyframe.
   */
  frame(frame: EncodedFrame, stampMs: number): readonly Buffer[] {
    const header = this.#headerWritten ? [] : this.#header(frame);
    if (!header) return [];
    this.#headerWritten = true;
    return [...header, matroskaPictureHeader(stampMs, frame.data.length, frame.keyframe), frame.data];
  }

  #header({ data, keyframe }: EncodedFrame): readonly Buffer[] | undefined {
    const units = (keyframe && readLengthPrefixed(data)) || [];
    const sets = [H265NalType.vps, H265NalType.sps, H265NalType.pps].map((type) => units.filter((unit) => h265NalType(unit) === type));
    const sps = sets[1]?.[0];
    const known = sps && readH265Sps(sps);
    if (!known || sets.some((list) => list.length === 0)) return undefined;
    return [matroskaH265Header(known.widthPx, known.heightPx, decoderConfiguration(sps, known, sets))];
  }
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). What only says how streams are packed is left unknown. */
function decoderConfiguration(sps: Buffer, { chromaFormat, bitDepth }: H265Sps, sets: readonly (readonly Buffer[])[]): Buffer {
  // general_profile_space to general_level_idc stand in the RBSP of the SPS as they stand here, behind its header and one byte.
  const profileTierLevel = withoutEmulationPrevention(sps).subarray(3, 15);
  const head = Buffer.concat([
    Buffer.from([1]),
    profileTierLevel,
    Buffer.from([0xf0, 0, 0xfc, 0xfc | chromaFormat, 0xf8 | (bitDepth - 8), 0xf8 | (bitDepth - 8), 0, 0, 0x0f, sets.length]),
  ]);
  const arrays = sets.flatMap((units) => {
    const begin = Buffer.from([h265NalType(units[0] as Buffer), units.length >> 8, units.length & 0xff]);
    return [begin, ...units.flatMap((unit) => [Buffer.from([unit.length >> 8, unit.length & 0xff]), unit])];
  });
  return Buffer.concat([head, ...arrays]);
}
