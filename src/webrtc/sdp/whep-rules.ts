/**
 * What WHIP (RFC 9725) and WHEP ask of an offer beyond what any WebRTC offer must be: one way, one audio and one video
 * track, all in one BUNDLE group. An offer that breaks them is refused whole, with everything that is wrong. Pure.
 */
import { MediaPeerError } from '../../base/errors.js';
import { parseSdp, type MediaSection, type SessionDescription } from './parse.js';

/** @throws MediaPeerError NOTHING_TO_SERVE when the offer is not that of a WHEP player: recvonly or sendrecv. */
function checkWhepOffer(description: SessionDescription): void {
  check(description, 'WHEP', ['recvonly', 'sendrecv']);
}

/** @throws MediaPeerError NOTHING_TO_SERVE when the offer is not that of a WHIP client: sendonly or sendrecv. */
function checkWhipOffer(description: SessionDescription): void {
  check(description, 'WHIP', ['sendonly', 'sendrecv']);
}

/** As the two above, for an offer that was not read yet. @throws MediaPeerError SDP_INVALID, too */
export function checkOffer(protocol: 'WHEP' | 'WHIP', sdp: string): void {
  (protocol === 'WHEP' ? checkWhepOffer : checkWhipOffer)(parseSdp(sdp));
}

function check(description: SessionDescription, protocol: string, directions: readonly string[]): void {
  const sections = description.media.filter((section) => section.port !== 0 || section.attributes.has('bundle-only'));
  const tracks = sections.filter(({ kind }) => kind === 'audio' || kind === 'video');
  const faults = [
    ...(tracks.length === 0 ? ['it has neither an audio nor a video m-line'] : []),
    ...['audio', 'video'].flatMap((kind) => {
      const count = tracks.filter((section) => section.kind === kind).length;
      return count > 1 ? [`it has ${count} ${kind} m-lines; one at most is allowed`] : [];
    }),
    ...sections
      .filter(({ kind }) => !['audio', 'video', 'application'].includes(kind))
      .map(({ kind }) => `it has an m-line of kind ${kind}; audio, video and application are known`),
    ...tracks.flatMap((section) => {
      const direction = directionOf(section, description);
      return directions.includes(direction) ? [] : [`its ${section.kind} is ${direction}; ${directions.join(' or ')} is needed`];
    }),
    ...tracks.filter(({ attributes }) => !attributes.has('rtcp-mux')).map(({ kind }) => `its ${kind} has no a=rtcp-mux`),
    ...(isBundled(sections, description) ? [] : ['its m-lines are not in one BUNDLE group; use the bundle policy max-bundle']),
  ];
  if (faults.length > 0) throw new MediaPeerError('NOTHING_TO_SERVE', `this is no offer of a ${protocol} client: ${faults.join('; ')}`);
}

/** RFC 8866 §6.7: said for the m-line, else for the session, else sendrecv. */
function directionOf(section: MediaSection, description: SessionDescription): string {
  const said = (attributes: MediaSection['attributes']): string | undefined =>
    ['sendonly', 'recvonly', 'inactive', 'sendrecv'].find((name) => attributes.has(name));
  return said(section.attributes) ?? said(description.attributes) ?? 'sendrecv';
}

/** A lone m-line has nothing to be bundled with. */
function isBundled(sections: readonly MediaSection[], { bundles }: SessionDescription): boolean {
  return sections.length <= 1 || bundles.some((mids) => sections.every(({ mid }) => mid !== undefined && mids.includes(mid)));
}
