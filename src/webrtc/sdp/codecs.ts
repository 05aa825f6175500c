/** Which codec of an offered m-line is sent, under the offer's own payload types. Pure. */
import {
  ENCODED_PROFILE,
  h264Profile,
  h265Decoder,
  profileDistance,
  takesH265,
  type Codec,
  type H264Profile,
  type H265Profile,
  type SourceMedia,
  type VideoCodec,
} from '../../media/index.js';
import { extensionId, TRANSPORT_CC_EXTENSION_URI } from './extension-uris.js';
import { attributeValues, type MediaSection } from './parse.js';

/** One `a=rtpmap` with its `a=fmtp` and `a=rtcp-fb`. */
export interface OfferedCodec {
  /** 0 to 127, as the offer has it. */
  readonly payloadType: number;
  /** As written: `H264`, `VP8`, `opus`, `rtx`. */
  readonly name: string;
  /** Of its RTP timestamps. */
  readonly clockRateHz: number;
  /** Of sound; undefined: one. */
  readonly channels: string | undefined;
  /** The `a=fmtp` value as written. */
  readonly fmtp: string | undefined;
  /** What is known of its `a=rtcp-fb`. */
  readonly feedback: ReadonlySet<Feedback>;
}

/** What an m-line sends. */
export interface NegotiatedCodec {
  /** What is sent or received. */
  readonly codec: Codec;
  /** As the offer has it. */
  readonly offered: OfferedCodec;
  /** RFC 4588 retransmission; undefined where the offer has none for this codec. */
  readonly rtx: OfferedCodec | undefined;
  /** Feedback of the offer that is answered. */
  readonly feedback: readonly Feedback[];
  /** Beside H.265, which is sent only as it comes: what lower qualities and other sources are sent in. Undefined where the offer has none. */
  readonly beside?: NegotiatedCodec | undefined;
}

/** Feedback that is acted on and given: RFC 4585 §6.2.1 and §6.3.1, RFC 5104 §4.3.1, and what tells a sender how much the network carries. */
const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb'] as const;
/** Payload types that need no `a=rtpmap` (RFC 3551 §6). None of them is served; a refusal names them. */
const STATIC_FORMATS: Readonly<Record<string, string>> = {
  '0': 'PCMU/8000',
  '3': 'GSM/8000',
  '8': 'PCMA/8000',
  '9': 'G722/8000',
  '26': 'JPEG/90000',
  '31': 'H261/90000',
  '32': 'MPV/90000',
  '34': 'H263/90000',
};
/** What no `profile-level-id` stands for (RFC 6184 §8.1). */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';
/** RTCP feedback (RFC 4585 §4.2). */
type Feedback = (typeof FEEDBACK)[number];

/** The m-line's codecs in the offer's order; what cannot be read is left out. */
export function offeredCodecs(section: MediaSection): OfferedCodec[] {
  const rtpmaps = byPayloadType(attributeValues(section.attributes, 'rtpmap'));
  const fmtps = byPayloadType(attributeValues(section.attributes, 'fmtp'));
  const feedback = feedbackByFormat(attributeValues(section.attributes, 'rtcp-fb'));
  const codecs = new Map<number, OfferedCodec>();
  for (const format of section.formats) {
    if (!/^[0-9]{1,3}$/.test(format) || Number(format) > 127 || codecs.has(Number(format))) continue;
    const [name, clockRate, channels] = (rtpmaps.get(format)?.[0] ?? STATIC_FORMATS[format])?.split('/').map((part) => part.trim()) ?? [];
    if (!name || !clockRate) continue;
    codecs.set(Number(format), {
      payloadType: Number(format),
      name,
      clockRateHz: Number(clockRate),
      channels,
      fmtp: fmtps.get(format)?.join(';'),
      feedback: new Set([...(feedback.get(format) ?? []), ...(feedback.get('*') ?? [])]),
    });
  }
  return [...codecs.values()];
}

/** What is to be sent. */
export interface VideoToSend {
  /** Default H.264. */
  readonly preferred?: VideoCodec | undefined;
  /** `profile-level-id` of H.264 that is handed on as it comes. Default: what is encoded here. */
  readonly h264?: string | undefined;
  /** Of H.265 that is handed on as it comes. */
  readonly h265?: H265Profile | undefined;
}

/**
 * The preferred one where the offer has it, else H.264 (RFC 6184), else VP8; undefined where it has neither. Of several
 * H.264 the one whose decoder takes what is sent; where none does, the one that would be taken of what is encoded here. H.265
 * (RFC 7798) where a decoder takes what is sent, with what is sent beside it.
 */
