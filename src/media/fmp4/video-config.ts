/** What a file says of its picture before the first one: taken from a keyframe, and given back to it. */
import { avcConfiguration, h265ProfileTierLevel, hevcConfiguration, readConfiguration } from '../decoder-configuration.js';
import type { VideoCodec } from '../encoded-frame.js';
import { NalType, nalType } from '../h264.js';
import { H265NalType, h265NalType } from '../h265.js';
import { readH265Sps } from '../h265-sps.js';
import { lengthPrefixed, readLengthPrefixed } from '../nal-units.js';
import { h264Size, vp8Size, type PictureSize } from '../picture-size.js';

/** The picture of a file: everything that must not change within it. */
export interface VideoConfig extends PictureSize {
  /** Its codec. */
  readonly codec: VideoCodec;
  /** Codec, profile and level: `avc1.64001f`, `hvc1.1.6.L93.B0`, `vp08.00.10.08` (RFC 6381). */
  readonly codecs: string;
  /** The content of `avcC`, `hvcC` or `vpcC`. */
  readonly record: Buffer;
}

/** VPCodecConfigurationRecord of VP8: profile 0, level 1, 8 bits, 4:2:0, limited range, BT.601; no data. */
const VP8_RECORD = Buffer.from([1, 0, 0, 0, 0, 10, 0x82, 6, 6, 6, 0, 0]);

/** Of a keyframe with its parameter sets; undefined where it lacks them, or they cannot be read. */
export function videoConfig(codec: VideoCodec, keyframe: Buffer): VideoConfig | undefined {
  if (codec === 'vp8') {
    const size = vp8Size(keyframe);
    return size && { ...size, codec, codecs: 'vp08.00.10.08', record: VP8_RECORD };
  }
  const units = readLengthPrefixed(keyframe);
  return units && (codec === 'h264' ? h264Config(units) : h265Config(units));
}

/** Whether pictures of both can be in one file. */
export function isSameConfig(a: VideoConfig, b: VideoConfig): boolean {
  return a.codec === b.codec && a.widthPx === b.widthPx && a.heightPx === b.heightPx && a.record.equals(b.record);
}

/** True for units that a file holds in its record, once. */
export function isParameterSet(codec: 'h264' | 'h265', unit: Buffer): boolean {
  if (codec === 'h264') return nalType(unit) === NalType.sps || nalType(unit) === NalType.pps;
  return h265NalType(unit) >= H265NalType.vps && h265NalType(unit) <= H265NalType.pps;
}

/** The parameter sets of a record, each behind its length, as they stand in front of a keyframe; undefined where it is damaged. */
export function parameterSets(codec: VideoCodec, record: Buffer): Buffer | undefined {
  if (codec === 'vp8') return Buffer.alloc(0);
  const units = readConfiguration(codec, record);
  return units && lengthPrefixed(units);
}

/** Codec, profile and level of a record (RFC 6381; ISO/IEC 14496-15 annex E). */
export function codecsOf(codec: VideoCodec, record: Buffer): string {
  if (codec === 'vp8') return 'vp08.00.10.08';
  if (codec === 'h264') return `avc1.${record.toString('hex', 1, 4)}`;
  return hevcCodecs(record.subarray(1, 13));
}

function h264Config(units: readonly Buffer[]): VideoConfig | undefined {
  const sps = distinct(units.filter((unit) => nalType(unit) === NalType.sps));
  const record = avcConfiguration(sps, distinct(units.filter((unit) => nalType(unit) === NalType.pps)));
  const size = record && h264Size(sps[0] as Buffer);
  return size && { ...size, codec: 'h264', codecs: codecsOf('h264', record), record };
}

function h265Config(units: readonly Buffer[]): VideoConfig | undefined {
  const ofType = (type: number): Buffer[] => distinct(units.filter((unit) => h265NalType(unit) === type));
  const sps = ofType(H265NalType.sps);
  const record = hevcConfiguration([ofType(H265NalType.vps), sps, ofType(H265NalType.pps)]);
  const known = record && readH265Sps(sps[0] as Buffer);
  if (!known) return undefined;
  const codecs = hevcCodecs(h265ProfileTierLevel(sps[0] as Buffer));
  return { widthPx: known.widthPx, heightPx: known.heightPx, codec: 'h265', codecs, record };
}

/** @param profile general_profile_space to general_level_idc */
function hevcCodecs(profile: Buffer): string {
  const [head = 0] = profile;
  const flags = profile.readUInt32BE(1);
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = reversed * 2 + ((flags >>> bit) & 1);
  const space = ['', 'A', 'B', 'C'][head >> 6] ?? '';
  const constraints = [...profile.subarray(5, 11)];
  while (constraints.length > 1 && constraints.at(-1) === 0) constraints.pop();
  const rest = constraints.map((byte) => byte.toString(16).toUpperCase()).join('.');
  return `hvc1.${space}${head & 0x1f}.${reversed.toString(16).toUpperCase()}.${(head & 0x20) === 0 ? 'L' : 'H'}${profile[11] ?? 0}.${rest}`;
}

function distinct(units: readonly Buffer[]): Buffer[] {
  return units.filter((unit, at) => units.findIndex((other) => other.equals(unit)) === at);
}
