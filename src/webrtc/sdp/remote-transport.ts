/** The other side's transport in an offer: ICE credentials, DTLS fingerprint and role, candidates. Pure. */
import net from 'node:net';
import { MediaPeerError } from '../../base/errors.js';
import {
  attribute,
  attributeValues,
  quoted,
  sdpInvalid,
  type MediaSection,
  type RemoteCandidate,
  type RemoteTransport,
  type SessionDescription,
  type SkippedCandidate,
} from './parse.js';

/** Bounds how many addresses an anonymous client can make the server send connectivity checks to. */
export const MAX_CANDIDATES = 16;

/** Longer than any candidate with the extensions that browsers add. */
const MAX_CANDIDATE_LENGTH = 1024;

/** Digest sizes in bytes by the names of RFC 8122 §5. */
const FINGERPRINT_BYTES: Readonly<Record<string, number>> = { 'sha-1': 20, 'sha-224': 28, 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 };

/** The other side of the data channels. */
export interface RemoteSctp {
  /** RFC 8841 §5: 1 to 65535. */
  readonly port: number;
  /** The longest message that the other side takes (RFC 8841 §6). */
  readonly maxMessageBytes: number;
}

/**
 * Reads the transport that `sections` share. What the first section (the tagged one of a bundle) lacks is looked
 * for at session level, then in the others.
 *
 * @throws MediaPeerError SDP_INVALID saying what is missing or malformed.
 */
export function remoteTransport(description: SessionDescription, sections: readonly MediaSection[]): RemoteTransport {
  const [first, ...others] = sections.map((section) => section.attributes);
  const sources = [...(first ? [first] : []), description.attributes, ...others];
  const find = (name: string): string | undefined =>
    sources.map((attributes) => attribute(attributes, name)).find((value) => value !== undefined);
  const iceUfrag = find('ice-ufrag');
  if (iceUfrag === undefined) throw sdpInvalid('it has no a=ice-ufrag (RFC 8839 §5.4)');
  if (!/^[A-Za-z0-9+/_=-]{4,256}$/.test(iceUfrag)) throw sdpInvalid('a=ice-ufrag must be 4 to 256 letters, digits, + or /');
  const icePassword = find('ice-pwd');
  if (icePassword === undefined) throw sdpInvalid('it has no a=ice-pwd (RFC 8839 §5.4)');
  if (!/^[A-Za-z0-9+/_=-]{22,256}$/.test(icePassword)) throw sdpInvalid('a=ice-pwd must be 22 to 256 letters, digits, + or /');
  const fingerprintLines = sources.map((attributes) => attributeValues(attributes, 'fingerprint')).find((values) => values.length > 0);
  if (!fingerprintLines) throw sdpInvalid('it has no a=fingerprint (RFC 8122 §5); only DTLS-SRTP is supported');
  return {
    iceUfrag,
    icePassword,
    iceLite: sources.some((attributes) => attributes.has('ice-lite')),
    fingerprints: parseFingerprints(fingerprintLines),
    setup: parseSetup(find('setup')),
    ...readCandidates(sections.flatMap((section) => attributeValues(section.attributes, 'candidate'))),
  };
}

/** Any of them may be of the certificate (RFC 8122 §5), so one with a hash that is not known is passed over beside others. */
function parseFingerprints(lines: readonly string[]): RemoteTransport['fingerprints'] {
  const known = lines.filter((line) => FINGERPRINT_BYTES[line.split(/\s+/)[0]?.toLowerCase() ?? ''] !== undefined);
  return (known.length > 0 ? known : lines).map(parseFingerprint);
}

function parseFingerprint(line: string): { algorithm: string; value: string } {
  const [name, value, ...rest] = line.split(/\s+/);
  const algorithm = name?.toLowerCase() ?? '';
  const bytes = FINGERPRINT_BYTES[algorithm];
  if (bytes === undefined)
    throw sdpInvalid(`a=fingerprint has the hash ${quoted(algorithm)}; expected one of ${Object.keys(FINGERPRINT_BYTES).join(', ')}`);
  if (value === undefined || rest.length > 0 || value.length !== bytes * 3 - 1 || !/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*$/.test(value)) {
    throw sdpInvalid(`a=fingerprint:${algorithm} must be ${bytes} hexadecimal bytes separated by colons`);
  }
  return { algorithm, value };
}

