/** Which H.264 a stream is, and which a decoder takes: `profile-level-id` (RFC 6184 §8.1), six hexadecimal digits. */
import { NalType, nalType } from './h264.js';
import { readLengthPrefixed } from './nal-units.js';

type ProfileName = 'constrained-baseline' | 'baseline' | 'main' | 'constrained-high' | 'high' | 'high-444';

/** Profile and level of a stream. */
export interface H264Profile {
  /** As RFC 6184 §8.1 groups them. */
  readonly name: ProfileName;
  /** Ten times the level; 10.5 is 1b. */
  readonly level: number;
}

/** What Constrained Baseline is encoded here as; its level is the encoder's to choose. */
export const ENCODED_PROFILE: H264Profile = { name: 'constrained-baseline', level: 0 };

/** Decoders of which profiles take a stream, nearest first. What is sent here is progressive and has no B-frames. */
const TAKEN_BY: Readonly<Record<ProfileName, readonly ProfileName[]>> = {
  'constrained-baseline': ['constrained-baseline', 'baseline', 'main', 'constrained-high', 'high', 'high-444'],
  baseline: ['baseline'],
  main: ['main', 'constrained-high', 'high', 'high-444'],
  'constrained-high': ['constrained-high', 'high', 'high-444'],
  high: ['high', 'constrained-high', 'high-444'],
  'high-444': ['high-444'],
};
/** Decoders of each take the ones before; of Baseline with its own tools hardly any takes anything else. */
const RANKS: readonly ProfileName[] = ['constrained-baseline', 'baseline', 'main', 'constrained-high', 'high', 'high-444'];
/** ffprobe's names, as profile_idc and constraint flags. */
const PROFILE_BYTES: Readonly<Record<string, string>> = {
  Baseline: '4200',
  'Constrained Baseline': '42e0',
  Main: '4d00',
  High: '6400',
  'Constrained High': '640c',
};
const HIGHEST_LEVEL = 62;

/** Undefined where it is none, or a profile that WebRTC does not use. */
export function h264Profile(profileLevelId: string): H264Profile | undefined {
  if (!/^[0-9a-f]{6}$/i.test(profileLevelId)) return undefined;
  const [idc, flags, level] = [0, 2, 4].map((at) => parseInt(profileLevelId.slice(at, at + 2), 16)) as [number, number, number];
  const name = profileName(idc, flags);
  const isLevel1b = name !== undefined && idc !== 0x64 && level === 11 && (flags & 0x10) !== 0;
  return name && { name, level: isLevel1b || level === 9 ? 10.5 : level };
}

/** The `profile-level-id` of a stream that ffprobe has looked at; undefined where it names no such profile. */
export function profileLevelIdOf(profile: string, level: number | undefined): string | undefined {
  const bytes = PROFILE_BYTES[profile];
  const isLevel = level !== undefined && level > 0 && level <= HIGHEST_LEVEL;
  return bytes && isLevel ? bytes + level.toString(16).padStart(2, '0') : undefined;
}

/** The `profile-level-id` that the SPS of a keyframe tells. @param data length-prefixed NAL units */
export function keyframeProfile(data: Buffer): string | undefined {
  const sps = readLengthPrefixed(data)?.find((unit) => nalType(unit) === NalType.sps);
  return sps && sps.length >= 4 ? sps.toString('hex', 1, 4) : undefined;
}

/** How far a decoder's profile is from a stream's: 0 is its own, Infinity one that does not take it. */
export function profileDistance(stream: H264Profile, decoder: H264Profile): number {
  const distance = TAKEN_BY[stream.name].indexOf(decoder.name);
  return distance < 0 ? Infinity : distance;
}

/**
 * The `profile-level-id` whose decoders take all of these streams: the highest profile with the highest level. Undefined where
 * none is known.
 */
export function highestProfile(profileLevelIds: readonly (string | undefined)[]): string | undefined {
  const known = profileLevelIds.flatMap((id) => {
    const profile = id === undefined ? undefined : h264Profile(id);
    return id !== undefined && profile ? [{ id, rank: RANKS.indexOf(profile.name), level: id.slice(4) }] : [];
  });
  const [highest] = [...known].sort((a, b) => b.rank - a.rank);
  const level = known.map((each) => each.level).reduce((most, each) => (parseInt(each, 16) > parseInt(most, 16) ? each : most), '00');
  return highest && highest.id.slice(0, 4) + level;
}

/** profile_idc and constraint flags as RFC 6184 table 5 reads them. */
function profileName(idc: number, flags: number): ProfileName | undefined {
  if (idc === 0x42) return (flags & 0x40) === 0 ? 'baseline' : 'constrained-baseline';
  if (idc === 0x4d) return (flags & 0x80) === 0 ? 'main' : 'constrained-baseline';
  if (idc === 0x64) return (flags & 0x0c) === 0x0c ? 'constrained-high' : 'high';
  return idc === 0xf4 ? 'high-444' : undefined;
}
