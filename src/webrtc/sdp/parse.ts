/**
 * Reads session descriptions (RFC 8866) as far as an answer needs them. Strict about what the transport rests
 * on (ICE credentials, fingerprint, m-lines), indifferent to everything it does not know. Pure.
 */
import { MediaPeerError } from '../../base/errors.js';

/** Largest message a data channel takes, in bytes (RFC 8841 §6). */
export const MAX_DATA_MESSAGE_BYTES = 65_536;

/** Largest offer that is read. A browser's offer with every codec is about 10 KiB. */
export const MAX_SDP_BYTES = 256 * 1024;
/** More m-lines than any client of a media server needs. */
const MAX_MEDIA_SECTIONS = 32;

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** `a=` lines in order, by name. */
export type Attributes = ReadonlyMap<string, readonly string[]>;

/** One m-line with the lines below it. */
export interface MediaSection {
  /** `audio`, `video`, `application`, ... */
  readonly kind: string;
  /** 0: the m-line is refused or not used. */
  readonly port: number;
  /** `UDP/TLS/RTP/SAVPF`, `UDP/DTLS/SCTP`, ... */
  readonly protocol: string;
  /** Payload types, or what the protocol uses instead. */
  readonly formats: readonly string[];
  /** Its `a=` lines. */
  readonly attributes: Attributes;
  /** RFC 9143; undefined where the offer has no `a=mid`. */
  readonly mid: string | undefined;
}

/** An offer or an answer, read. */
export interface SessionDescription {
  /** `o=` without its letter: user name, session id, version, address. Empty where there is none. */
  readonly origin: string;
  /** `a=` lines at session level. */
  readonly attributes: Attributes;
  /** Its m-lines, in order. */
  readonly media: readonly MediaSection[];
  /** The mids of each `a=group:BUNDLE`. */
  readonly bundles: readonly (readonly string[])[];
}

/** The other side's part of one transport. */
export interface RemoteTransport {
  /** RFC 8839 §5.4. */
  readonly iceUfrag: string;
  /** RFC 8839 §5.4. */
  readonly icePassword: string;
  /** True where the other side only answers checks (RFC 8445 §2.5). */
  readonly iceLite: boolean;
  /** Of its certificate (RFC 8122 §5); one of them has to fit. */
  readonly fingerprints: readonly { readonly algorithm: string; readonly value: string }[];
  /** Its DTLS role (RFC 8842 §5). */
  readonly setup: 'actpass' | 'active' | 'passive';
  /** Those that can be checked. */
  readonly candidates: readonly RemoteCandidate[];
  /** Those that no checks are sent to. */
  readonly skipped?: readonly SkippedCandidate[];
}

/** A UDP candidate with an address that needs no look-up (RFC 8839 §5.1). */
export interface RemoteCandidate {
  /** RFC 8445 §5.1.1.3. */
  readonly foundation: string;
  /** RFC 8445 §5.1.2. */
  readonly priority: number;
  /** An IP address, never a name. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
  /** RFC 8839 §5.1; those that a check finds (`prflx`) are never told. */
  readonly type: 'host' | 'srflx' | 'relay';
}

/** A candidate that no checks are sent to: a name that is not looked up, TCP (the client connects to us), or another kind that is not spoken. */
export interface SkippedCandidate {
  /** Why it is not checked. */
  readonly type: 'mdns' | 'tcp' | 'unusable';
}

/** The error for an offer or an answer that cannot be used. @param message what is wrong with it */
export function sdpInvalid(message: string): MediaPeerError {
  return new MediaPeerError('SDP_INVALID', `the session description is not usable: ${message}`);
}

/** Quotes untrusted text for a message: short and printable. */
export function quoted(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return `'${printable.length > 40 ? `${printable.slice(0, 40)}...` : printable}'`;
}

