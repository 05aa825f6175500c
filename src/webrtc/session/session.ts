/**
 * One client's connection, from its offer to its end. `run` is the whole story, read top to bottom: open the
 * tracks and the transports, describe them, wait for the connection, let media flow, wait for the first of the ends,
 * and give everything back. Ends are values. What flows, and which way, is the business of the session's side.
 */
import type { RTCCertificate } from 'werift';
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { EndReason } from '../../media/index.js';
import type { ResourceLedger } from '../../base/resources.js';
import type { LocalTransport } from '../sdp/answer.js';
import { explainEnd, isFailure } from './explain-end.js';
import type { IceOptions, IceRemote } from '../ice/agent.js';
import { mLineReports } from '../sdp/m-line-reports.js';
import type { MLinePlan } from '../sdp/negotiate.js';
import { parseCandidate } from '../sdp/remote-transport.js';
import type { SessionReport } from '../api/report.js';
import type { Door, TrickledCandidate } from '../api/requests.js';
import type { RemoteTransport } from '../sdp/parse.js';
import { remoteSctp, type Description } from './session-negotiation.js';
import { SessionRecord } from './session-record.js';
import { SessionTransports } from './session-transports.js';
import type { SessionSide, SideHost } from './side.js';
import { EMPTY_SIDE, type ConnectionState, type PeerSnapshot, type SessionIdentity } from '../api/snapshot.js';

export interface SessionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  readonly certificate: RTCCertificate;
}

export interface SessionOptions {
  readonly door: Door;
  readonly role: 'viewer' | 'publisher';
  /** From the description to the end of the handshake. */
  readonly connectionTimeoutMs: number;
  /** How long a silent client may come back. */
  readonly disconnectGraceMs: number;
  readonly ice: Omit<IceOptions, 'clock' | 'ledger' | 'logger'>;
  readonly onCandidate?: ((candidate: TrickledCandidate | null) => void) | undefined;
  /** The handshake is done: once, before media flows. */
  readonly onConnected?: (() => void) | undefined;
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  readonly onRestartNeeded?: (() => void) | undefined;
}

/** What a client has agreed to: its side of a negotiation, with the plan for each m-line. */
export interface Agreement {
  readonly mLines: readonly MLinePlan[];
  readonly transports: readonly RemoteTransport[];
  makeSide(host: SideHost): SessionSide;
}

/** A client that was not heard for this long is disconnected: more than the longest consent interval (RFC 7675 §5.1: 6 s). */
const SILENCE_MS = 7000;

/** When a client whose source ended under its offer may try again. */
const RETRY_AFTER_S = 1;

export class PeerSession {
  /** This side's answer or offer; rejects where the session ended before there was one. */
  readonly described: Promise<string>;
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #describe: (agreement: SessionSide | undefined) => Description;
  #identity: SessionIdentity;
  #logger: Logger;
  readonly #createdAtMs: number;
  readonly #record: SessionRecord;
  readonly #transports = new SessionTransports();
  readonly #ended: Promise<EndReason>;
  #agreement: Agreement | undefined;
  #side: SessionSide | undefined;
  #description: Description | undefined;
  #resolveEnded: (reason: EndReason) => void = () => undefined;
  #resolveDescribed: (sdp: string) => void = () => undefined;
  #rejectDescribed: (error: unknown) => void = () => undefined;
  #endReason: EndReason | undefined;
  #endedAtMs = 0;
  #failure: unknown;
  #state: ConnectionState = 'new';
  #connectMs: number | undefined;
  #silentSinceMs: number | undefined;
  #resolveAgreed: () => void = () => undefined;
  readonly #agreed: Promise<void>;

  /**
   * @param describe how this side describes itself, given the side of the agreement where there is one already
   * @param agreement undefined where this side makes the offer: `agree` follows
   */
  constructor(
    identity: SessionIdentity,
    describe: (side: SessionSide | undefined) => Description,
    agreement: Agreement | undefined,
    deps: SessionDeps,
    options: SessionOptions,
  ) {
    this.#identity = identity;
    this.#describe = describe;
    this.#deps = deps;
    this.#options = options;
    this.#logger = deps.logger.child({ ...identity });
    this.#createdAtMs = deps.clock.wallClock();
    this.#record = new SessionRecord(deps.clock);
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#agreed = new Promise((resolve) => (this.#resolveAgreed = resolve));
    this.described = new Promise((resolve, reject) => {
      this.#resolveDescribed = resolve;
      this.#rejectDescribed = reject;
    });
    this.#agreement = agreement;
    this.#side = agreement?.makeSide(this.#host());
  }

