/** All connections of the server: how many there may be, who they are, and their common clock tick. */
import { RTCDtlsTransport, type RTCCertificate } from 'werift';
import type { Clock, Timer } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { EndReason } from '../../media/index.js';
import type { ResourceLedger } from '../../base/resources.js';
import { EndedReports } from './ended-reports.js';
import type { MediaGateway } from '../api/gateway.js';
import { hostAddresses } from '../ice/host-addresses.js';
import type { IceTcpListener } from '../ice/tcp-listener.js';
import { negotiate, throwIfNotServed, type Plan } from '../sdp/negotiate.js';
import { planAnswer, planOffer } from '../sdp/offer-plan.js';
import { Places } from './admission.js';
import { negotiatePublish } from '../sdp/negotiate-publish.js';
import { PublisherSide } from './publisher.js';
import { Outages } from './publisher-watch.js';
import { readCandidates } from '../sdp/remote-transport.js';
import { connectionOf, remoteIce } from '../sdp/renegotiation.js';
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
import { sdpInvalid } from '../sdp/parse.js';
import { answering, offering } from './session-negotiation.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import { PeerSession, type Agreement, type SessionOptions } from './session.js';
import type { PeerSnapshot } from '../api/snapshot.js';
import { splitIceServers } from '../ice/turn/server.js';
import { ViewerSide } from './viewer.js';
import type { Waiting } from './waiting-line.js';
import { assertWeriftShape } from '../ice/werift.js';

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
  /** Takes clients by TCP, too. */
  readonly iceTcp?: IceTcpListener | undefined;
}

export interface ConnectionManagerDeps {
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  readonly options: ConnectionOptions;
}

const TICK_MS = 1000;

/** A session, and what has to be known of it to go on with its negotiation. */
interface Entry {
  readonly session: PeerSession;
  readonly ended: Promise<EndReason>;
  /** What the client has described; undefined before it answered. */
  plan: Plan | undefined;
  /** Takes the client's answer to this server's offer: the first one, then those of restarts. */
  readonly takeAnswer?: (sdp: string) => Plan;
  /** True between an offer of a restart and its answer. */
  awaitsRestart: boolean;
}

/** Who comes, by which door. */
interface Newcomer {
  readonly request: Pick<AcceptRequest, 'clientId' | 'door' | 'address' | 'onCandidate' | 'onState' | 'onRestartNeeded'>;
  readonly sourceId: string;
  readonly role: SessionOptions['role'];
}

export class ConnectionManager implements Sessions {
  readonly #deps: ConnectionManagerDeps;
  readonly #certificate: Promise<RTCCertificate>;
  readonly #sessions = new Map<string, Entry>();
  readonly #places: Places;
  readonly #reports: EndedReports;
  #tick: Timer | undefined;
  readonly #outages: Outages;
  #isClosing = false;

  constructor(deps: ConnectionManagerDeps) {
    assertWeriftShape();
    this.#deps = deps;
    const { maxConnections, maxPublishers = 10 } = deps.options;
    this.#places = new Places({ max: { viewer: maxConnections, publisher: maxPublishers }, clock: deps.clock, logger: deps.logger });
    this.#outages = new Outages(deps.clock);
    this.#reports = new EndedReports(deps.clock);
    this.#certificate = RTCDtlsTransport.SetupCertificate();
  }

  /** Sessions, those being accepted included. */
  get connections(): number {
    return this.#places.taken;
  }

