/** Which H.265 a stream is, and which a decoder takes: `profile-id`, `tier-flag` and `level-id` (RFC 7798 §7.1). */

/** Profile, tier and level of a stream or a decoder. */
export interface H265Profile {
  /** general_profile_idc: 1 is Main, 2 is Main 10. */
  readonly profileId: number;
  /** general_tier_flag: 0 is the Main tier, 1 the High one. */
  readonly tierFlag: number;
  /** general_level_idc: thirty times the level; 93 is 3.1. */
  readonly levelId: number;
}

/** ffprobe's names of the profiles that are handed on. */
const PROFILE_IDS: Readonly<Record<string, number>> = { Main: 1, 'Main 10': 2 };
/** Pixel formats of those. */
const PIXEL_FORMATS: Readonly<Record<number, readonly string[]>> = { 1: ['yuv420p'], 2: ['yuv420p', 'yuv420p10le'] };
/** What no `level-id` stands for, 3.1. Some browsers say it whatever they decode. */
const UNSAID_LEVEL_ID = 93;

/**
 * Of a stream that ffprobe has looked at; undefined where WebRTC does not carry it. ffprobe tells no tier: the High one is
 * for bitrates of studios.
 */
export function h265ProfileOf(profile: string, pixelFormat: string, level: number | undefined): H265Profile | undefined {
  const profileId = PROFILE_IDS[profile];
  if (profileId === undefined || !PIXEL_FORMATS[profileId]?.includes(pixelFormat)) return undefined;
  return { profileId, tierFlag: 0, levelId: level !== undefined && level > 0 && level <= 255 ? level : UNSAID_LEVEL_ID };
}

/** What a decoder says of itself. @param parameters of its `a=fmtp`, names in lower case */
export function h265Decoder(parameters: ReadonlyMap<string, string>): H265Profile {
  const number = (name: string, unsaid: number): number => {
    const text = parameters.get(name);
    return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : unsaid;
  };
  const levelId = number('level-id', UNSAID_LEVEL_ID);
  return {
    profileId: number('profile-id', 1),
    tierFlag: number('tier-flag', 0),
    levelId: Math.max(levelId, number('max-recv-level-id', 0)),
  };
}

/**
 * Whether a decoder takes a stream. A Main 10 decoder takes Main; one of the High tier takes the Main tier. A level that is
 * too low refuses, unless it is the one that stands for nothing said.
 */
export function takesH265(decoder: H265Profile, stream: H265Profile): boolean {
  const takesProfile = decoder.profileId === stream.profileId || (decoder.profileId === 2 && stream.profileId === 1);
  const takesLevel = decoder.levelId >= stream.levelId || decoder.levelId === UNSAID_LEVEL_ID;
  return takesProfile && takesLevel && decoder.tierFlag >= stream.tierFlag;
}

/**
 * The `a=fmtp` of a stream that is offered (RFC 7798 §7.2.1). A stream of a low level conforms to the higher ones, too, and some
 * receivers (Pion's) take the level that they name themselves alone: the one that stands for nothing said.
 */
export function h265Fmtp({ profileId, tierFlag, levelId }: H265Profile): string {
  return `level-id=${Math.max(levelId, UNSAID_LEVEL_ID)};profile-id=${profileId};tier-flag=${tierFlag};tx-mode=SRST`;
}