  /** The source in it is the one that is watched now. */
  get identity(): SessionIdentity {
    return this.#identity;
  }

  /** Undefined before there is an agreement. */
  get side(): SessionSide | undefined {
    return this.#side;
  }

  /** Lives until the session ends; never rejects. */
  async run(): Promise<EndReason> {
    const { clock, ledger } = this.#deps;
    const releasePeerConnection = ledger.acquire('peer_connections');
    const timeout = clock.after(this.#options.connectionTimeoutMs, () => this.close('ice-timeout'));
    try {
      this.#side?.open();
      this.#description = this.#describe(this.#side);
      await this.#openTransports(this.#description.transports);
      this.#throwIfEnded();
      this.#setState('connecting');
      if (this.#agreement) this.#connect(this.#agreement);
      const description = await this.#write(this.#description);
      this.#throwIfEnded();
      this.#resolveDescribed(description);
      this.#record.note('described');
      this.#logger.info({ door: this.#options.door, role: this.#options.role }, 'session started');

      await Promise.race([this.#agreed.then(() => this.#transports.connected()), this.#ended]);
      timeout.cancel();
      if (this.#endReason === undefined) this.#startMedia();
      return await this.#ended;
    } catch (error) {
      this.#failure ??= error;
      this.close('negotiation-failed');
      this.#rejectDescribed(this.#failure);
      return await this.#ended;
    } finally {
      timeout.cancel();
      await this.#releaseAll();
      releasePeerConnection();
      this.#setState('closed');
      this.#logEnd();
    }
  }

  /** The client's answer to this side's offer. Once. */
  agree(agreement: Agreement): void {
    if (this.#agreement || this.#endReason !== undefined) return;
    this.#agreement = agreement;
    this.#side = agreement.makeSide(this.#host());
    this.#side.open();
    this.#connect(agreement);
  }

  /** True where an authentic check of the client has arrived. */
  get isHeard(): boolean {
    return this.#transports.iceReport.checksReceived > 0;
  }

  get isAgreed(): boolean {
    return this.#agreement !== undefined;
  }

  /** Ends the session; `run` returns the reason that came first. `failure`: the error that made it. Idempotent. */
  close(reason: EndReason, failure?: unknown): void {
    if (this.#endReason !== undefined) return;
    this.#failure ??= failure;
    this.#endReason = reason;
    this.#endedAtMs = this.#record.elapsedMs;
    this.#resolveEnded(reason);
  }

  /** Candidates of the client; those that cannot be used, or read, are passed over. @throws MediaPeerError CANDIDATE_INVALID where none of them can be read */
  addCandidates(candidates: readonly TrickledCandidate[]): void {
    const unreadable: unknown[] = [];
    for (const candidate of candidates) {
      try {
        this.#addCandidate(candidate);
      } catch (error) {
        unreadable.push(error);
      }
    }
    if (unreadable.length > 0 && unreadable.length === candidates.length) throw unreadable[0];
  }

  #addCandidate({ candidate, mid, mLineIndex, ufrag }: TrickledCandidate): void {
    const parsed = candidate === '' ? undefined : parseCandidate(candidate);
    this.#transports.at(this.#transportOf(mid, mLineIndex) ?? -1)?.ice.addCandidate(parsed, ufrag);
  }

  /**
   * Begins an ICE restart: what was there stays in use until the client's half, `continueRestart`, has led to something
   * that works. Returns this side's half.
   * @throws MediaPeerError ICE_RESTART_REFUSED
   */
  async beginRestart(): Promise<readonly LocalTransport[]> {
    if (this.#endReason !== undefined || !this.#agreement)
      throw new MediaPeerError('ICE_RESTART_REFUSED', 'the session is not connected; there is nothing to restart');
    await this.#transports.beginRestart(!this.#tellsCandidates);
    this.#throwIfEndedMeanwhile();
    return this.#locals();
  }

  /** Gives up a restart that was begun: the client's half cannot be used, or will not come. What is in use stays. */
  cancelRestart(): void {
    this.#transports.cancelRestart();
  }

  /** The client's half of a restart, one for each transport; a bundle has one. */
  continueRestart(remotes: readonly IceRemote[]): void {
    this.#transports.continueRestart(remotes);
  }

  /** The next version of this side's description: of the newest ICE generation. */
  async redescribe(): Promise<string> {
    if (!this.#description) throw new MediaPeerError('ICE_RESTART_REFUSED', 'the session has no description yet');
    return this.#write(this.#description);
  }

  /** Names the ICE generation. */
  get iceTag(): string {
    return this.#transports.iceTag;
  }

  /** Once a second: what the side has to do, and notices a client that went silent. */
  tick(): void {
    if (this.#state !== 'connected' && this.#state !== 'disconnected') return;
    const now = this.#deps.clock.now();
    // A client that is heard and does not agree to be sent to (RFC 7675) is as far away as a silent one.
    if (now - this.#transports.lastHeardMs < SILENCE_MS && this.#transports.mayBeSentTo) {
      this.#silentSinceMs = undefined;
      this.#setState('connected');
      this.#side?.tick();
      return;
    }
    this.#silentSinceMs ??= now;
    this.#setState('disconnected');
    if (now - this.#silentSinceMs < this.#options.disconnectGraceMs) return;
    this.close(this.#transports.hasConsentExpired ? 'consent-expired' : 'ice-failed');
  }

  snapshot(): PeerSnapshot {
    const side = this.#side?.snapshot() ?? EMPTY_SIDE;
    return {
      ...this.identity,
      role: this.#options.role,
      connectionState: this.#state,
      iceState: this.#state === 'disconnected' ? 'disconnected' : (this.#transports.at(0)?.ice.state ?? 'new'),
      createdAtS: this.#createdAtMs / 1000,
      connectMs: this.#connectMs,
      iceTroubles: this.#transports.iceReport.troubles,
      ...side,
      roundTripMs: side.roundTripMs ?? this.#transports.at(0)?.roundTripMs,
    };
  }

  /** What became of it so far. */
  report(): SessionReport {
    const { clientId, sourceId } = this.identity;
    const found = {
      clientId,
      sourceId,
      role: this.#options.role,
      door: this.#options.door,
      createdAtS: this.#createdAtMs / 1000,
      mLines: mLineReports(this.#agreement?.mLines ?? []),
      ice: this.#transports.iceReport,
      dtls: this.#transports.at(0)?.dtlsReport,
      steps: [...this.#record.steps],
    };
    const reason = this.#endReason;
    const atMs = this.#endedAtMs;
    const end =
      reason === undefined
        ? undefined
        : { reason, explanation: explainEnd({ reason, atMs, failure: inWords(this.#failure) }, found, this.#options.ice), atMs };
    return { ...found, end };
  }

  #host(): SideHost {
    return {
      transport: (index) => this.#transports.at(index),
      close: (reason) => this.close(reason),
      fail: (error) => {
        this.#failure ??= error;
        if (this.#endReason === undefined) this.#logger.warn({ err: error }, 'media could not be opened');
        this.close('source-failed');
      },
      step: (name, facts) => this.#record.noteOnce(name, facts),
      logger: this.#logger,
      sourceChanged: (sourceId) => this.#changeSource(sourceId),
      restartIce: () => {
        this.#options.onRestartNeeded?.();
        return this.#options.onRestartNeeded !== undefined;
      },
    };
  }

  #changeSource(sourceId: string): void {
    this.#logger.info({ to: sourceId }, 'source changed');
    this.#record.note('source changed', { from: this.#identity.sourceId, to: sourceId });
    this.#identity = { ...this.#identity, sourceId };
    this.#logger = this.#deps.logger.child({ ...this.#identity });
  }

  async #openTransports(count: number): Promise<void> {
    const { certificate, clock, ledger } = this.#deps;
    const init = { ice: { ...this.#options.ice, clock, ledger, logger: this.#logger }, certificate, logger: this.#logger };
    await this.#transports.open(count, init, {
      receiveRtp: (packet, index) => this.#side?.receiveRtp(packet, index),
      receiveRtcp: (compound, index) => this.#side?.receiveRtcp(compound, index),
      takeChannel: (channel) => this.#side?.takeChannel(channel),
      step: (step, facts) => this.#record.note(step, facts),
      candidate: (candidate, index) => this.#tellCandidate(index, candidate),
      ended: (reason) => this.close(this.#options.role === 'publisher' && reason === 'viewer-left' ? 'publisher-gone' : reason),
    });
  }

  #connect({ transports, mLines }: Agreement): void {
    this.#transports.connect(transports, ({ iceLite }, index) => ({
      controlling: this.#isOfferer || iceLite,
      sctp: remoteSctp(mLines, index),
      receivesRtp: this.#options.role === 'publisher',
    }));
    this.#resolveAgreed();
  }

  /** False: the client learns candidates by descriptions alone, which wait for all of them. */
  get #tellsCandidates(): boolean {
    return this.#options.onCandidate !== undefined;
  }

  get #isOfferer(): boolean {
    return this.#description?.setupOf(0) === 'actpass';
  }

  async #write(description: Description): Promise<string> {
    if (!this.#tellsCandidates) await this.#transports.gathered();
    return description.write(this.#locals());
  }

  #locals(): LocalTransport[] {
    const locals = this.#transports.describe((index) => this.#description?.setupOf(index) ?? 'passive');
    // By doors that carry no candidates of ours later, none that is still being looked for will ever follow.
    return this.#tellsCandidates ? locals : locals.map((local) => ({ ...local, isGathering: false }));
  }

  #tellCandidate(transport: number, candidate: string | undefined): void {
    if (candidate === undefined) return this.#options.onCandidate?.(null);
    this.#options.onCandidate?.({
      candidate,
      ...this.#description?.firstMLine(transport),
      ufrag: this.#transports.at(transport)?.ice.local.iceUfrag,
    });
  }

  #transportOf(mid: string | undefined, mLineIndex: number | undefined): number | undefined {
    const { mLines = [] } = this.#agreement ?? {};
    // Before the answer there is one bundle, and so there is for whoever names no m-line.
    if (mLines.length === 0 || (mid === undefined && mLineIndex === undefined)) return 0;
    const mLine = mid === undefined ? mLines[mLineIndex ?? 0] : mLines.find(({ section }) => section.mid === mid);
    return mLine?.transport;
  }

  #throwIfEndedMeanwhile(): void {
    if (this.#endReason !== undefined) throw new MediaPeerError('ICE_RESTART_REFUSED', 'the session has ended meanwhile');
  }

  #throwIfEnded(): void {
    if (this.#endReason === undefined) return;
    if (this.#endReason === 'server-closing') throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
    if (this.#endReason === 'gave-way')
      throw new MediaPeerError('CAPACITY_REACHED', 'the session gave way to another one before it was described; try again', {
        retryAfterS: RETRY_AFTER_S,
      });
    throw new MediaPeerError('SOURCE_NOT_LIVE', `the session ended before it was described (${this.#endReason}); try again`, {
      retryAfterS: RETRY_AFTER_S,
    });
  }

  #startMedia(): void {
    this.#connectMs = this.#record.elapsedMs;
    this.#record.note('connected');
    this.#options.onConnected?.();
    this.#setState('connected');
    this.#side?.connected();
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#logger.debug({ connectionState: state, elapsedMs: this.#record.elapsedMs }, 'connection state');
    if (state === 'disconnected') this.#record.note('disconnected');
    this.#options.onState?.(state);
  }

  #logEnd(): void {
    const { bytesSent, packetsLost, framesDropped, received } = this.snapshot();
    const reason = this.#endReason;
    this.#logger.info(
      {
        reason,
        durationMs: this.#record.elapsedMs,
        bytesSent,
        packetsLost,
        framesDropped,
        ...(received && { bytesReceived: received.bytesReceived }),
      },
      'session ended',
    );
    const report = this.report();
    if (report.end && isFailure(report.end.reason, report, report.end.atMs))
      this.#logger.warn({ reason, explanation: report.end.explanation }, 'session failed');
  }

  async #releaseAll(): Promise<void> {
    this.#side?.close(this.#endReason ?? 'negotiation-failed');
    for (const error of await this.#transports.close((index) => this.#side?.ssrcsOf(index) ?? []))
      this.#logger.error({ err: error }, 'transport did not close cleanly');
  }
}

/** For the owner of a session: of faults of the server no more than that there was one. */
function inWords(failure: unknown): string | undefined {
  if (failure === undefined) return undefined;
  return failure instanceof MediaPeerError ? failure.message : 'a fault of the server; its log says why';
}