export function chooseVideoCodec(section: MediaSection, wanted: VideoToSend = {}): NegotiatedCodec | undefined {
  const { preferred = 'h264', h264: sent, h265 } = wanted;
  const codecs = offeredCodecs(section);
  if (preferred === 'h265') {
    const beside = chooseVideoCodec(section, { h264: sent });
    const offered = h265 && codecs.find((codec) => isH265(codec) && takesH265(h265Decoder(parameters(codec.fmtp)), h265));
    return offered ? { ...negotiated(section, 'h265', offered), beside } : beside;
  }
  const profile = (sent === undefined ? undefined : h264Profile(sent)) ?? ENCODED_PROFILE;
  const h264 = codecs
    .map((codec) => ({ codec, rank: h264Rank(codec, profile) }))
    .filter(({ rank }) => rank < Infinity)
    .sort((a, b) => a.rank - b.rank)[0]?.codec;
  const vp8 = codecs.find((codec) => codec.name.toUpperCase() === 'VP8' && codec.clockRateHz === 90_000);
  const offered = preferred === 'vp8' ? (vp8 ?? h264) : (h264 ?? vp8);
  return offered && negotiated(section, offered === h264 ? 'h264' : 'vp8', offered);
}

/** Everything that an m-line may send: one payload type is followed by another at a keyframe. */
export function codecsOf(codec: NegotiatedCodec): readonly NegotiatedCodec[] {
  return codec.beside ? [codec, codec.beside] : [codec];
}

/** What an m-line sends of a source: H.265 of one that comes in it, as it comes; undefined where nothing that was negotiated fits. */
export function codecFor(codec: NegotiatedCodec, { rawCodec, rawH265 }: SourceMedia, isAsItComes: boolean): NegotiatedCodec | undefined {
  if (codec.codec !== 'h265') return codec;
  const isTaken = rawCodec === 'h265' && rawH265 !== undefined && takesH265(h265Decoder(parameters(codec.offered.fmtp)), rawH265);
  return isAsItComes && isTaken ? codec : codec.beside;
}

function negotiated(section: MediaSection, codec: VideoCodec, offered: OfferedCodec): NegotiatedCodec {
  return { codec, offered, rtx: rtxOf(offered, offeredCodecs(section)), feedback: sendFeedback(section, offered, FEEDBACK) };
}

/** In one stream (RFC 7798 §7.1: `tx-mode`). */
function isH265({ name, clockRateHz, fmtp }: OfferedCodec): boolean {
  const mode = parameters(fmtp).get('tx-mode')?.toUpperCase();
  return name.toUpperCase() === 'H265' && clockRateHz === 90_000 && (mode === undefined || mode === 'SRST');
}

/** What a publisher is asked to send: H.264 or VP8, whichever comes first in its offer; undefined where it has neither. */
export function choosePublishedVideoCodec(section: MediaSection): NegotiatedCodec | undefined {
  const codecs = offeredCodecs(section);
  const isVp8 = (codec: OfferedCodec): boolean => codec.name.toUpperCase() === 'VP8' && codec.clockRateHz === 90_000;
  const first = codecs.find((codec) => isVp8(codec) || publishedH264Rank(codec) < Infinity);
  if (!first) return undefined;
  const offered = isVp8(first)
    ? first
    : codecs.reduce((best, codec) => (publishedH264Rank(codec) < publishedH264Rank(best) ? codec : best), first);
  return { codec: isVp8(first) ? 'vp8' : 'h264', offered, rtx: rtxOf(offered, codecs), feedback: receiveFeedback(offered) };
}

/** Opus as a publisher sends it; undefined where the offer has none. */
export function choosePublishedAudioCodec(section: MediaSection): NegotiatedCodec | undefined {
  const codec = chooseAudioCodec(section);
  return (
    codec && { ...codec, feedback: receiveFeedback(codec.offered).filter((feedback) => feedback === 'nack' || feedback === 'transport-cc') }
  );
}

/** The `sprop-parameter-sets` of H.264 (RFC 6184 §8.1). */
export function parameterSetsOf(codec: OfferedCodec): string | undefined {
  return parameters(codec.fmtp).get('sprop-parameter-sets');
}

/** Opus (RFC 7587 §7: always 48000 Hz and 2 channels, whatever some leave out or write); undefined where the offer has none. */
export function chooseAudioCodec(section: MediaSection): NegotiatedCodec | undefined {
  const offered = offeredCodecs(section).find((codec) => codec.name.toLowerCase() === 'opus' && codec.clockRateHz === 48_000);
  return offered && { codec: 'opus', offered, rtx: undefined, feedback: sendFeedback(section, offered, ['transport-cc']) };
}

