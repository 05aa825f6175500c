/**
 * Decides what each m-line of an offer gets: which rendition in which codec, audio, data channels, or nothing.
 * Pure: an offer and a description of the source go in, a plan comes out.
 */
import { MediaPeerError } from '../../base/errors.js';
import type { Rendition, SourceMedia } from '../../media/index.js';
import { chooseAudioCodec, chooseVideoCodec, offeredCodecs, type NegotiatedCodec, type VideoToSend } from './codecs.js';
import { remoteTransport } from './remote-transport.js';
import type { SimulcastLayer } from './simulcast.js';
import {
  attribute,
  MAX_DATA_MESSAGE_BYTES,
  sdpInvalid,
  type MediaSection,
  type RemoteTransport,
  type SessionDescription,
} from './parse.js';
import { numberedAsAWhole } from './whole-numbering.js';

/** Each transport is a handshake, and checks to every candidate that a stranger names. One that bundles needs one; raw, processed, sound and data need four. */
const MAX_TRANSPORTS = 4;

interface PlannedSection {
  readonly section: MediaSection;
  /** Index into `Plan.transports`. */
  readonly transport: number;
}

/** What one m-line gets. */
export type MLinePlan =
  /** `tile`: index of what it carries, among what was asked for. */
  | (PlannedSection & { readonly use: 'video'; readonly rendition: Rendition; readonly tile: number; readonly codec: NegotiatedCodec })
  | (PlannedSection & { readonly use: 'audio'; readonly codec: NegotiatedCodec })
  /** Video or audio that a publisher sends; `layers` are its encodings, empty where it is one. */
  | (PlannedSection & { readonly use: 'receive'; readonly codec: NegotiatedCodec; readonly layers: readonly SimulcastLayer[] })
  | (PlannedSection & { readonly use: 'data'; readonly sctpPort: number; readonly maxMessageBytes: number })
  /** Answered inactive; `transport` undefined: rejected with port 0, since it would need a transport of its own. */
  | { readonly use: 'none'; readonly section: MediaSection; readonly transport: number | undefined; readonly reason: string };

/** What an offer gets. */
export interface Plan {
  /** The offer. */
  readonly description: SessionDescription;
  /** One for each m-line, in the offer's order. */
  readonly mLines: readonly MLinePlan[];
  /** One for each BUNDLE group and for each m-line outside of one. */
  readonly transports: readonly RemoteTransport[];
  /** What the video m-lines get, in order. */
  readonly renditions: readonly Rendition[];
}

/** What an m-line is to get, before it has a transport. */
export type Wish =
  | { use: 'video'; rendition: Rendition; tile: number; codec: NegotiatedCodec }
  | { use: 'audio'; codec: NegotiatedCodec }
  | { use: 'receive'; codec: NegotiatedCodec; layers: readonly SimulcastLayer[] }
  | { use: 'data'; sctpPort: number; maxMessageBytes: number }
  | { use: 'none'; reason: string };

/** DETECTION_OFF. */
export function noProcessed(): MediaPeerError {
  return new MediaPeerError('DETECTION_OFF', "the rendition 'processed' was asked for, but no detector is running; ask for 'raw'");
}

/** What a video m-line is to carry. */
interface TileMedia {
  /** As it is at first. */
  readonly rendition: Rendition;
  /** How that comes; undefined: the source has no such rendition. */
  readonly sent: VideoToSend | undefined;
}

/** What an offer is to get. */
export interface MediaToNegotiate {
  /** For the video m-lines in order. */
  readonly tiles: readonly TileMedia[];
  /** Whether there is sound. */
  readonly hasAudio: boolean;
}

/**
 * @param description the offer
 * @param requested renditions for the video m-lines in order. Left out: two or more get raw and processed, a single
 *   one gets processed where the source has it, else raw.
 * @throws MediaPeerError SDP_INVALID, DETECTION_OFF or NOTHING_TO_SERVE.
 */
export function negotiate(description: SessionDescription, source: SourceMedia, requested?: readonly Rendition[]): Plan {
  const unavailable = requested?.find((rendition) => !source.renditions.includes(rendition));
  if (unavailable === 'processed') throw noProcessed();
  const renditions = requested ?? defaultRenditions(videoSections(description).length, source);
  const tiles = renditions.map((rendition) => ({ rendition, sent: toSend(source, rendition) }));
  return negotiateTiles(description, { tiles, hasAudio: source.hasAudio });
}

