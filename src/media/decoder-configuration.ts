/** What a decoder of H.264 or H.265 is told before its first picture, as files and FLV carry it (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1). */
import { withoutEmulationPrevention } from './bit-reader.js';
import { H265NalType, h265NalType } from './h265.js';
import { readH265Sps } from './h265-sps.js';
import { h264Depth } from './picture-size.js';

/** Most sets of a kind that a record of H.264 holds; of PPS 255. */
const MAX_SPS = 31;
const MAX_PPS = 255;
/** All sets of a record together. */
const MAX_SETS_BYTES = 32 << 10;
/** profile_idc of records that tell chroma format and depths. */
const DEEP_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 144]);

/** AVCDecoderConfigurationRecord. Undefined where a set is missing, or they are too many or too large. @param pps with their NAL unit headers */
export function avcConfiguration(sps: readonly Buffer[], pps: readonly Buffer[]): Buffer | undefined {
  const [first] = sps;
  if (!first || first.length < 4 || pps.length === 0 || sps.length > MAX_SPS || pps.length > MAX_PPS) return undefined;
  if (areTooLarge([...sps, ...pps])) return undefined;
  const [profile = 0, compatibility = 0, level = 0] = first.subarray(1, 4);
  const sets = [Buffer.from([0xe0 | sps.length]), ...sps.flatMap(sized), Buffer.from([pps.length]), ...pps.flatMap(sized)];
  return Buffer.concat([Buffer.from([1, profile, compatibility, level, 0xff]), ...sets, ...depthOf(profile, first)]);
}

function depthOf(profile: number, sps: Buffer): Buffer[] {
  const depth = DEEP_PROFILES.has(profile) ? h264Depth(sps) : undefined;
  return depth ? [Buffer.from([0xfc | depth.chromaFormat, 0xf8 | (depth.lumaBits - 8), 0xf8 | (depth.chromaBits - 8), 0])] : [];
}

/** HEVCDecoderConfigurationRecord; what only says how streams are packed is left unknown. Undefined where a set is missing or cannot be read, or they are too large. @param sets VPS, SPS, PPS */
export function hevcConfiguration(sets: readonly [readonly Buffer[], readonly Buffer[], readonly Buffer[]]): Buffer | undefined {
  const sps = sets[1][0];
  const known = sps && readH265Sps(sps);
  if (!known || sets.some((list) => list.length === 0 || list.length > 0xffff) || areTooLarge(sets.flat())) return undefined;
  const depth = 0xf8 | (known.bitDepth - 8);
  const head = Buffer.concat([
    Buffer.from([1]),
    h265ProfileTierLevel(sps),
    Buffer.from([0xf0, 0, 0xfc, 0xfc | known.chromaFormat, depth, depth, 0, 0, 0x0f, sets.length]),
  ]);
  const types = [H265NalType.vps, H265NalType.sps, H265NalType.pps];
  // All sets of each type are here, none in the pictures (array_completeness).
  const arrays = sets.flatMap((units, at) => [
    Buffer.from([0x80 | (types[at] ?? 0), units.length >> 8, units.length & 0xff]),
    ...units.flatMap(sized),
  ]);
  return Buffer.concat([head, ...arrays]);
}

/** general_profile_space to general_level_idc of an SPS, 12 bytes: they stand in its RBSP as they stand in the record. */
export function h265ProfileTierLevel(sps: Buffer): Buffer {
  return withoutEmulationPrevention(sps).subarray(3, 15);
}

/** The parameter sets of a record, in its order; undefined where it is damaged. */
export function readConfiguration(codec: 'h264' | 'h265', record: Buffer): readonly Buffer[] | undefined {
  return codec === 'h264' ? readAvc(record) : readHevc(record);
}

function readAvc(record: Buffer): readonly Buffer[] | undefined {
  const sps = readUnits(record, 6, (record[5] ?? 0) & 0x1f);
  const count = sps && record[sps.end];
  const pps = sps && count !== undefined ? readUnits(record, sps.end + 1, count) : undefined;
  return sps && pps && [...sps.units, ...pps.units];
}

function readHevc(record: Buffer): readonly Buffer[] | undefined {
  const found: Buffer[] = [];
  let at = 23;
  for (let arrays = record[22] ?? 0; arrays > 0; arrays--) {
    if (at + 3 > record.length) return undefined;
    const read = readUnits(record, at + 3, record.readUInt16BE(at + 1));
    if (!read) return undefined;
    found.push(...read.units);
    at = read.end;
  }
  return found.every((unit) => h265NalType(unit) >= H265NalType.vps) ? found : undefined;
}

/** So many units, each behind its length in 2 bytes. */
function readUnits(record: Buffer, from: number, count: number): { readonly units: Buffer[]; readonly end: number } | undefined {
  const units: Buffer[] = [];
  let at = from;
  while (units.length < count) {
    if (at + 2 > record.length) return undefined;
    const end = at + 2 + record.readUInt16BE(at);
    if (end > record.length || end === at + 2) return undefined;
    units.push(record.subarray(at + 2, end));
    at = end;
  }
  return { units, end: at };
}

/** Their lengths are 16 bits, and whoever reads a file takes a beginning that is no longer than 64 KiB. */
function areTooLarge(sets: readonly Buffer[]): boolean {
  return sets.reduce((sum, { length }) => sum + length, 0) > MAX_SETS_BYTES;
}

function sized(unit: Buffer): [Buffer, Buffer] {
  return [Buffer.from([unit.length >> 8, unit.length & 0xff]), unit];
}