function rtxOf(offered: OfferedCodec, codecs: readonly OfferedCodec[]): OfferedCodec | undefined {
  return codecs.find((codec) => codec.name.toLowerCase() === 'rtx' && parameters(codec.fmtp).get('apt') === String(offered.payloadType));
}

/** Feedback about a transport needs the header extension that it refers to. */
function sendFeedback(section: MediaSection, offered: OfferedCodec, wanted: readonly Feedback[]): Feedback[] {
  const isNumbered = extensionId(section, TRANSPORT_CC_EXTENSION_URI) !== undefined;
  return wanted.filter((value) => offered.feedback.has(value) && (value !== 'transport-cc' || isNumbered));
}

/** The older way of telling the sender a bitrate is left where it has the better one. */
function receiveFeedback({ feedback }: OfferedCodec): Feedback[] {
  return FEEDBACK.filter((value) => feedback.has(value) && !(value === 'goog-remb' && feedback.has('transport-cc')));
}

/**
 * Lower is better. What is received may also be single NAL units (packetization-mode 0, which no mode at all stands
 * for); of the profiles those that every browser plays, as viewers get them as they come.
 */
function publishedH264Rank(codec: OfferedCodec): number {
  if (codec.name.toUpperCase() !== 'H264' || codec.clockRateHz !== 90_000) return Infinity;
  const fmtp = parameters(codec.fmtp);
  const mode = fmtp.get('packetization-mode') ?? '0';
  const profile = fmtp.get('profile-level-id')?.toLowerCase() ?? '42';
  const byProfile = ['42e0', '4200', '42', '4d', '64'].findIndex((prefix) => profile.startsWith(prefix));
  if ((mode !== '0' && mode !== '1') || byProfile < 0) return Infinity;
  return byProfile + (mode === '1' ? 0 : 10);
}

/**
 * Lower is better. Fragmented NAL units need packetization-mode 1; a client that names no mode at all (GStreamer
 * from bare caps) depacketizes everything and comes last. A level that is too low matters less than the profile:
 * browsers name a low one and play all.
 */
function h264Rank(codec: OfferedCodec, sent: H264Profile): number {
  if (codec.name.toUpperCase() !== 'H264' || codec.clockRateHz !== 90_000) return Infinity;
  const fmtp = parameters(codec.fmtp);
  const mode = fmtp.get('packetization-mode');
  if (mode !== undefined && mode !== '1') return Infinity;
  const decoder = h264Profile(fmtp.get('profile-level-id') ?? DEFAULT_PROFILE_LEVEL_ID);
  const byMode = mode === '1' ? 0 : 100;
  if (!decoder) return byMode + 49;
  const distance = profileDistance(sent, decoder);
  if (distance === Infinity) return byMode + 40 + profileDistance(ENCODED_PROFILE, decoder);
  return byMode + distance + (levelOf(decoder, fmtp) < sent.level ? 20 : 0);
}

/** The highest level that is received (RFC 6184 §8.1: `max-recv-level` may name a higher one than the profile does). */
function levelOf({ level }: H264Profile, fmtp: ReadonlyMap<string, string>): number {
  const highest = /^[0-9a-f]{2}([0-9a-f]{2})$/i.exec(fmtp.get('max-recv-level') ?? '')?.[1];
  return Math.max(level, highest === undefined ? 0 : parseInt(highest, 16));
}

/** `*` stands for all formats (RFC 4585 §4.2). */
function feedbackByFormat(lines: readonly string[]): Map<string, Set<Feedback>> {
  const feedback = new Map<string, Set<Feedback>>();
  for (const line of lines) {
    const [format = '', ...words] = line.split(/\s+/);
    const known = FEEDBACK.find((value) => value === words.join(' '));
    if (known) feedback.set(format, (feedback.get(format) ?? new Set()).add(known));
  }
  return feedback;
}

function parameters(fmtp: string | undefined): Map<string, string> {
  const pairs = (fmtp ?? '').split(';').map((pair) => {
    const [name = '', ...value] = pair.split('=');
    return [name.trim().toLowerCase(), value.join('=').trim()] as const; // base64 has = in its value
  });
  return new Map(pairs);
}

function byPayloadType(lines: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const space = line.search(/\s/);
    if (space < 0) continue;
    const format = line.slice(0, space);
    const known = values.get(format);
    const value = line.slice(space + 1).trim();
    // An offer of 256 KiB has thousands of one format: each is added in its place.
    if (known) known.push(value);
    else values.set(format, [value]);
  }
  return values;
}