function parseSetup(setup: string | undefined): 'actpass' | 'active' | 'passive' {
  if (setup === undefined) return 'actpass';
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive') {
    throw sdpInvalid(`a=setup:${quoted(setup)}; expected actpass, active or passive (RFC 4145 §4)`);
  }
  return setup;
}

/** True where connectivity checks can be sent to it. */
export function isUsable(candidate: RemoteCandidate | SkippedCandidate): candidate is RemoteCandidate {
  return 'address' in candidate;
}

/**
 * Reads one trickled candidate (RFC 8839 §5.1), with or without `a=` and `candidate:`. Those that are no IP literal
 * (mDNS, host names), not UDP, not for RTP or not to be sent to are told apart, not refused: a client reached through
 * them is learned as peer-reflexive from its own checks, and the server asks no DNS.
 *
 * @throws MediaPeerError CANDIDATE_INVALID for what is no candidate at all.
 */
export function parseCandidate(line: string): RemoteCandidate | SkippedCandidate {
  const match =
    line.length > MAX_CANDIDATE_LENGTH
      ? null
      : /^(?:a=)?(?:candidate:)?(\S{1,64}) +(\d{1,3}) +(\S{1,16}) +(\d{1,10}) +(\S{1,255}) +(\d{1,5}) +typ +(\S{1,16})(?: |$)/.exec(line);
  const [, foundation, component, protocol, priority, address, port, type] = match ?? [];
  if (!foundation || !protocol || !address) {
    throw new MediaPeerError(
      'CANDIDATE_INVALID',
      `${quoted(line)} is no ICE candidate; expected 'candidate:<foundation> <component> <udp|tcp> <priority> <address> <port> typ <type>' (RFC 8839 §5.1)`,
    );
  }
  if (protocol.toLowerCase() === 'tcp') return { type: 'tcp' };
  if (component !== '1' || protocol.toLowerCase() !== 'udp') return { type: 'unusable' };
  if (/\.local\.?$/i.test(address)) return { type: 'mdns' };
  if (type !== 'host' && type !== 'srflx' && type !== 'relay') return { type: 'unusable' };
  const parsed: RemoteCandidate = { foundation, priority: Number(priority), address, port: Number(port), type };
  return parsed.priority <= 0xffffffff && parsed.port >= 1 && parsed.port <= 65535 && isUnicast(address) ? parsed : { type: 'unusable' };
}

/** Candidate lines of a description: those that checks are sent to, at most `MAX_CANDIDATES`, and the others. */
export function readCandidates(lines: readonly string[]): {
  readonly candidates: readonly RemoteCandidate[];
  readonly skipped: readonly SkippedCandidate[];
} {
  const candidates = lines.map(readCandidate);
  return {
    candidates: candidates.filter(isUsable).slice(0, MAX_CANDIDATES),
    skipped: candidates.filter((candidate) => !isUsable(candidate)),
  };
}

/** A malformed line among the others of a description is passed over. */
function readCandidate(line: string): RemoteCandidate | SkippedCandidate {
  try {
    return parseCandidate(line);
  } catch {
    return { type: 'unusable' };
  }
}

function isUnicast(address: string): boolean {
  if (net.isIPv4(address)) {
    const first = Number(address.split('.')[0]);
    return first > 0 && first < 224;
  }
  if (!net.isIPv6(address) || address.includes('%')) return false;
  const lower = address.toLowerCase();
  return !lower.startsWith('ff') && !lower.startsWith('fe8') && !/^[0:]+$/.test(lower);
}

/** This side's DTLS role in an answer (RFC 8842 §5.3): the server, wherever the other side lets it. */
export function setupFor(remote: RemoteTransport): 'active' | 'passive' {
  return remote.setup === 'passive' ? 'active' : 'passive';
}