/** What is sent of a source, without more ado; undefined where it has no such rendition. */
export function toSend({ renditions, rawCodec, rawProfile, rawH265 }: SourceMedia, rendition: Rendition): VideoToSend | undefined {
  if (!renditions.includes(rendition)) return undefined;
  return rendition === 'raw' ? { preferred: rawCodec, h264: rawProfile, h265: rawH265 } : {};
}

/** As `negotiate`, whatever the m-lines carry. @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE */
export function negotiateTiles(description: SessionDescription, { tiles, hasAudio }: MediaToNegotiate): Plan {
  const videos = videoSections(description);
  const wishes = description.media.map((section): Wish => {
    const reason = refusal(section);
    if (reason !== undefined) return { use: 'none', reason };
    if (section.kind === 'video') return wishVideo(section, videos.indexOf(section), tiles);
    if (section.kind === 'audio') return wishAudio(section, hasAudio);
    return wishData(section);
  });
  if (!wishes.some(({ use }) => use === 'video' || use === 'audio') && !onlyData(description, wishes))
    throw nothingToServe(description, wishes);
  const plan = assignTransports(description, wishes);
  return { ...plan, mLines: numberedAsAWhole(plan.mLines) };
}

/** M-lines of video that can carry something from here. */
export function videoSections({ media }: SessionDescription): MediaSection[] {
  return media.filter((section) => section.kind === 'video' && refusal(section) === undefined);
}

/** @throws MediaPeerError BODY_INVALID where something is to flow from the start that no m-line carries */
export function throwIfNotServed(active: readonly Rendition[] | undefined, { renditions }: Plan): void {
  const missing = active?.find((rendition) => !renditions.includes(rendition));
  if (missing === undefined) return;
  throw new MediaPeerError(
    'BODY_INVALID',
    `active names '${missing}', but the video m-lines carry ${renditions.join(', ') || 'nothing'}; name it in tracks, too`,
  );
}

/** What a viewer gets that names nothing: both where it has two m-lines of video, else the processed rendition where there is one. */
export function defaultRenditions(videoSections: number, source: SourceMedia): Rendition[] {
  if (videoSections >= 2) return ['raw', 'processed'];
  return [source.renditions.includes('processed') ? 'processed' : 'raw'];
}

/** Why an m-line cannot carry anything from here; undefined where it can. @param wrongDirections of audio and video. */
export function refusal(section: MediaSection, wrongDirections: readonly string[] = ['sendonly', 'inactive']): string | undefined {
  if (section.port === 0 && !section.attributes.has('bundle-only')) return 'its port is 0';
  if (section.kind === 'application') {
    return /^(UDP\/)?DTLS\/SCTP$/.test(section.protocol) ? undefined : `the protocol ${section.protocol} is not supported`;
  }
  if (section.kind !== 'audio' && section.kind !== 'video') return 'only audio, video and application are served';
  if (!/^UDP\/TLS\/RTP\/SAVPF?$|^RTP\/SAVPF?$/.test(section.protocol)) return `the protocol ${section.protocol} is not supported`;
  if (!section.attributes.has('rtcp-mux')) return 'it has no a=rtcp-mux';
  const direction = wrongDirections.find((name) => section.attributes.has(name));
  return direction && `it is ${direction}; ${wrongDirections.includes('sendonly') ? 'recvonly' : 'sendonly'} or sendrecv is needed`;
}

function wishVideo(section: MediaSection, tile: number, tiles: readonly TileMedia[]): Wish {
  const wanted = tiles[tile];
  if (!wanted) return { use: 'none', reason: 'no rendition is left for it' };
  const { rendition, sent } = wanted;
  if (!sent) return { use: 'none', reason: `the source has no rendition '${rendition}'` };
  const codec = chooseVideoCodec(section, sent);
  return codec ? { use: 'video', rendition, tile, codec } : { use: 'none', reason: `no common codec (offered: ${codecNames(section)})` };
}

function wishAudio(section: MediaSection, hasAudio: boolean): Wish {
  if (!hasAudio) return { use: 'none', reason: 'the source has no audio' };
  const codec = chooseAudioCodec(section);
  return codec ? { use: 'audio', codec } : { use: 'none', reason: `no common codec (offered: ${codecNames(section)})` };
}

