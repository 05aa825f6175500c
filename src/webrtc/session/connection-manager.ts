/**
 * All connections of the server. A client joins in one of three ways, each read top to bottom: a viewer offers
 * (`accept`), the server offers to a viewer (`offer`), a publisher offers (`publish`). Its session does the rest.
 */
import type { Clock } from '../../base/clock.js';
import { Listeners, type StopListening } from '../../base/listeners.js';
import { serverClosing } from '../../base/refusals.js';
import type { Logger } from '../../base/logger.js';
import type { EndReason } from '../../media/index.js';
import type { ResourceLedger } from '../../base/resources.js';
import type { MediaGateway } from '../api/gateway.js';
import type { SessionReport } from '../api/report.js';
import type {
  AcceptRequest,
  IceDescription,
  IceServer,
  OfferRequest,
  OpenedSession,
  OpenedViewing,
  PublishRequest,
  Sessions,
  TrickledCandidate,
} from '../api/requests.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { SessionEvent } from '../api/session-event.js';
import type { MeasuredSession, SessionStatus } from '../api/status.js';
import { hostAddresses } from '../ice/host-addresses.js';
import type { IceTcpListener } from '../ice/tcp-listener.js';
import type { IceUdpPort } from '../ice/udp-port.js';
import { splitIceServers } from '../ice/turn/server.js';
import { assertWeriftShape } from '../transport/assert-werift.js';
import { Pacer } from '../transport/pacer.js';
import { dtlsCertificate, type DtlsCertificate } from '../transport/werift-dtls.js';
import { negotiatePublish } from '../sdp/negotiate-publish.js';
import { negotiate, negotiateTiles, throwIfNotServed, videoSections, type Plan } from '../sdp/negotiate.js';
import { planAnswer, planOffer, planWallOffer } from '../sdp/offer-plan.js';
import { parseSdp, sdpInvalid } from '../sdp/parse.js';
import { connectionOf } from '../sdp/renegotiation.js';
import { wallMedia } from '../sdp/wall.js';
import { Admission } from './admission.js';
import type { Negotiation } from './negotiation.js';
import { openedTiles, openWatched, soundOf, tilesToNegotiate, throwIfTooMany } from './open-watched.js';
import { Publisher } from './publisher.js';
import { Outages } from './outages.js';
import { SessionRegistry } from './registry.js';
import { PeerSession } from './session.js';
import { Viewer } from './viewer.js';

/** Limits and addresses of all connections. */
export interface ConnectionOptions {
  /** Viewers at the same time, those being accepted included. */
  readonly maxConnections: number;
  /** Publishers at the same time, likewise. Default 10. */
  readonly maxPublishers?: number;
  /** How long a client may take from the answer to the end of the handshake. */
  readonly connectionTimeoutMs: number;
  /** How often a publisher without frames is asked to reconnect; 0: without end. Default 0. */
  readonly reconnectMaxAttempts?: number;
  /** How long a client that went silent may come back. Default 30000. */
  readonly disconnectGraceMs?: number;
  /** Addresses to listen on; empty: every address of the machine, loopback included. */
  readonly iceAddresses: readonly string[];
  /** First and last UDP port, both included; left out: any free port. */
  readonly icePortRange?: readonly [number, number] | undefined;
  /** STUN and TURN servers for the connection of a client, by the id that it asks for. Default: none is asked. */
  readonly iceServersFor?: ((clientId: string) => readonly IceServer[]) | undefined;
  /** Addresses of a 1:1 NAT in front of this machine. Default: none. */
  readonly publicIps?: readonly string[] | undefined;
  /** The UDP port of all sessions; left out: each has ports of its own. */
  readonly iceUdp?: IceUdpPort | undefined;
  /** Takes clients by TCP, too. */
  readonly iceTcp?: IceTcpListener | undefined;
}

/** What connections are built on. */
export interface ConnectionManagerDeps {
  /** Where media comes from and goes to. */
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  /** Limits and addresses. */
  readonly options: ConnectionOptions;
}

/** Who joins, how, and what was negotiated. */
interface Join {
  readonly request: Pick<AcceptRequest, 'clientId' | 'door' | 'address' | 'onCandidate' | 'onState' | 'onRestartNeeded'>;
  readonly sourceId: string;
  readonly role: 'viewer' | 'publisher';
  readonly negotiation: Negotiation;
  /** When the client asked, on the monotonic clock. */
  readonly askedMs: number;
}

/** All connections of the server. */
export class ConnectionManager implements Sessions {
  readonly #deps: ConnectionManagerDeps;
  readonly #certificate: Promise<DtlsCertificate>;
  readonly #admission: Admission;
  readonly #sessions: SessionRegistry;
  readonly #outages: Outages;
  readonly #pacer: Pacer;
  readonly #events: Listeners<SessionEvent>;
  #isClosing = false;

