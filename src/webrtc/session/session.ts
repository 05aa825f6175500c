/**
 * One client's connection, from its offer to its end. `#live` is the whole story: described, connected, flowing, ended,
 * and everything given back. Ends are values. What flows, and which way, is the business of the participant.
 */
import assert from 'node:assert/strict';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { ResourceLedger } from '../../base/resources.js';
import type { EndReason } from '../../media/index.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { SessionReport } from '../api/report.js';
import type { Door, TrickledCandidate } from '../api/requests.js';
import type { SessionEvent } from '../api/session-event.js';
import type { ConnectionState, MeasuredSession, SessionStatus, SessionIdentity } from '../api/status.js';
import type { IceOptions } from '../ice/gathering.js';
import { answering, offering, type Description } from '../sdp/description.js';
import type { Plan } from '../sdp/negotiate.js';
import type { Pacer } from '../transport/pacer.js';
import type { DtlsCertificate } from '../transport/werift-dtls.js';
import type { Admitted } from './admission.js';
import { ConnectedSession } from './connected.js';
import { DescribedSession } from './described.js';
import { SessionEnd } from './session-end.js';
import type { Agreement, Negotiation, Offer } from './negotiation.js';
import type { Participant, SessionHost } from './participant.js';
import { SessionRecord, type SessionParts } from './record.js';
import { Transports } from './transports.js';

/** What sessions are built on. */
export interface SessionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  /** Of all sessions. */
  readonly pacer: Pacer;
  /** Of this server's DTLS. */
  readonly certificate: Promise<DtlsCertificate>;
  /** Told of what happens to the session. */
  readonly onEvent: (event: SessionEvent) => void;
}

/** Who connects, and what was asked for. */
export interface SessionInit {
  /** Its ids, and how the place is given back. */
  readonly admitted: Admitted;
  /** What is watched, or the room that is published to. */
  readonly sourceId: string;
  /** What the client does. */
  readonly role: 'viewer' | 'publisher';
  /** Where it was opened. */
  readonly door: Door;
  /** Milliseconds that the client has waited already. */
  readonly waitedMs: number;
  /** Who offers, and what was offered. */
  readonly negotiation: Negotiation;
  /** Where it listens, and which STUN and TURN servers it asks. */
  readonly ice: Omit<IceOptions, 'clock' | 'ledger' | 'logger'>;
  /** From the beginning to the end of the handshake. */
  readonly connectionTimeoutMs: number;
  /** How long a silent client may come back. */
  readonly disconnectGraceMs: number;
  /** See `SessionRequest`, as the next ones. */
  readonly onCandidate?: ((candidate: TrickledCandidate | null) => void) | undefined;
  /** The state of the connection has changed. */
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** The path is gone: the client should restart ICE. */
  readonly onRestartNeeded?: (() => void) | undefined;
}

/** One client's connection. */
export class PeerSession {
  readonly #init: SessionInit;
  readonly #deps: SessionDeps;
  readonly #record: SessionRecord;
  readonly #end: SessionEnd;
  /** Since the client has agreed. */
  #agreed: { readonly plan: Plan; readonly participant: Participant } | undefined;
  /** Since the sockets are open. */
  #described: DescribedSession | undefined;
  /** Since the handshake is done. */
  #connected: ConnectedSession | undefined;

  constructor(init: SessionInit, deps: SessionDeps) {
    this.#init = init;
    this.#deps = deps;
    const { admitted, sourceId, role, door, waitedMs, onState } = init;
    const identity = { sessionId: admitted.sessionId, clientId: admitted.clientId, sourceId };
    const { clock, logger, onEvent } = deps;
    this.#record = new SessionRecord({ identity, role, door, waitedMs, clock, logger, onState, onEvent });
    this.#end = new SessionEnd(() => this.#record.elapsedMs);
  }