/** @throws MediaPeerError SDP_INVALID naming the line. */
export function parseSdp(sdp: string): SessionDescription {
  if (typeof sdp !== 'string' || sdp.trim() === '') throw sdpInvalid('it is empty');
  if (Buffer.byteLength(sdp) > MAX_SDP_BYTES) throw sdpInvalid(`it is larger than ${MAX_SDP_BYTES} bytes`);
  const session = new Map<string, string[]>();
  let origin = '';
  const sections: (MediaSection & { attributes: Map<string, string[]> })[] = [];
  const lines = sdp.split(/\r\n|\n|\r/).map((line) => line.trimEnd());
  const firstLine = lines.findIndex((line) => line !== '');
  lines.forEach((line, i) => {
    if (line === '') return;
    if (!/^[a-z]=/.test(line)) throw sdpInvalid(`line ${i + 1}: expected '<letter>=<value>', got ${quoted(line)}`);
    if (i === firstLine && line !== 'v=0') throw sdpInvalid(`line ${i + 1}: expected 'v=0', got ${quoted(line)}`);
    if (line.startsWith('m=')) {
      sections.push(parseMediaLine(line.slice(2), i + 1));
      if (sections.length > MAX_MEDIA_SECTIONS) throw sdpInvalid(`more than ${MAX_MEDIA_SECTIONS} m-lines`);
    } else if (line.startsWith('o=')) {
      origin = line.slice(2);
    } else if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      const name = (colon < 0 ? line.slice(2) : line.slice(2, colon)).trim();
      const target = sections.at(-1)?.attributes ?? session;
      const values = target.get(name) ?? [];
      values.push(colon < 0 ? '' : line.slice(colon + 1).trim());
      target.set(name, values);
    }
  });
  if (sections.length === 0) throw sdpInvalid('it has no m-line');
  const media = sections.map((section) => ({
    ...section,
    attributes: withInherited(section.attributes, session),
    mid: midOf(section.attributes),
  }));
  return { origin, attributes: session, media, bundles: bundlesOf(session, media) };
}

/** The first value of an attribute. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  return attributes.get(name)?.[0];
}

/** The values of an attribute; empty where there is none. */
export function attributeValues(attributes: Attributes, name: string): readonly string[] {
  return attributes.get(name) ?? [];
}

function parseMediaLine(value: string, lineNumber: number): MediaSection & { attributes: Map<string, string[]> } {
  const match = /^([A-Za-z0-9-]+) +([0-9]{1,5})(?:\/[0-9]+)? +([A-Za-z0-9/-]+) +(\S.*)$/.exec(value);
  const [, kind, port, protocol, formats] = match ?? [];
  if (!kind || !port || !protocol || !formats || Number(port) > 65535) {
    throw sdpInvalid(`line ${lineNumber}: expected 'm=<media> <port> <proto> <fmt> ...', got ${quoted(`m=${value}`)}`);
  }
  return { kind, port: Number(port), protocol, formats: formats.trim().split(/ +/), attributes: new Map(), mid: undefined };
}

/** What a session says for all of its m-lines: a direction (RFC 8866 §6.7), where an m-line has none, and header extensions (RFC 8285 §5). */
function withInherited(own: Attributes, session: Attributes): Attributes {
  const isDirected = DIRECTIONS.some((name) => own.has(name));
  const names = [...(isDirected ? [] : DIRECTIONS), ...(own.has('extmap') ? [] : ['extmap'])].filter((name) => session.has(name));
  return names.length === 0 ? own : new Map([...own, ...names.map((name) => [name, attributeValues(session, name)] as const)]);
}

function midOf(attributes: Attributes): string | undefined {
  const mid = attribute(attributes, 'mid');
  if (mid !== undefined && !/^[!#-'*+\-.0-9A-Z^-~]{1,64}$/.test(mid)) throw sdpInvalid(`a=mid:${quoted(mid)} is not a token`);
  return mid;
}

function bundlesOf(session: Attributes, media: readonly MediaSection[]): string[][] {
  const mids = new Set<string>();
  for (const { mid } of media) {
    if (mid === undefined) continue;
    if (mids.has(mid)) throw sdpInvalid(`two m-lines have a=mid:${mid}`);
    mids.add(mid);
  }
  const seen = new Set<string>();
  const bundles: string[][] = [];
  for (const group of attributeValues(session, 'group')) {
    const [semantics, ...items] = group.split(/ +/);
    if (semantics !== 'BUNDLE') continue;
    for (const mid of items) {
      if (!mids.has(mid)) throw sdpInvalid(`a=group:BUNDLE names ${quoted(mid)}, which no m-line has`);
      if (seen.has(mid)) throw sdpInvalid(`a=group:BUNDLE names ${quoted(mid)} twice`);
      seen.add(mid);
    }
    if (items.length > 0) bundles.push(items);
  }
  return bundles;
}
