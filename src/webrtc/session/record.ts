/**
 * What a session remembers and tells of itself: its names, its state and the steps of its connection, for the log, for
 * statistics and for whoever asks why it failed.
 */
import { fingerprint } from '../../base/secret.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { SessionReport, Step } from '../api/report.js';
import type { Door } from '../api/requests.js';
import type { EventedSession, SessionEvent } from '../api/session-event.js';
import { EMPTY_SIDE, type ConnectionState, type MeasuredSession, type SessionStatus, type SessionIdentity } from '../api/status.js';
import { mLineReports } from '../sdp/m-line-reports.js';
import type { Plan } from '../sdp/negotiate.js';
import { isFailure } from './explain-end.js';
import type { Participant, QualityFacts } from './participant.js';
import { NO_ICE, type Transports } from './transports.js';

/** A session that lives for days must not grow: restarts are its only steps by then. */
const MAX_STEPS = 100;
/** A network that comes and goes leaves room for other steps. */
const MAX_QUALITY_STEPS = 60;

/** Whose session it is. */
export interface SessionRecordInit {
  /** Its names. */
  readonly identity: SessionIdentity;
  /** What the client does. */
  readonly role: 'viewer' | 'publisher';
  /** Where it was opened. */
  readonly door: Door;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that the client had waited by then. */
  readonly waitedMs: number;
  /** Told of each change. */
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** Told of what happens to the session. */
  readonly onEvent: (event: SessionEvent) => void;
}

/** What there is of a session at the time; it grows while it lives. */
export interface SessionParts {
  /** What was agreed on; undefined before. */
  readonly plan: Plan | undefined;
  /** What is done for the client; undefined before the transports stand. */
  readonly participant: Participant | undefined;
  /** Its transports; undefined before they are opened. */
  readonly transports: Transports | undefined;
  /** From its beginning to the end of the handshake. */
  readonly connectMs: number | undefined;
}

/** The memory of one session. */
export class SessionRecord {
  readonly #init: SessionRecordInit;
  readonly #createdAtS: number;
  readonly #startedMs: number;
  readonly #steps: Step[] = [];
  #identity: SessionIdentity;
  #logger: Logger;
  #state: ConnectionState = 'new';

  constructor(init: SessionRecordInit) {
    this.#init = init;
    this.#createdAtS = init.clock.wallClock() / 1000;
    this.#startedMs = init.clock.now();
    this.#identity = init.identity;
    this.#logger = init.logger.child(loggedIdentity(init.identity));
  }

  /** The source in it is the one that is watched now. */
  get identity(): SessionIdentity {
    return this.#identity;
  }

  /** With the names of the session. */
  get logger(): Logger {
    return this.#logger;
  }

  /** Milliseconds since the session began. */
  get elapsedMs(): number {
    return Math.round(this.#init.clock.now() - this.#startedMs);
  }

  note(step: string, facts?: Readonly<Record<string, unknown>>): void {
    const noted: Step = { atMs: this.elapsedMs, step, ...(facts && { facts }) };
    if (this.#steps.length < MAX_STEPS) this.#steps.push(noted);
    this.#init.onEvent({ type: 'step', session: this.#evented, step: noted });
  }

  /** As `note`, the first time alone. */
  noteOnce(step: string, facts?: Readonly<Record<string, unknown>>): void {
    if (!this.#steps.some((known) => known.step === step)) this.note(step, facts);
  }

  enter(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#logger.debug({ connectionState: state, elapsedMs: this.elapsedMs }, 'connection state');
    if (state === 'disconnected') this.note('disconnected');
    this.#init.onState?.(state);
  }

  /** Tells that the session has begun. */
  started(): void {
    this.#init.onEvent({ type: 'started', session: this.#evented });
  }

  /** @param before as the session stands while its streams still show what they did */
  changingSource(before: SessionStatus): void {
    this.#init.onEvent({ type: 'source-changing', session: this.#evented, status: before });
  }

  changeSource(sourceId: string): void {
    this.#logger.info({ to: sourceId }, 'source changed');
    this.note('source changed', { from: this.#identity.sourceId, to: sourceId });
    this.#identity = { ...this.#identity, sourceId };
    this.#logger = this.#init.logger.child(loggedIdentity(this.#identity));
  }

  changeQuality(facts: QualityFacts): void {
    const { from, to, reason } = facts;
    this.#logger.info({ ...facts }, 'quality changed');
    this.#init.onEvent({ type: 'quality-changed', session: this.#evented, from, to, reason });
    if (this.#steps.length < MAX_QUALITY_STEPS) this.note('quality changed', { ...facts });
  }

  snapshot({ participant, transports, connectMs }: SessionParts): SessionStatus {
    const side = participant?.snapshot() ?? EMPTY_SIDE;
    const transport = transports?.at(0);
    return {
      ...this.#identity,
      role: this.#init.role,
      connectionState: this.#state,
      iceState: this.#state === 'disconnected' ? 'disconnected' : (transport?.ice.state ?? 'new'),
      createdAtS: this.#createdAtS,
      connectMs,
      icePath: transports?.icePath,
      iceTroubles: transports?.iceTroubles ?? [],
      ...side,
      roundTripMs: side.roundTripMs ?? transport?.roundTripMs,
    };
  }

  measure({ participant, transports }: SessionParts): MeasuredSession {
    const { sessionId, clientId, sourceId } = this.#identity;
    const side = participant?.measure() ?? EMPTY_SIDE;
    return {
      sessionId,
      clientId,
      sourceId,
      role: this.#init.role,
      connectionState: this.#state,
      createdAtS: this.#createdAtS,
      roundTripMs: side.roundTripMs ?? transports?.at(0)?.roundTripMs,
      detectionsSent: side.detectionsSent,
      detectionsDropped: side.detectionsDropped,
      snapshotsSent: side.snapshotsSent ?? 0,
      snapshotsDropped: side.snapshotsDropped ?? 0,
      quality: side.quality,
      video: side.video,
      audio: side.audio,
      received: side.received,
    };
  }

  report({ plan, participant, transports }: SessionParts): Omit<SessionReport, 'end'> {
    const { clientId, sourceId } = this.#identity;
    const { role, door } = this.#init;
    return {
      clientId,
      sourceId,
      role,
      door,
      createdAtS: this.#createdAtS,
      mLines: mLineReports(plan?.mLines ?? []),
      ice: transports?.iceReport ?? NO_ICE,
      dtls: transports?.at(0)?.dtlsReport,
      quality: participant?.snapshot().quality,
      steps: [...this.#steps],
    };
  }

  /** @param snapshot as it was when everything was given back */
  end(snapshot: SessionStatus, report: SessionReport): void {
    if (!report.end) return;
    const { bytesSent, packetsLost, framesDropped, received } = snapshot;
    const { reason, explanation, atMs } = report.end;
    this.#init.onEvent({ type: 'ended', session: this.#evented, status: snapshot, reason });
    const facts = { reason, durationMs: this.elapsedMs, bytesSent, packetsLost, framesDropped };
    this.#logger.info({ ...facts, ...(received && { bytesReceived: received.bytesReceived }) }, 'session ended');
    if (isFailure(reason, report, atMs)) this.#logger.warn({ reason, explanation }, 'session failed');
  }

  get #evented(): EventedSession {
    const { role, door, waitedMs } = this.#init;
    return { ...this.#identity, role, door, waitedMs };
  }
}

/** Whoever knows a session's id owns it, so the log knows it by another name. */
function loggedIdentity({ sessionId, ...others }: SessionIdentity): Record<string, unknown> {
  return { sessionId: fingerprint(sessionId), ...others };
}
