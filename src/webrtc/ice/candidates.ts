/** This side's candidates: their priorities, foundations and lines in a description (RFC 8839 §5.1, RFC 6544 §4.5). Pure. */
import { createHash } from 'node:crypto';

/** Where a candidate can be reached, and where it is reached from. */
export interface LocalCandidate {
  /** RFC 8445 §5.1.1. */
  readonly type: 'host' | 'srflx' | 'relay';
  /** By TCP the client comes to us: `tcptype passive` (RFC 6544). */
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

/** What a candidate is ordered and grouped by. */
export interface CandidateNumbers {
  /** Equal for candidates of one type, base and transport (RFC 8445 §5.1.1.3). */
  readonly foundation: string;
  /** RFC 8445 §5.1.2. */
  readonly priority: number;
}

/** 0..126 (RFC 8445 §5.1.2.2); by TCP it comes after every UDP candidate of its type (RFC 6544 §4.2). */
const TYPE_PREFERENCE = { udp: { host: 126, srflx: 100, relay: 0 }, tcp: { host: 105, srflx: 80, relay: 0 } } as const;
/** Of a passive TCP candidate: the upper three bits of its local preference (RFC 6544 §4.2). */
const PASSIVE_DIRECTION = { host: 4, srflx: 2, relay: 4 } as const;

/** Foundation and priority of a candidate. */
export function candidateNumbers({ type, transport, address, related, localPreference = 65_535 }: LocalCandidate): CandidateNumbers {
  const preference = transport === 'tcp' ? PASSIVE_DIRECTION[type] * 0x2000 + (localPreference & 0x1fff) : localPreference;
  return {
    foundation: createHash('md5')
      .update(`${type}|${transport}|${related?.address ?? address}`)
      .digest('hex')
      .slice(7),
    // 256 less the component, which is 1.
    priority: TYPE_PREFERENCE[transport][type] * 2 ** 24 + preference * 2 ** 8 + 255,
  };
}

/** `candidate:...` without `a=`. */
export function candidateLine(candidate: LocalCandidate): string {
  const { foundation, priority } = candidateNumbers(candidate);
  const related = candidate.related ? ` raddr ${candidate.related.address} rport ${candidate.related.port}` : '';
  const tcpType = candidate.transport === 'tcp' ? ' tcptype passive' : '';
  return `candidate:${foundation} 1 ${candidate.transport} ${priority} ${candidate.address} ${candidate.port} typ ${candidate.type}${related}${tcpType}`;
}