/** Data channels as an m-line asks for them. */
export function wishData(section: MediaSection): Wish {
  return { use: 'data', sctpPort: sctpPortOf(section), maxMessageBytes: maxMessageBytesOf(section) };
}

/** RFC 8841 §5: `a=sctp-port`, in older offers `a=sctpmap`; 5000 is what every implementation uses. */
function sctpPortOf(section: MediaSection): number {
  const port = Number(attribute(section.attributes, 'sctp-port') ?? section.formats[0]);
  return Number.isInteger(port) && port > 0 && port <= 65535 ? port : 5000;
}

/** RFC 8841 §6: 64 KiB where it is not told, 0 is any size. What is sent is never larger than what is taken. */
function maxMessageBytesOf(section: MediaSection): number {
  const bytes = Number(attribute(section.attributes, 'max-message-size') ?? 0);
  return Number.isInteger(bytes) && bytes > 0 ? Math.min(bytes, MAX_DATA_MESSAGE_BYTES) : MAX_DATA_MESSAGE_BYTES;
}

function onlyData(description: SessionDescription, wishes: readonly Wish[]): boolean {
  return wishes.some(({ use }) => use === 'data') && !description.media.some(({ kind }) => kind === 'audio' || kind === 'video');
}

function nothingToServe(description: SessionDescription, wishes: readonly Wish[]): MediaPeerError {
  const offered = description.media.map((section, i) => {
    const wish = wishes[i];
    return `m=${section.kind}: ${wish?.use === 'none' ? wish.reason : 'accepted'}`;
  });
  return new MediaPeerError(
    'NOTHING_TO_SERVE',
    `nothing in the offer can be served. Offered: ${offered.join('; ')}. Served: video in H264 (packetization-mode=1) or VP8, or in H265 of sources that come in it, and audio in opus/48000/2, sent to m-lines that are recvonly or sendrecv`,
  );
}

/** For a message: what an m-line offers, repair formats left out. */
export function codecNames(section: MediaSection): string {
  const names = new Set(
    offeredCodecs(section)
      .map((codec) => (/^H26[45]$/i.test(codec.name) ? `${codec.name} (${codec.fmtp ?? 'no fmtp'})` : codec.name))
      .filter((name) => !/^(rtx|red|ulpfec|flexfec-03)$/i.test(name)),
  );
  return [...names].join(', ').slice(0, 300) || 'none';
}

/** M-lines of a BUNDLE group share the transport of the group's first (RFC 9143 §7.3). */
export function assignTransports(description: SessionDescription, wishes: readonly Wish[]): Plan {
  const groups: MediaSection[][] = [];
  const groupOf = new Map<MediaSection, number>();
  const open = (sections: MediaSection[]): void => {
    for (const section of sections) groupOf.set(section, groups.length);
    groups.push(sections);
  };
  const isServed = (section: MediaSection): boolean => wishes[description.media.indexOf(section)]?.use !== 'none';
  for (const mids of description.bundles) {
    const sections = mids.flatMap((mid) => description.media.filter((section) => section.mid === mid));
    if (sections.some(isServed)) open(sections);
  }
  for (const section of description.media) if (!groupOf.has(section) && isServed(section)) open([section]);
  if (groups.length > MAX_TRANSPORTS)
    throw sdpInvalid(`it needs ${groups.length} transports of at most ${MAX_TRANSPORTS}; bundle its m-lines (a=group:BUNDLE)`);
  const mLines = description.media.map((section, i): MLinePlan => {
    const wish = wishes[i] ?? { use: 'none', reason: 'not planned' };
    const transport = groupOf.get(section);
    if (wish.use === 'none') {
      const canStay = transport !== undefined && (section.port !== 0 || section.attributes.has('bundle-only'));
      return { ...wish, section, transport: canStay ? transport : undefined };
    }
    return { ...wish, section, transport: transport ?? 0 };
  });
  return {
    description,
    mLines,
    transports: groups.map((sections) => remoteTransport(description, sections)),
    renditions: mLines.flatMap((mLine) => (mLine.use === 'video' ? [mLine.rendition] : [])),
  };
}
