/** Candidates as browsers write them (W3C RTCIceCandidateInit), and as sessions take them. Pure. */
import type { TrickledCandidate } from '../webrtc/index.js';
import type { MessageOf } from './protocol.js';

/** What a client sent; null or an empty one: no more will come. */
export function fromClient(candidate: MessageOf<'candidate'>['candidate']): TrickledCandidate {
  if (candidate === null) return { candidate: '' };
  if (typeof candidate === 'string') return { candidate: withoutPrefix(candidate), ufrag: ufragOf(candidate) };
  return {
    candidate: withoutPrefix(candidate.candidate),
    mid: candidate.sdpMid ?? undefined,
    mLineIndex: candidate.sdpMLineIndex ?? undefined,
    ufrag: candidate.usernameFragment ?? ufragOf(candidate.candidate),
  };
}

/** The message that tells a client of a candidate. */
export function candidateMessage(candidate: TrickledCandidate | null): object {
  if (candidate === null || candidate.candidate === '') return { type: 'candidate', candidate: null };
  return {
    type: 'candidate',
    candidate: {
      candidate: candidate.candidate,
      sdpMid: candidate.mid ?? null,
      // A browser needs one of the two.
      sdpMLineIndex: candidate.mLineIndex ?? (candidate.mid === undefined ? 0 : null),
      ...(candidate.ufrag !== undefined && { usernameFragment: candidate.ufrag }),
    },
  };
}

/** The ICE user fragments of a description. */
export function ufragsOf(sdp: string): ReadonlySet<string> {
  return new Set([...sdp.matchAll(/^a=ice-ufrag:([^\r\n]+)/gm)].map((match) => (match[1] ?? '').trim()));
}

/** Tells connections of a client apart: the session id of its description (RFC 8866 §5.2) and its certificates. */
export function connectionOf(sdp: string): string {
  const origin = /^o=\S+ (\S+)/m.exec(sdp)?.[1] ?? '';
  const fingerprints = [...sdp.matchAll(/^a=fingerprint:([^\r\n]+)/gm)].map((match) => (match[1] ?? '').trim().toLowerCase());
  return [origin, ...new Set(fingerprints)].join(' ');
}

const withoutPrefix = (candidate: string): string => candidate.replace(/^a=/, '');

function ufragOf(candidate: string): string | undefined {
  return / ufrag (\S+)/.exec(candidate)?.[1];
}
