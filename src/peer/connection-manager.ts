/** All connections of the server: how many there may be, who they are, and their common clock tick. */
import { randomBytes } from 'node:crypto';
import { RTCDtlsTransport, type RTCCertificate } from 'werift';
import type { Clock, Timer } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { EndReason, Rendition } from '../media/index.js';
import type { ResourceLedger } from '../resources.js';
import { claimClientId } from './client-id.js';
import type { MediaGateway } from './gateway.js';
import { hostAddresses } from './host-addresses.js';
import { negotiate, type Plan } from './negotiation.js';
import type { AcceptRequest, OpenedViewing } from './requests.js';
import { sdpInvalid } from './sdp.js';
import type { RtpTimestamps } from './session-media.js';
import { PeerSession } from './session.js';
import type { PeerSnapshot } from './snapshot.js';
import { assertWeriftShape } from './werift-internals.js';

export interface ConnectionOptions {
  /** Sessions at the same time, those being accepted included. */
  readonly maxConnections: number;
  /** How long a client may take from the answer to the end of the handshake. */
  readonly connectionTimeoutMs: number;
  /** How long a client that went silent may come back. Default 10000. */
  readonly disconnectGraceMs?: number;
  /** Addresses to listen on; empty: every address of the machine, loopback included. */
  readonly iceAddresses: readonly string[];
  /** First and last UDP port, both included; left out: any free port. */
  readonly icePortRange?: readonly [number, number] | undefined;
  /** `stun:host:port`; left out or empty: none is asked. */
  readonly stunUrls?: readonly string[];
}

export interface ConnectionManagerDeps {
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  readonly options: ConnectionOptions;
}

const TICK_MS = 1000;
const RETRY_AFTER_S = 5;

export class ConnectionManager {
  readonly #deps: ConnectionManagerDeps;
  readonly #certificate: Promise<RTCCertificate>;
  readonly #sessions = new Map<string, { readonly session: PeerSession; readonly plan: Plan; readonly ended: Promise<EndReason> }>();
  readonly #clientIds = new Set<string>();
  #tick: Timer | undefined;
  #isClosing = false;
  /** Slots that are taken: sessions, and offers being accepted. */
  #taken = 0;

  constructor(deps: ConnectionManagerDeps) {
    assertWeriftShape();
    this.#deps = deps;
    this.#certificate = RTCDtlsTransport.SetupCertificate();
  }

  /** Sessions, those being accepted included. */
  get connections(): number {
    return this.#taken;
  }

  get maxConnections(): number {
    return this.#deps.options.maxConnections;
  }

