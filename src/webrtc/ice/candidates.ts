/** This side's candidates: their priorities, foundations and lines in a description (RFC 8839 §5.1, RFC 6544 §4.5). Pure. */
import { Candidate, candidateFoundation, candidatePriority } from 'werift';

/** Where a candidate can be reached, and where it is reached from. */
export interface LocalCandidate {
  /** RFC 8445 §5.1.1. */
  readonly type: 'host' | 'srflx' | 'relay';
  /** TCP candidates are passive (RFC 6544). */
  readonly transport: 'udp' | 'tcp';
  /** An IP address, as it is told to the peer. */
  readonly address: string;
  /** As it is told to the peer. */
  readonly port: number;
  /** Of the socket behind it; left out for host candidates. */
  readonly related?: { readonly address: string; readonly port: number } | undefined;
  /** 0..65535; the larger, the sooner it is tried among those of its type. Default 65535. */
  readonly localPreference?: number | undefined;
}

/** `candidate:...` without `a=`. */
export function candidateLine(candidate: LocalCandidate): string {
  const { foundation, priority } = identityOf(candidate);
  const related = candidate.related ? ` raddr ${candidate.related.address} rport ${candidate.related.port}` : '';
  const tcpType = candidate.transport === 'tcp' ? ' tcptype passive' : '';
  return `candidate:${foundation} 1 ${candidate.transport} ${priority} ${candidate.address} ${candidate.port} typ ${candidate.type}${related}${tcpType}`;
}

/** The candidate as the ICE agent pairs it. */
export function agentCandidate(candidate: LocalCandidate, ufrag: string, generation: number): Candidate {
  const { foundation, priority } = identityOf(candidate);
  const { transport, address, port, type, related } = candidate;
  return new Candidate(
    foundation,
    1,
    transport,
    priority,
    address,
    port,
    type,
    related?.address,
    related?.port,
    transport === 'tcp' ? 'passive' : undefined,
    generation,
    ufrag,
  );
}

function identityOf({ type, transport, address, related, localPreference = 65_535 }: LocalCandidate): {
  foundation: string;
  priority: number;
} {
  // RFC 6544 §4.2 has the direction in the upper three bits of the local preference.
  const preference =
    transport === 'tcp' ? { transport, tcptype: 'passive', otherPreference: localPreference & 0x1fff } : { transport, localPreference };
  return { foundation: candidateFoundation(type, transport, related?.address ?? address), priority: candidatePriority(type, preference) };
}