  async accept(request: AcceptRequest): Promise<OpenedViewing> {
    const { gateway, clock } = this.#deps;
    const { sourceId, active } = request;
    this.#throwIfClosing();
    if (gateway.prepare) await gateway.prepare(sourceId);
    this.#throwIfClosing();
    const plan = negotiate(request.sdp, gateway.describe(sourceId), request.renditions);
    this.#throwIfNegotiatedAgain(plan);
    throwIfNotServed(active, plan);
    const opened = await this.#open({ request, sourceId, role: 'viewer' }, (start) => {
      const agreement: Agreement = { ...plan, makeSide: (host) => new ViewerSide({ sourceId, plan, gateway, clock, active }, host) };
      return { ...start(agreement, (side) => answering(plan, side?.localStreams ?? [])), plan };
    });
    return { ...opened, renditions: plan.renditions };
  }

  async offer(request: OfferRequest): Promise<OpenedViewing> {
    const { gateway, clock } = this.#deps;
    const { sourceId } = request;
    this.#throwIfClosing();
    if (gateway.prepare) await gateway.prepare(sourceId);
    this.#throwIfClosing();
    const offered = planOffer(gateway.describe(sourceId), request.renditions);
    const opened = await this.#open({ request, sourceId, role: 'viewer' }, (start) => {
      const started = start(undefined, () => offering(offered.mLines));
      const takeAnswer = (sdp: string): Plan => {
        const plan = planAnswer(sdp, offered, gateway.describe(sourceId));
        const announced = offered.mLines.map((mLine) => (mLine.kind === 'application' ? undefined : mLine.local));
        started.session.agree({ ...plan, makeSide: (host) => new ViewerSide({ sourceId, plan, gateway, clock, announced }, host) });
        return plan;
      };
      return { ...started, plan: undefined, takeAnswer };
    });
    return { ...opened, renditions: offered.renditions };
  }

  async answer(sessionId: string, sdp: string): Promise<void> {
    const entry = this.#entry(sessionId);
    if (entry.awaitsRestart) return this.#answerRestart(entry, sdp);
    if (!entry.takeAnswer || entry.plan) throw new MediaPeerError('NEGOTIATION_STATE', 'there is no offer that waits for an answer');
    try {
      entry.plan = entry.takeAnswer(sdp);
    } catch (error) {
      // Without a usable answer there is no way to go on.
      entry.session.close('negotiation-failed', error);
      await entry.ended;
      throw error;
    }
  }

  async publish(request: PublishRequest): Promise<OpenedSession> {
    const { gateway, clock, options } = this.#deps;
    const { room, takeover, onCommand } = request;
    const { reconnectMaxAttempts = 0 } = options;
    const outages = this.#outages;
    this.#throwIfClosing();
    const plan = negotiatePublish(request.sdp);
    this.#throwIfNegotiatedAgain(plan);
    return this.#open({ request, sourceId: room, role: 'publisher' }, (start, clientId) => {
      const agreement: Agreement = {
        ...plan,
        makeSide: (host) =>
          new PublisherSide({ plan, room, clientId, takeover, gateway, clock, outages, reconnectMaxAttempts, onCommand }, host),
      };
      return { ...start(agreement, (side) => answering(plan, side?.localStreams ?? [])), plan };
    });
  }

  addCandidates(sessionId: string, candidates: readonly TrickledCandidate[]): void {
    this.#entry(sessionId).session.addCandidates(candidates);
  }

  async restart(sessionId: string, remote: IceDescription): Promise<IceDescription> {
    const entry = this.#entry(sessionId);
    const { session, plan } = entry;
    const transports = plan?.transports.length ?? 0;
    if (transports > 1)
      throw new MediaPeerError(
        'ICE_RESTART_REFUSED',
        `the session has ${transports} transports; only a bundled one can be restarted without an offer`,
      );
    const candidates = readCandidates(remote.candidates);
    entry.awaitsRestart = false;
    const [local] = await session.beginRestart();
    if (!local) throw new MediaPeerError('ICE_RESTART_REFUSED', 'the session has no transport; there is nothing to restart');
    session.continueRestart([{ iceUfrag: remote.iceUfrag, icePassword: remote.icePassword, iceLite: false, ...candidates }]);
    return { iceUfrag: local.iceUfrag, icePassword: local.icePassword, candidates: local.candidates };
  }

  async restartByOffer(sessionId: string, sdp: string): Promise<string> {
    const entry = this.#entry(sessionId);
    const { session, plan } = entry;
    const remotes = remoteIce(sdp, plan);
    entry.awaitsRestart = false;
    await session.beginRestart();
    session.continueRestart(remotes);
    return session.redescribe();
  }

  async offerRestart(sessionId: string): Promise<string> {
    const entry = this.#entry(sessionId);
    if (!entry.takeAnswer)
      throw new MediaPeerError('ICE_RESTART_REFUSED', 'the client made the offer of this session; it has to restart ICE');
    await entry.session.beginRestart();
    entry.awaitsRestart = true;
    return entry.session.redescribe();
  }

  #answerRestart(entry: Entry, sdp: string): void {
    entry.awaitsRestart = false;
    try {
      entry.session.continueRestart(remoteIce(sdp, entry.plan));
    } catch (error) {
      entry.session.cancelRestart();
      throw error;
    }
  }

  iceTag(sessionId: string): string {
    return this.#entry(sessionId).session.iceTag;
  }

  report(sessionId: string): SessionReport | undefined {
    return this.#sessions.get(sessionId)?.session.report() ?? this.#reports.get(sessionId);
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
    const { side } = this.#entry(sessionId).session;
    return side instanceof ViewerSide ? side.rtpTimestamps(mediaTimeMs) : {};
  }

  /** The source that a session watches, or publishes to; undefined where there is none of that id. */
  sourceOf(sessionId: string): string | undefined {
    return this.#sessions.get(sessionId)?.session.identity.sourceId;
  }

  /** A session as it stands; undefined where there is none of that id. */
  snapshotOf(sessionId: string): PeerSnapshot | undefined {
    return this.#sessions.get(sessionId)?.session.snapshot();
  }

  /** How many watch a source. */
  viewersOf(sourceId: string): number {
    return [...this.#sessions.values()].filter(
      ({ session: { identity, side } }) => identity.sourceId === sourceId && side?.role === 'viewer',
    ).length;
  }

  /** True while a session has that client id. */
  hasClient(clientId: string): boolean {
    return this.#places.hasClient(clientId);
  }

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

  #entry(sessionId: string): Entry {
    const entry = this.#sessions.get(sessionId);
    if (!entry) throw new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session; it may have ended');
    return entry;
  }

  /** Takes a place and an id for the newcomer, starts its session and waits for its description. */
  async #open(
    newcomer: Newcomer,
    begin: (start: StartSession, clientId: string) => Omit<Entry, 'ended' | 'awaitsRestart'>,
  ): Promise<OpenedSession> {
    const { request, sourceId, role } = newcomer;
    const place = this.#places.take({ clientId: request.clientId, address: request.address ?? '', sourceId, role });
    const { sessionId, clientId } = place;
    try {
      const certificate = await this.#certificate;
      this.#throwIfClosing();
      const entry = begin(
        (agreement, describe) => ({
          session: this.#makeSession({ sessionId, clientId, sourceId }, newcomer, place.waiting, certificate, agreement, describe),
        }),
        clientId,
      );
      const ended = this.#keep(sessionId, entry, place.giveBack);
      return { sdp: await entry.session.described, clientId, sourceId, sessionId, ended };
    } catch (error) {
      if (!this.#sessions.has(sessionId)) place.giveBack();
      throw error;
    }
  }

  #makeSession(
    identity: PeerSession['identity'],
    { request, role }: Newcomer,
    waiting: Waiting,
    certificate: RTCCertificate,
    ...[agreement, describe]: Parameters<StartSession>
  ): PeerSession {
    const { clock, logger, ledger, options } = this.#deps;
    const session = new PeerSession(
      identity,
      describe,
      agreement,
      { clock, logger, ledger, certificate },
      {
        door: request.door,
        role,
        connectionTimeoutMs: options.connectionTimeoutMs,
        disconnectGraceMs: options.disconnectGraceMs ?? 30_000,
        ice: {
          addresses: hostAddresses(options.iceAddresses),
          portRange: options.icePortRange,
          publicIps: options.publicIps,
          tcp: options.iceTcp,
          ...splitIceServers(options.iceServersFor?.(request.clientId ?? identity.clientId) ?? []),
        },
        onCandidate: request.onCandidate,
        onConnected: () => waiting.connected(),
        onState: request.onState,
        onRestartNeeded: request.onRestartNeeded,
      },
    );
    waiting.occupy({ isHeard: () => session.isHeard, giveWay: () => session.close('gave-way') });
    return session;
  }

  #throwIfClosing(): void {
    if (this.#isClosing) throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
  }

  /** A second offer of a connection that is answered like a new one would freeze the first. The very same offer is a retry. */
  #throwIfNegotiatedAgain(plan: Plan): void {
    for (const { session, plan: earlier } of this.#sessions.values()) {
      if (!earlier || earlier.description.origin === plan.description.origin || connectionOf(earlier) !== connectionOf(plan)) continue;
      throw sdpInvalid(
        `it negotiates the connection of client '${session.identity.clientId}' again, which is not supported; offer a new RTCPeerConnection and close this one`,
      );
    }
  }

  #keep(sessionId: string, entry: Omit<Entry, 'ended' | 'awaitsRestart'>, giveBack: () => void): Promise<EndReason> {
    const { session } = entry;
    const ended = session.run().finally(() => {
      this.#reports.add(sessionId, session.report());
      this.#sessions.delete(sessionId);
      giveBack();
      if (this.#sessions.size === 0) {
        this.#tick?.cancel();
        this.#tick = undefined;
      }
    });
    this.#sessions.set(sessionId, { ...entry, ended, awaitsRestart: false });
    this.#tick ??= this.#deps.clock.every(TICK_MS, () => {
      for (const { session: each } of this.#sessions.values()) each.tick();
    });
    return ended;
  }
}

type StartSession = (
  agreement: Agreement | undefined,
  describe: ConstructorParameters<typeof PeerSession>[1],
) => { readonly session: PeerSession };