  constructor(deps: ConnectionManagerDeps) {
    assertWeriftShape();
    const { clock, logger } = deps;
    const { maxConnections, maxPublishers = 10 } = deps.options;
    this.#deps = deps;
    this.#admission = new Admission({ max: { viewer: maxConnections, publisher: maxPublishers }, clock, logger });
    this.#sessions = new SessionRegistry(clock);
    this.#outages = new Outages(clock);
    this.#certificate = dtlsCertificate();
    this.#pacer = new Pacer(clock);
    this.#events = new Listeners(logger, 'sessions');
  }

  async accept(request: AcceptRequest): Promise<OpenedViewing> {
    const { gateway, clock } = this.#deps;
    const { sourceId, active, rights } = request;
    const askedMs = clock.now();
    this.#throwIfClosing();
    const offer = parseSdp(request.sdp);
    throwIfTooMany(request.tiles, videoSections(offer).length);
    const sources = await openWatched(gateway, request);
    const plan = sources.tiles
      ? negotiateTiles(offer, wallMedia(tilesToNegotiate(sources), soundOf(sources)))
      : negotiate(offer, sources.own.media, request.renditions);
    this.#throwIfNegotiatedAgain(plan);
    throwIfNotServed(active, plan);
    const negotiation: Negotiation = {
      plan,
      makeParticipant: (host) => new Viewer({ sources, plan, gateway, clock, active, rights }, host),
    };
    const opened = await this.#join({ request, sourceId, role: 'viewer', negotiation, askedMs });
    return { ...opened, renditions: plan.renditions, tiles: openedTiles(plan, sources) };
  }

  async offer(request: OfferRequest): Promise<OpenedViewing> {
    const { gateway, clock } = this.#deps;
    const { sourceId, rights } = request;
    const askedMs = clock.now();
    this.#throwIfClosing();
    const sources = await openWatched(gateway, request);
    const offered = sources.tiles
      ? planWallOffer(wallMedia(tilesToNegotiate(sources), soundOf(sources)))
      : planOffer(sources.own.media, request);
    const announced = offered.mLines.map((mLine) => (mLine.kind === 'application' ? undefined : mLine.local));
    const negotiation: Negotiation = {
      mLines: offered.mLines,
      readAnswer: (sdp) => {
        const plan = planAnswer(sdp, offered);
        return { plan, makeParticipant: (host) => new Viewer({ sources, plan, gateway, clock, announced, rights }, host) };
      },
    };
    const opened = await this.#join({ request, sourceId, role: 'viewer', negotiation, askedMs });
    return { ...opened, renditions: offered.media.tiles.map(({ rendition }) => rendition) };
  }

  async publish(request: PublishRequest): Promise<OpenedSession> {
    const { gateway, clock, options } = this.#deps;
    const { room, takeover, onCommand } = request;
    const { reconnectMaxAttempts = 0 } = options;
    const outages = this.#outages;
    const askedMs = clock.now();
    const plan = negotiatePublish(request.sdp);
    this.#throwIfNegotiatedAgain(plan);
    const negotiation: Negotiation = {
      plan,
      makeParticipant: (host) => new Publisher({ plan, room, takeover, gateway, clock, outages, reconnectMaxAttempts, onCommand }, host),
    };
    return this.#join({ request, sourceId: room, role: 'publisher', negotiation, askedMs });
  }

  async answer(sessionId: string, sdp: string): Promise<void> {
    const described = this.#sessions.described(sessionId);
    try {
      described.answer(sdp);
    } catch (error) {
      if (this.#sessions.get(sessionId).hasEnded) await this.#sessions.ended(sessionId);
      throw error;
    }
  }

  addCandidates(sessionId: string, candidates: readonly TrickledCandidate[]): void {
    this.#sessions.described(sessionId).addCandidates(candidates);
  }

  async restart(sessionId: string, remote: IceDescription): Promise<IceDescription> {
    return this.#sessions.described(sessionId).restart(remote);
  }

  async restartByOffer(sessionId: string, sdp: string): Promise<string> {
    return this.#sessions.described(sessionId).restartByOffer(sdp);
  }

  async offerRestart(sessionId: string): Promise<string> {
    return this.#sessions.described(sessionId).offerRestart();
  }

  iceTag(sessionId: string): string {
    return this.#sessions.described(sessionId).iceTag;
  }

  report(sessionId: string): SessionReport | undefined {
    return this.#sessions.report(sessionId);
  }

  async close(sessionId: string, reason: EndReason): Promise<boolean> {
    const session = this.#sessions.find(sessionId);
    session?.close(reason);
    await this.#sessions.ended(sessionId);
    return session !== undefined;
  }

  /** Ends what a client has; false where there is none of that id. */
  async disconnect(clientId: string, reason: EndReason): Promise<boolean> {
    const ending = this.#sessions.all.filter(({ identity }) => identity.clientId === clientId);
    await Promise.all(ending.map(({ identity }) => this.close(identity.sessionId, reason)));
    return ending.length > 0;
  }

  /** Ends all sessions and accepts no more. */
  async closeAll(reason: EndReason): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#sessions.all.map(({ identity }) => this.close(identity.sessionId, reason)));
  }

