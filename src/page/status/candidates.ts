/** Which ways lead to the server, by the ICE candidate pairs of a connection. Pure. */
import type { StatsReport } from '../shared/stats.js';

/** A way to the server. */
export type Way = 'udp' | 'tcp' | 'turn';

/** What pairs of a way came to. */
export interface WayFacts {
  /** Pairs that were checked. */
  readonly tried: number;
  /** Pairs over which an answer came. */
  readonly works: boolean;
  /** The connection goes this way. */
  readonly isUsed: boolean;
  /** Shortest round trip, ms; undefined where it was not measured. */
  readonly roundTripMs: number | undefined;
}

interface Entry {
  readonly id: string;
  readonly type: string;
  readonly state?: string;
  readonly nominated?: boolean;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly currentRoundTripTime?: number;
  readonly responsesReceived?: number;
  readonly candidateType?: string;
  readonly protocol?: string;
}

const NONE: WayFacts = { tried: 0, works: false, isUsed: false, roundTripMs: undefined };

/** By way. @param report of an RTCPeerConnection */
export function waysOf(report: StatsReport): Readonly<Record<Way, WayFacts>> {
  const entries = report as ReadonlyMap<string, Entry>;
  const ways: Record<Way, WayFacts> = { udp: NONE, tcp: NONE, turn: NONE };
  for (const pair of entries.values()) {
    if (pair.type !== 'candidate-pair') continue;
    const way = wayOf(entries.get(pair.localCandidateId ?? ''), entries.get(pair.remoteCandidateId ?? ''));
    if (way) ways[way] = joined(ways[way], pair);
  }
  return ways;
}

function wayOf(local: Entry | undefined, remote: Entry | undefined): Way | undefined {
  if (!local || !remote) return undefined;
  if (local.candidateType === 'relay' || remote.candidateType === 'relay') return 'turn';
  return local.protocol === 'tcp' ? 'tcp' : 'udp';
}

function joined(before: WayFacts, { state, nominated, currentRoundTripTime: roundTripS, responsesReceived = 0 }: Entry): WayFacts {
  const works = state === 'succeeded' || responsesReceived > 0;
  const roundTripMs = works && roundTripS !== undefined && roundTripS > 0 ? roundTripS * 1000 : undefined;
  return {
    tried: before.tried + 1,
    works: before.works || works,
    isUsed: before.isUsed || (nominated === true && state === 'succeeded'),
    roundTripMs: smaller(before.roundTripMs, roundTripMs),
  };
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