  /**
   * Begins. Call once.
   * @returns this side's answer or offer, which rejects where the session ends before there is one; and the reason of
   *   its end, which never rejects and resolves when everything is released
   */
  start(): { readonly sdp: Promise<string>; readonly ended: Promise<EndReason> } {
    this.#record.started();
    const describing = this.#describe();
    return { sdp: describing.then(({ sdp }) => sdp), ended: this.#live(describing) };
  }

  /** The source in it is the one that is watched now. */
  get identity(): SessionIdentity {
    return this.#record.identity;
  }

  get role(): 'viewer' | 'publisher' {
    return this.#init.role;
  }

  /** What the client has agreed to; undefined before. */
  get plan(): Plan | undefined {
    return this.#agreed?.plan;
  }

  /** Takes what the client says; undefined before the sockets are open. */
  get described(): DescribedSession | undefined {
    return this.#described;
  }

  get hasEnded(): boolean {
    return this.#end.reason !== undefined;
  }

  /** RTP timestamps of a frame as this client gets it, for each rendition that flows. */
  rtpTimestamps(sourceId: string, mediaTimeMs: number): RtpTimestamps {
    return this.#agreed?.participant.rtpTimestamps(sourceId, mediaTimeMs) ?? {};
  }

  /** What it shows, or is published to; the source that was asked for before anything is agreed on. */
  get sourceIds(): readonly string[] {
    return this.#agreed?.participant.sourceIds ?? [this.identity.sourceId];
  }

  /** Everything that its client needs the right for: its own source, and what it shows beside that. */
  get allSourceIds(): readonly string[] {
    return this.#agreed?.participant.allSourceIds ?? [this.identity.sourceId];
  }

  /** Once a second. */
  tick(): void {
    if (!this.hasEnded) this.#connected?.tick();
  }

  /** Ends the session; the reason that came first holds. `failure`: the error that made it. Idempotent. */
  close(reason: EndReason, failure?: unknown): void {
    this.#end.reach(reason, failure);
  }

  snapshot(): SessionStatus {
    return this.#record.snapshot(this.#parts);
  }

  /** What is measured of all sessions again and again. */
  measure(): MeasuredSession {
    return this.#record.measure(this.#parts);
  }

  /** What became of it so far. */
  report(): SessionReport {
    const found = this.#record.report(this.#parts);
    return { ...found, end: this.#end.explain(found, this.#init.ice) };
  }

  async #live(describing: Promise<{ readonly transports: Transports }>): Promise<EndReason> {
    const { clock, ledger } = this.#deps;
    const { admitted, door, role, connectionTimeoutMs } = this.#init;
    const releasePeerConnection = ledger.acquire('peer_connections');
    const timeout = clock.after(connectionTimeoutMs, () => this.close('ice-timeout'));
    try {
      const { transports } = await describing;
      this.#record.note('described');
      this.#record.logger.info({ door, role }, 'session started');
      await Promise.race([transports.connected(), this.#end.reached]);
      timeout.cancel();
      if (!this.hasEnded) this.#flow(transports);
      return await this.#end.reached;
    } catch (error) {
      this.close('negotiation-failed', error);
      return await this.#end.reached;
    } finally {
      timeout.cancel();
      await this.#release();
      releasePeerConnection();
      admitted.leave();
      this.#record.enter('closed');
      this.#record.end(this.snapshot(), this.report());
    }
  }

  /** Opens what the session needs, so that it is warm when the handshake is done, and writes this side's description. */
  async #describe(): Promise<{ readonly sdp: string; readonly transports: Transports }> {
    const { admitted, negotiation, role } = this.#init;
    try {
      const certificate = await this.#deps.certificate;
      admitted.begun({
        isHeard: () => (this.#described?.transports.checksReceived ?? 0) > 0,
        giveWay: () => this.close('gave-way'),
      });
      this.#end.throwIfReached();
      const description =
        'plan' in negotiation ? answering(negotiation.plan, this.#agree(negotiation).localStreams) : offering(negotiation.mLines);
      const transports = await this.#openTransports(description, certificate);
      const described = this.#makeDescribed(description, transports);
      this.#described = described;
      this.#end.throwIfReached();
      this.#record.enter('connecting');
      if ('plan' in negotiation) transports.connect(negotiation.plan, { isOfferer: false, receivesRtp: role === 'publisher' });
      const sdp = await described.describe();
      this.#end.throwIfReached();
      return { sdp, transports };
    } catch (error) {
      this.close('negotiation-failed', error);
      throw this.#end.failure;
    }
  }

  #agree({ plan, makeParticipant }: Agreement): Participant {
    const participant = makeParticipant(this.#host());
    this.#agreed = { plan, participant };
    participant.open();
    return participant;
  }

  async #openTransports(description: Description, certificate: DtlsCertificate): Promise<Transports> {
    const { clock, ledger, pacer } = this.#deps;
    const { role, ice, onCandidate } = this.#init;
    const init = { ice: { ...ice, clock, ledger, logger: this.#record.logger }, certificate, pacer, logger: this.#record.logger };
    return Transports.open(description.transports, init, {
      receiveRtp: (packet, index) => this.#agreed?.participant.receiveRtp(packet, index),
      receiveRtcp: (compound, index) => this.#agreed?.participant.receiveRtcp(compound, index),
      takeChannel: (channel) => this.#agreed?.participant.takeChannel(channel),
      step: (step, facts) => this.#record.note(step, facts),
      candidate: (candidate, index, ufrag) =>
        onCandidate?.(candidate === undefined ? null : { candidate, ...description.firstMLine(index), ufrag }),
      ended: (reason) => this.close(role === 'publisher' && reason === 'viewer-left' ? 'publisher-gone' : reason),
    });
  }

  #makeDescribed(description: Description, transports: Transports): DescribedSession {
    const { negotiation, onCandidate } = this.#init;
    return new DescribedSession({
      transports,
      description,
      tellsCandidates: onCandidate !== undefined,
      plan: () => this.plan,
      agree: 'plan' in negotiation ? undefined : (sdp) => this.#takeAnswer(sdp, negotiation, transports),
      hasEnded: () => this.hasEnded,
    });
  }

  /** Without a usable answer to the offer of this side there is no way to go on. */
  #takeAnswer(sdp: string, { readAnswer }: Offer, transports: Transports): void {
    try {
      const agreement = readAnswer(sdp);
      if (this.hasEnded) return;
      this.#agree(agreement);
      transports.connect(agreement.plan, { isOfferer: true, receivesRtp: this.role === 'publisher' });
    } catch (error) {
      this.close('negotiation-failed', error);
      throw error;
    }
  }

  #flow(transports: Transports): void {
    const participant = this.#agreed?.participant;
    assert(participant, 'a handshake needs a negotiated description');
    const connectMs = this.#record.elapsedMs;
    this.#record.note('connected');
    this.#init.admitted.connected();
    this.#record.enter('connected');
    this.#connected = new ConnectedSession({
      clock: this.#deps.clock,
      transports,
      participant,
      graceMs: this.#init.disconnectGraceMs,
      connectMs,
      onState: (state) => this.#record.enter(state),
      onGone: (reason) => this.close(reason),
    });
  }

