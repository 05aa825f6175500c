/** Why a session ended, in one line that a person understands. Pure: a report goes in, a sentence comes out. */
import type { EndReason } from '../../media/index.js';
import type { SessionReport } from '../api/report.js';

/** What the server could have used, and was not given. */
export interface IceMeans {
  /** STUN servers that were asked. */
  readonly stunUrls: readonly string[];
  /** TURN servers that were asked. */
  readonly turnServers?: readonly unknown[] | undefined;
}

const FAILURES: ReadonlySet<EndReason> = new Set<EndReason>([
  'ice-timeout',
  'gave-way',
  'ice-failed',
  'dtls-failed',
  'consent-expired',
  'keepalive-timeout',
  'no-progress',
  'source-failed',
  'negotiation-failed',
]);

/** By the client itself. */
const LEAVINGS: ReadonlySet<EndReason> = new Set<EndReason>(['viewer-left', 'publisher-left', 'publisher-gone']);
/** A client that leaves sooner may just have changed its mind. */
const PATIENCE_MS = 2000;

/** True for an end that nobody wanted, a client's that gave up waiting for its connection included. */
export function isFailure(reason: EndReason, report: Pick<SessionReport, 'steps'>, atMs: number): boolean {
  return FAILURES.has(reason) || hasGivenUp(reason, report, atMs);
}

function hasGivenUp(reason: EndReason, report: Pick<SessionReport, 'steps'>, atMs: number): boolean {
  return LEAVINGS.has(reason) && atMs >= PATIENCE_MS && !has(report, 'connected');
}

/** When and why a session ended. */
export interface EndFacts {
  /** Why it ended. */
  readonly reason: EndReason;
  /** Since the session began. */
  readonly atMs: number;
  /** What stood in the way, in words, where an error ended it. */
  readonly failure?: string | undefined;
}

/** Why a session ended, as one sentence. */
export function explainEnd({ reason, atMs, failure }: EndFacts, report: Omit<SessionReport, 'end'>, means: IceMeans): string {
  const why = failure === undefined ? '' : `: ${failure}`;
  const gaveUp = hasGivenUp(reason, report, atMs) ? `, before it was connected; until then: ${beforeConnected(report, means)}` : '';
  switch (reason) {
    case 'viewer-left':
      return `the viewer left${gaveUp}`;
    case 'publisher-left':
      return `the publisher ended its session${gaveUp}`;
    case 'publisher-gone':
      return `the publisher closed its connection${gaveUp}`;
    case 'publisher-replaced':
      return 'another publisher took over the room';
    case 'ice-timeout':
    case 'ice-failed':
      return has(report, 'connected') ? afterConnected(report) : beforeConnected(report, means);
    case 'gave-way':
      return `all places were taken, and it was not connected after ${seconds(atMs)}, so it gave way to another client; until then: ${beforeConnected(report, means)}`;
    case 'access-ended':
      return 'the client has no right to it any more: its token has expired, or was taken back';
    case 'removed':
      return 'whoever runs the server has sent the client away';
    case 'consent-expired':
      return 'the client stopped answering consent checks (RFC 7675), and no ICE restart found a path; its network is gone or has changed';
    case 'dtls-failed':
      return dtlsFailed(report);
    case 'keepalive-timeout':
      return 'the client had answered keepalives on the data channel `commands` and stopped; it hangs or was suspended';
    case 'no-progress':
      return 'packets were sent, but the viewer reported no progress, not even after a keyframe and an ICE restart';
    case 'source-ended':
      return 'the source ended';
    case 'source-changed':
      return 'the source goes on in another codec, and this viewer has none for it';
    case 'source-failed':
      return `the source could not be played${why}`;
    case 'negotiation-failed':
      return `the session could not be set up${why}`;
    case 'server-closing':
      return 'the server shut down';
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function has({ steps }: Pick<SessionReport, 'steps'>, name: string): boolean {
  return steps.some(({ step }) => step === name);
}

/** What werift says where the certificate is another than the description's. */
const FINGERPRINT_TROUBLE = /fingerprint/i;

function dtlsFailed({ steps }: Pick<SessionReport, 'steps'>): string {
  const why = steps.find(({ step }) => step === 'dtls failed')?.facts?.['why'];
  if (typeof why !== 'string')
    return 'DTLS failed: ICE found a path, but the handshake did not succeed; its versions and ciphers may not be ours (DTLS 1.2)';
  if (FINGERPRINT_TROUBLE.test(why))
    return "DTLS failed: the client's certificate is not the one that its description announces (a=fingerprint); the description may be another connection's, or somebody is in between";
  return `DTLS failed: ICE found a path, but the handshake did not succeed (${why}); its versions and ciphers may not be ours (DTLS 1.2)`;
}

function afterConnected({ ice }: Pick<SessionReport, 'ice'>): string {
  return `the connection was lost: nothing was heard from the client for the grace time${ice.restarts > 0 ? `, after ${ice.restarts} ICE restarts that worked` : ', and no ICE restart found a path'}`;
}

function beforeConnected(report: Omit<SessionReport, 'end'>, means: IceMeans): string {
  if (report.mLines.length === 0) return 'the client did not answer the offer in time';
  if (has(report, 'ice connected'))
    return 'DTLS did not finish: ICE found a path, but the handshake got no answer in time; a firewall may let only small packets through';
  const { local, remote, troubles, checksReceived } = report.ice;
  const turn = (means.turnServers ?? []).length > 0;
  const relayed = remote['relay'] ?? 0;
  const usable = ['host', 'srflx', 'prflx', 'relay', 'tcp'].reduce((count, type) => count + (remote[type] ?? 0), 0);
  const mdns = remote['mdns'] ?? 0;
  const trouble = troubles.length > 0 ? ` (${troubles.join('; ')})` : '';
  if (checksReceived > 0)
    return `ICE failed: the client's checks arrive, but ours are not answered; its firewall or NAT drops them, or a=ice-pwd in its description is not its own${turn ? trouble : '; against a firewall a TURN server would help (TURN_URLS)'}`;
  if (usable === 0 && mdns > 0)
    return `ICE failed: client offered only mDNS candidates and no TURN is configured${turn ? ' that works' : ''}${trouble}; none of its checks arrived here`;
  if (usable === 0)
    return `ICE failed: the client named no candidates and none of its checks arrived; UDP to this server is blocked, or its addresses (${typesOf(local)}) cannot be reached from there${trouble}`;
  if (relayed > 0 && usable === relayed)
    return `ICE failed: the client used only its relay, and nothing arrived through it; the TURN server may not let it reach this server${trouble}`;
  if ((remote['tcp'] ?? 0) === usable && (local['tcp'] ?? 0) === 0)
    return `ICE failed: the client named only TCP candidates, and this server accepts no ICE over TCP (ICE_TCP_PORT)${turn ? trouble : '; no TURN is configured'}`;
  return `ICE failed: none of ${usable} client candidates (${typesOf(remote)}) could be reached, and none of its checks arrived${turn ? '' : '; no TURN is configured'}${trouble}`;
}

function typesOf(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([type, count]) => `${count} ${type}`)
      .join(', ') || 'none'
  );
}
