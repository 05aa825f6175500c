/** What an ICE agent tells about itself when somebody asks why it failed. */
import type { CandidateCounts, IceReport, PairReport } from '../api/report.js';
import { pairState, type CheckedPair, type PairedCandidate } from './werift.js';

/** Adds one to the count of `type`. */
export function count(counts: Record<string, number>, type: string): void {
  counts[type] = (counts[type] ?? 0) + 1;
}

/** What one agent knows. */
export interface IceFacts {
  /** Candidates of this side, by type. */
  readonly local: CandidateCounts;
  /** Of the candidates that the peer named. */
  readonly remote: CandidateCounts;
  /** The check list. */
  readonly pairs: readonly CheckedPair[];
  /** Connectivity checks of the peer that were authentic. */
  readonly checksReceived: number;
  /** The pair in use; undefined before there is one. */
  readonly nominated: CheckedPair | undefined;
  /** What STUN and TURN servers said, in words. */
  readonly troubles: readonly string[];
}

/** The report of one agent. */
export function iceReport({ local, remote, pairs, checksReceived, nominated, troubles }: IceFacts): Omit<IceReport, 'restarts'> {
  const learned = new Set(pairs.map(({ remoteCandidate }) => remoteCandidate).filter(({ type }) => type === 'prflx'));
  return {
    local,
    remote: learned.size === 0 ? remote : { ...remote, prflx: learned.size },
    pairs: pairs.map(pairReport),
    checksReceived,
    selected: selectedTypes(nominated),
    troubles,
  };
}

/** Types of the pair in use, such as `host/prflx` or `relay/host-tcp`; undefined before there is one. */
export function selectedTypes(pair: CheckedPair | undefined): string | undefined {
  return pair && `${typeOf(pair.localCandidate)}/${typeOf(pair.remoteCandidate)}`;
}

function pairReport(pair: CheckedPair): PairReport {
  return { local: describe(pair.localCandidate), remote: describe(pair.remoteCandidate), state: pairState(pair) };
}

function typeOf({ type, transport }: PairedCandidate): string {
  return transport === 'tcp' ? `${type}-tcp` : type;
}

function describe(candidate: PairedCandidate): string {
  return `${typeOf(candidate)} ${candidate.host.includes(':') ? `[${candidate.host}]` : candidate.host}:${candidate.port}`;
}