  async #release(): Promise<void> {
    const participant = this.#agreed?.participant;
    participant?.close(await this.#end.reached);
    const errors = await this.#described?.transports.close((index) => participant?.ssrcsOf(index) ?? []);
    for (const error of errors ?? []) this.#record.logger.error({ err: error }, 'transport did not close cleanly');
  }

  get #parts(): SessionParts {
    const { plan, participant } = this.#agreed ?? {};
    return { plan, participant, transports: this.#described?.transports, connectMs: this.#connected?.connectMs };
  }

  #host(): SessionHost {
    const { onRestartNeeded } = this.#init;
    return {
      clientId: this.#record.identity.clientId,
      transport: (index) => this.#described?.transports.at(index),
      close: (reason) => this.close(reason),
      fail: (error) => {
        if (!this.hasEnded) this.#record.logger.warn({ err: error }, 'media could not be opened');
        this.close('source-failed', error);
      },
      step: (name, facts) => this.#record.noteOnce(name, facts),
      logger: this.#record.logger,
      sourceChanging: () => this.#record.changingSource(this.snapshot()),
      sourceChanged: (sourceId) => this.#record.changeSource(sourceId),
      qualityChanged: (facts) => this.#record.changeQuality(facts),
      restartIce: () => {
        onRestartNeeded?.();
        return onRestartNeeded !== undefined;
      },
    };
  }
}