  /** Calls `listener` with what happens to the sessions from now on. Call the returned function to stop listening. */
  onEvent(listener: (event: SessionEvent) => void): StopListening {
    return this.#events.add(listener);
  }

  /** Sessions, those being accepted included. */
  get connections(): number {
    return this.#admission.admitted;
  }

  /** True while a session has that client id. */
  hasClient(clientId: string): boolean {
    return this.#admission.hasClient(clientId);
  }

  /** How many sessions there are. */
  get count(): number {
    return this.#sessions.count;
  }

  /** Every session, the oldest first. */
  snapshot(): readonly SessionStatus[] {
    return this.#sessions.all.map((session) => session.snapshot());
  }

  /** Of every session what is measured again and again: it costs a small part of `snapshot`. */
  measure(): readonly MeasuredSession[] {
    return this.#sessions.all.map((session) => session.measure());
  }

  /** A session as it stands; undefined where there is none of that id. */
  statusOf(sessionId: string): SessionStatus | undefined {
    return this.#sessions.find(sessionId)?.snapshot();
  }

  /** The sources that a session shows, or the one that it publishes to; empty where there is none of that id. */
  sourcesOf(sessionId: string): readonly string[] {
    return this.#sessions.find(sessionId)?.sourceIds ?? [];
  }

  /** The same, and the source of which come sound and JPEG pictures: what a client needs the right for, as long as its session lasts. */
  allSourcesOf(sessionId: string): readonly string[] {
    return this.#sessions.find(sessionId)?.allSourceIds ?? [];
  }

  /** How many watch a source. */
  viewersOf(sourceId: string): number {
    return this.#sessions.all.filter(({ sourceIds, role, plan }) => sourceIds.includes(sourceId) && role === 'viewer' && plan !== undefined)
      .length;
  }

  /**
   * RTP timestamps of a source's frame as a session's viewer sees them, for each rendition that flows; empty for frames that
   * the viewer did not get with timestamps of their own.
   * @throws MediaPeerError SESSION_NOT_FOUND
   */
  rtpTimestamps(sessionId: string, sourceId: string, mediaTimeMs: number): RtpTimestamps {
    return this.#sessions.get(sessionId).rtpTimestamps(sourceId, mediaTimeMs);
  }

  /** From here on there is something to release, which the session does when it ends. */
  async #join({ request, sourceId, role, negotiation, askedMs }: Join): Promise<OpenedSession> {
    this.#throwIfClosing();
    const { clock, logger, ledger, options } = this.#deps;
    const addresses = hostAddresses(options.iceAddresses);
    const admitted = this.#admission.admit({ clientId: request.clientId, address: request.address ?? '', sourceId, role });
    const { sessionId, clientId } = admitted;
    const session = new PeerSession(
      {
        admitted,
        sourceId,
        role,
        negotiation,
        door: request.door,
        waitedMs: Math.round(clock.now() - askedMs),
        ice: {
          addresses,
          lookUpAddresses: () => hostAddresses(options.iceAddresses),
          portRange: options.icePortRange,
          udp: options.iceUdp,
          publicIps: options.publicIps,
          tcp: options.iceTcp,
          ...splitIceServers(options.iceServersFor?.(request.clientId ?? clientId) ?? []),
        },
        connectionTimeoutMs: options.connectionTimeoutMs,
        disconnectGraceMs: options.disconnectGraceMs ?? 30_000,
        onCandidate: request.onCandidate,
        onState: request.onState,
        onRestartNeeded: request.onRestartNeeded,
      },
      { clock, logger, ledger, pacer: this.#pacer, certificate: this.#certificate, onEvent: (event) => this.#events.tell(event) },
    );
    const started = session.start();
    const ended = this.#sessions.add(session, started.ended);
    return { sdp: await started.sdp, clientId, sourceId, sessionId, ended };
  }

  #throwIfClosing(): void {
    if (this.#isClosing) throw serverClosing();
  }

  /** A second offer of a connection that is answered like a new one would freeze the first. The very same offer is a retry. */
  #throwIfNegotiatedAgain(plan: Plan): void {
    for (const { identity, plan: earlier } of this.#sessions.all) {
      if (!earlier || earlier.description.origin === plan.description.origin || connectionOf(earlier) !== connectionOf(plan)) continue;
      throw sdpInvalid(
        `it renegotiates the connection of client '${identity.clientId}', which is not supported; create a new RTCPeerConnection and close this one`,
      );
    }
  }
}
