/**
 * SDP fragments (`application/trickle-ice-sdpfrag`, RFC 8840 §9): one side's ICE credentials and candidates, without
 * the rest of a session description. Reads what clients send, which leave out m-lines and mids, too. Pure.
 */
import { MediaPeerError } from '../../base/errors.js';
import type { IceDescription, TrickledCandidate } from '../api/requests.js';
import { attribute, parseSdp, quoted } from './parse.js';

/** Largest fragment that is read, in bytes. One with 20 candidates is about 2 KiB. */
export const MAX_FRAGMENT_BYTES = 32 * 1024;
/** More candidates than any machine has; those after them are passed over. */
const MAX_FRAGMENT_CANDIDATES = 64;

/** ICE credentials and candidates of one side. */
export interface SdpFragment {
  /** Of the client's ICE generation; undefined where the fragment names none. */
  readonly iceUfrag: string | undefined;
  /** RFC 8839 §5.4; undefined where the fragment has none. */
  readonly icePassword: string | undefined;
  /** In order; an empty one where no more will come. */
  readonly candidates: readonly TrickledCandidate[];
}

interface Section {
  mid?: string;
  iceUfrag?: string;
  icePassword?: string;
  readonly candidates: string[];
}

/** Lines that cannot be read are passed over (RFC 8838 §11). @throws MediaPeerError CANDIDATE_INVALID naming the first of them, where nothing else is there. */
export function parseFragment(text: string): SdpFragment {
  if (Buffer.byteLength(text) > MAX_FRAGMENT_BYTES) throw fragmentInvalid(`it is larger than ${MAX_FRAGMENT_BYTES} bytes`);
  const { sections, faults } = readSections(text);
  const first = sections.find((section) => section.iceUfrag !== undefined || section.icePassword !== undefined);
  const candidates = sections.flatMap((section) => section.candidates.map((candidate) => trickled(candidate, section, first?.iceUfrag)));
  if (first === undefined && candidates.length === 0) throw fragmentInvalid(faults[0] ?? 'it has neither a=ice-ufrag nor a candidate');
  return { iceUfrag: first?.iceUfrag, icePassword: first?.icePassword, candidates: candidates.slice(0, MAX_FRAGMENT_CANDIDATES) };
}

/** A fragment of the session that `answer` began, with all the candidates there will be. */
export function writeFragment(answer: string, { iceUfrag, icePassword, candidates }: IceDescription): string {
  const lines = [
    ...headOf(answer),
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePassword}`,
    ...candidates.map((candidate) => `a=${candidate}`),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** What a fragment repeats of the session's answer (RFC 9725 §4.3.3): ICE options, BUNDLE group, and the m-line that carries the transport. */
function headOf(answer: string): string[] {
  const description = parseSdp(answer);
  const bundle = description.bundles[0];
  const carrier = description.media.find(({ mid }) => mid !== undefined && mid === bundle?.[0]) ?? description.media[0];
  const own = (name: string): string | undefined =>
    attribute(description.attributes, name) ?? (carrier && attribute(carrier.attributes, name));
  const options = own('ice-options');
  return [
    ...(own('ice-lite') === undefined ? [] : ['a=ice-lite']),
    ...(options === undefined ? [] : [`a=ice-options:${options}`]),
    ...(bundle === undefined ? [] : [`a=group:BUNDLE ${bundle.join(' ')}`]),
    ...(carrier === undefined ? [] : [`m=${carrier.kind} 9 ${carrier.protocol} ${carrier.formats.join(' ')}`]),
    ...(carrier?.mid === undefined ? [] : [`a=mid:${carrier.mid}`]),
  ];
}

function fragmentInvalid(message: string): MediaPeerError {
  return new MediaPeerError('CANDIDATE_INVALID', `the SDP fragment is not usable: ${message}`);
}

/** The first section is what comes before any m-line. */
function readSections(text: string): { sections: Section[]; faults: string[] } {
  const sections: Section[] = [{ candidates: [] }];
  const faults: string[] = [];
  text.split(/\r\n|\n|\r/).forEach((untrimmed, i) => {
    const line = untrimmed.trimEnd();
    if (line === '') return;
    if (line.startsWith('m=')) sections.push({ candidates: [] });
    const section = sections.at(-1);
    const attribute = line.startsWith('candidate:') ? line : line.startsWith('a=') ? line.slice(2) : undefined;
    if (section && attribute !== undefined) faults.push(...readAttribute(section, attribute, i + 1));
    else if (!/^[a-z]=./.test(line)) faults.push(`line ${i + 1}: expected '<letter>=<value>', got ${quoted(line)}`);
  });
  return { sections, faults };
}

/** Attributes with another name than these, and lines of another letter, say nothing about ICE candidates. Returns what is wrong with a candidate. */
function readAttribute(section: Section, line: string, lineNumber: number): string[] {
  const colon = line.indexOf(':');
  const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  const fault = (what: string): string => `line ${lineNumber}: a=${name} must be ${what}, got ${quoted(value)}`;
  const expect = (shape: RegExp, what: string): string => {
    if (!shape.test(value)) throw fragmentInvalid(fault(what));
    return value;
  };
  if (name === 'mid') section.mid = expect(/^[!#-'*+\-.0-9A-Z^-~]{1,64}$/, 'a token of at most 64 characters');
  else if (name === 'ice-ufrag') section.iceUfrag = expect(/^[A-Za-z0-9+/_=-]{4,256}$/, '4 to 256 letters, digits, + or /');
  else if (name === 'ice-pwd') section.icePassword = expect(/^[A-Za-z0-9+/_=-]{22,256}$/, '22 to 256 letters, digits, + or /');
  else if (name === 'candidate' && !CANDIDATE.test(value))
    return [fault("'<foundation> <component> <transport> <priority> <address> <port> typ <type>'")];
  else if (name === 'candidate') section.candidates.push(`candidate:${value}`);
  else if (name === 'end-of-candidates') section.candidates.push('');
  return [];
}

/** RFC 8839 §5.1 as far as the shape goes; whether one can be used is not for the fragment to say. */
const CANDIDATE =
  /^[\x21-\x7e]{1,64} +[0-9]{1,3} +[A-Za-z0-9-]{1,16} +[0-9]{1,10} +[\x21-\x7e]{1,255} +[0-9]{1,5} +typ +[A-Za-z]{1,16}( [\x20-\x7e]{1,1000})?$/;

/**
 * A candidate belongs to the generation that its m-section or the fragment names. What browsers write behind the candidate
 * (`ufrag EsAw`) counts last: after a restart they repeat the old one there, and so does the example in RFC 9725.
 */
function trickled(candidate: string, section: Section, fragmentUfrag: string | undefined): TrickledCandidate {
  const ufrag = section.iceUfrag ?? fragmentUfrag ?? / ufrag ([A-Za-z0-9+/_=-]{4,256})(?: |$)/.exec(candidate)?.[1];
  return { candidate, ...(section.mid !== undefined && { mid: section.mid }), ...(ufrag !== undefined && { ufrag }) };
}