  /**
   * Answers an offer and starts the session.
   *
   * @throws MediaPeerError BODY_INVALID, SDP_INVALID, NOTHING_TO_SERVE, DETECTION_OFF, CAPACITY_REACHED,
   *   SERVER_CLOSING, or what the gateway throws for the source.
   */
  async accept(request: AcceptRequest): Promise<OpenedViewing> {
    const { gateway, clock, ledger, logger, options } = this.#deps;
    this.#throwIfClosing();
    const plan = negotiate(request.sdp, gateway.describe(request.sourceId), request.renditions);
    this.#throwIfNegotiatedAgain(plan);
    throwIfNotServed(request.active, plan);
    const clientId = claimClientId(request.clientId, this.#clientIds);
    if (this.#taken >= options.maxConnections) {
      const message = `all ${options.maxConnections} connections are taken; try again in ${RETRY_AFTER_S} s`;
      throw new MediaPeerError('CAPACITY_REACHED', message, { retryAfterS: RETRY_AFTER_S });
    }
    const sessionId = randomBytes(18).toString('base64url');
    if (request.clientId !== undefined && clientId !== request.clientId) {
      logger.warn({ requestedClientId: request.clientId, clientId, sourceId: request.sourceId }, 'client id collision');
    }
    this.#taken++;
    this.#clientIds.add(clientId);
    let isGivenBack = false;
    const giveBack = (): void => {
      if (isGivenBack) return;
      isGivenBack = true;
      this.#taken--;
      this.#clientIds.delete(clientId);
    };
    try {
      const certificate = await this.#certificate;
      this.#throwIfClosing();
      const session = new PeerSession(
        { sessionId, clientId, sourceId: request.sourceId },
        plan,
        { gateway, clock, logger, ledger, certificate },
        {
          connectionTimeoutMs: options.connectionTimeoutMs,
          disconnectGraceMs: options.disconnectGraceMs ?? 10_000,
          addresses: hostAddresses(options.iceAddresses),
          portRange: options.icePortRange,
          stunUrls: options.stunUrls ?? [],
          active: request.active,
        },
      );
      const ended = this.#keep(sessionId, session, plan, giveBack);
      return { sdp: await session.answer, clientId, sourceId: request.sourceId, renditions: plan.renditions, sessionId, ended };
    } catch (error) {
      if (!this.#sessions.has(sessionId)) giveBack();
      throw error;
    }
  }

  /** Every session, the oldest first. */
  snapshot(): readonly PeerSnapshot[] {
    return [...this.#sessions.values()].map(({ session }) => session.snapshot());
  }

  /**
   * RTP timestamps of a frame as a session's viewer sees them, for each rendition that flows; empty for frames that
   * the viewer did not get with timestamps of their own.
   * @throws MediaPeerError SESSION_NOT_FOUND
   */
  rtpTimestamps(sessionId: string, mediaTimeMs: number): RtpTimestamps {
    const entry = this.#sessions.get(sessionId);
    if (!entry) throw new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session; it may have ended');
    return entry.session.rtpTimestamps(mediaTimeMs);
  }

  /** The source that a session watches; undefined where there is none of that id. */
  sourceOf(sessionId: string): string | undefined {
    return this.#sessions.get(sessionId)?.session.identity.sourceId;
  }

  /** Ends a session and waits until everything it held is given back; false where there is none of that id. */
  async close(sessionId: string, reason: EndReason): Promise<boolean> {
    const entry = this.#sessions.get(sessionId);
    if (!entry) return false;
    entry.session.close(reason);
    await entry.ended;
    return true;
  }

  /** Ends all sessions and accepts no more. */
  async closeAll(reason: EndReason): Promise<void> {
    this.#isClosing = true;
    const entries = [...this.#sessions.values()];
    for (const { session } of entries) session.close(reason);
    await Promise.all(entries.map(({ ended }) => ended));
  }

  #throwIfClosing(): void {
    if (this.#isClosing) throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
  }

  /** A second offer of a connection that is answered like a new one would freeze the first. The very same offer is a retry. */
  #throwIfNegotiatedAgain(plan: Plan): void {
    for (const { session, plan: earlier } of this.#sessions.values()) {
      if (earlier.description.origin === plan.description.origin || connectionOf(earlier) !== connectionOf(plan)) continue;
      throw sdpInvalid(`it negotiates the connection of client '${session.snapshot().clientId}' again, which is not supported; offer a new RTCPeerConnection and close this one`);
    }
  }

  #keep(sessionId: string, session: PeerSession, plan: Plan, giveBack: () => void): Promise<EndReason> {
    const ended = session.run().finally(() => {
      this.#sessions.delete(sessionId);
      giveBack();
      if (this.#sessions.size === 0) {
        this.#tick?.cancel();
        this.#tick = undefined;
      }
    });
    this.#sessions.set(sessionId, { session, plan, ended });
    this.#tick ??= this.#deps.clock.every(TICK_MS, () => {
      for (const entry of this.#sessions.values()) entry.session.tick();
    });
    return ended;
  }
}

function throwIfNotServed(active: readonly Rendition[] | undefined, { renditions }: Plan): void {
  const missing = active?.find((rendition) => !renditions.includes(rendition));
  if (missing === undefined) return;
  throw new MediaPeerError('BODY_INVALID', `active names '${missing}', but the video m-lines carry ${renditions.join(', ') || 'nothing'}; name it in tracks, too`);
}

/** Tells the other side's connections apart: the session id of its description (RFC 8866 §5.2) and its certificate. */
function connectionOf({ description, transports }: Plan): string {
  return [description.origin.split(' ')[1], ...(transports[0]?.fingerprints.map(({ value }) => value) ?? [])].join(' ');
}
