/**
 * One ICE agent on our own sockets, for one generation of credentials: an ICE restart opens another one. Connectivity
 * checks are authenticated before they are answered, and nothing is sent to anybody but the peer and the STUN and
 * TURN servers that are configured.
 */
import { randomBytes } from 'node:crypto';
import { RTCIceGatherer, RTCIceTransport } from 'werift';
import type { Clock, Timer } from '../../base/clock.js';
import { candidateLine, type LocalCandidate } from './candidates.js';
import { IceChecks } from './checks.js';
import { IceGathering, type IceOptions } from './gathering.js';
import { IceNomination } from './nomination.js';
import { addPath, type IcePath } from './path.js';
import { IceRemoteCandidates } from './remote-candidates.js';
import { count, iceReport } from './report.js';
import type { IceSocket } from './socket.js';
import type { IceReport } from '../api/report.js';
import type { RemoteCandidate, RemoteTransport, SkippedCandidate } from '../sdp/parse.js';
import { iceInternals, type IceInternals } from './werift.js';

export type { IceOptions } from './gathering.js';

export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

/** Why an agent gave up: no pair ever worked (RFC 8863), or the peer stopped agreeing to be sent to (RFC 7675). */
export type IceFailure = 'checks-failed' | 'consent-expired';

/** What the checks need to know of the peer. */
export type IceRemote = Pick<RemoteTransport, 'iceUfrag' | 'icePassword' | 'iceLite' | 'candidates' | 'skipped'>;

/** How long a peer may need to send its first check that works (RFC 8863 §4). */
const PATIENCE_MS = 39_500;

export class IceAgent {
  readonly transport: RTCIceTransport;
  /** `candidate:...` lines that were found so far; host candidates are there from the start. */
  readonly candidates: string[] = [];
  /** Gets each line that is found after `open`. */
  onCandidate: (line: string) => void = () => undefined;
  /** Called once a pair is nominated: from then on data can be sent. */
  onNominated: () => void = () => undefined;
  /** Nothing is closed by it: the session decides. After 'checks-failed' a late peer may still be nominated. */
  onFailed: (failure: IceFailure) => void = () => undefined;
  /** DTLS, SRTP and SRTCP from the peer. */
  onData: (data: Buffer) => void = () => undefined;
  readonly #ice: IceInternals;
  readonly #clock: Clock;
  readonly #checks: IceChecks;
  readonly #paths: IcePath[] = [];
  #gathering: IceGathering | undefined;
  readonly #localCounts: Record<string, number> = {};
  readonly #nomination: IceNomination;
  readonly #remoteCandidates: IceRemoteCandidates;
  #checksReceived = 0;
  #isConnecting = false;
  #patience: Timer | undefined;
  #lastHeardMs: number;
  #isClosed = false;
  #closed: Promise<void> | undefined;

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastHeardMs = clock.now();
    const gatherer = new RTCIceGatherer();
    this.transport = new RTCIceTransport(gatherer);
    this.#ice = iceInternals(gatherer.connection);
    this.#ice.stunServer = undefined;
    // At least 24 and 128 bits of randomness (RFC 8445 §5.3); the library's own are 16 and 88.
    this.#ice.localUsername = randomBytes(6).toString('base64');
    this.#ice.localPassword = randomBytes(18).toString('base64');
    // Candidates may come at any time: the library is not told that there are no more.
    this.#ice.localCandidatesStart = true;
    this.#ice.send = (data) => {
      this.send(data);
      return Promise.resolve();
    };
    const checkComplete = this.#ice.checkComplete.bind(this.#ice);
    this.#ice.checkComplete = (pair) => {
      checkComplete(pair);
      this.#followNomination();
    };
    this.#checks = new IceChecks(this.#ice, {
      onCheck: (path, address, nominates) => {
        this.#lastHeardMs = this.#clock.now();
        this.#checksReceived++;
        if (nominates) this.#nomination.wish(path, address);
      },
      onAnswer: (path, [host, port]) => {
        if (this.#nomination.isTarget(path, host, port)) this.#lastHeardMs = this.#clock.now();
      },
    });
    this.#nomination = new IceNomination(this.#ice, this.#checks, this.#paths);
    this.#remoteCandidates = new IceRemoteCandidates(this.transport);
    this.transport.onStateChange.subscribe((state) => {
      if (state === 'failed') this.onFailed(this.isNominated ? 'consent-expired' : 'checks-failed');
    });
  }

  /**
   * Binds the sockets: `candidates` has the host candidates then, and others follow by `onCandidate`.
   * @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound.
   */
  static async open(options: IceOptions): Promise<IceAgent> {
    const agent = new IceAgent(options.clock);
    try {
      agent.#gathering = await IceGathering.start(options, {
        localUfrag: agent.localUfrag,
        localPassword: agent.localPassword,
        onPath: (socket, candidate) => agent.#addPath(socket, candidate),
        onCandidate: (candidate) => agent.#found(candidate),
      });
    } catch (error) {
      await agent.close();
      throw error;
    }
    return agent;
  }

  get localUfrag(): string {
    return this.#ice.localUsername;
  }

  get localPassword(): string {
    return this.#ice.localPassword;
  }

  /** Undefined before `connect`. */
  get remoteUfrag(): string | undefined {
    return this.#isConnecting ? this.#ice.remoteUsername : undefined;
  }

  /** Resolves when every candidate was found, at the latest after 1 s: for descriptions that no candidates can follow. */
  get gathered(): Promise<void> {
    return this.#gathering?.gathered ?? Promise.resolve();
  }

  /** Resolves when no more candidates will come: some TURN servers take many seconds to fail. */
  get gatheringComplete(): Promise<void> {
    return this.#gathering?.complete ?? Promise.resolve();
  }

  get state(): IceState {
    return this.transport.state;
  }

  /** True once a pair was nominated. */
  get isNominated(): boolean {
    return this.#nomination.target !== undefined;
  }

  /** Monotonic ms of the last authentic check, answer or datagram from the peer; the opening before there was one. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Bytes of `sendAll` that the network stack has not taken yet. */
  get pendingBytes(): number {
    return this.#nomination.target?.path.socket.pendingBytes ?? 0;
  }

  /** Round trip of the latest consent check in ms; undefined before there was one. */
  get roundTripMs(): number | undefined {
    const rtt = this.#ice.nominated?.rtt;
    return rtt === undefined ? undefined : rtt * 1000;
  }

  /** What was tried, and what came of it. */
  get report(): Omit<IceReport, 'restarts'> {
    return iceReport({
      local: this.#localCounts,
      remote: this.#remoteCandidates.counts,
      pairs: this.#ice.checkList,
      checksReceived: this.#checksReceived,
      nominated: this.#nomination.pair,
      troubles: this.#gathering?.troubles ?? [],
    });
  }

  /** Starts the connectivity checks, once. Checks of the peer that came before are answered now. */
  connect(remote: IceRemote, { controlling }: { readonly controlling: boolean }): void {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    this.transport.connection.setRemoteParams({ iceLite: remote.iceLite, usernameFragment: remote.iceUfrag, password: remote.icePassword });
    this.#ice.iceControlling = controlling;
    this.#remoteCandidates.start([...remote.candidates, ...(remote.skipped ?? [])]);
    this.#patience = this.#clock.after(PATIENCE_MS, () => {
      if (!this.isNominated) this.onFailed('checks-failed');
    });
    // The failure is told by the state; after `close` it says nothing.
    this.transport.start().catch(() => undefined);
    this.#checks.start();
  }

  /** A candidate of the peer, at any time. Those named before, and more than `MAX_CANDIDATES`, are passed over. */
  addRemoteCandidate(candidate: RemoteCandidate | SkippedCandidate): void {
    if (!this.#isClosed) this.#remoteCandidates.add(candidate);
  }

  /** The peer names no more. It is not failed by that: it may still be learned from its own checks (RFC 8863). */
  endOfCandidates(): void {
    this.#remoteCandidates.end();
  }

  /** Sends one datagram to the nominated address; dropped before there is one. */
  send(data: Buffer): void {
    const { target } = this.#nomination;
    if (target && !this.#mayNotSend()) target.path.socket.send(data, target.host, target.port);
  }

  /** Sends the datagrams of `slab` (`IceSocket.sendAll`) to the nominated address. */
  sendAll(slab: Buffer, ends: readonly number[], done: () => void): void {
    const { target } = this.#nomination;
    if (!target || this.#mayNotSend()) return done();
    target.path.socket.sendAll(slab, ends, target.host, target.port, done);
  }

  /** Idempotent. Afterwards the sockets are gone. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#patience?.cancel();
    await this.#gathering?.close();
    for (const { socket } of this.#paths) socket.onDatagram = () => undefined;
    await this.transport.stop();
    await Promise.all(this.#paths.map(({ socket }) => socket.close()));
  }

  #mayNotSend(): boolean {
    return this.#isClosed || this.#ice.state === 'failed' || this.#ice.state === 'closed';
  }

  #addPath(socket: IceSocket, candidate: LocalCandidate): IcePath {
    const path = addPath(this.#ice, socket, candidate, (from, data, host, port) => this.#receive(from, data, host, port));
    this.#paths.push(path);
    this.#found(candidate);
    return path;
  }

  #found(candidate: LocalCandidate): void {
    const line = candidateLine(candidate);
    if (this.candidates.includes(line)) return;
    count(this.#localCounts, candidate.transport === 'tcp' ? 'tcp' : candidate.type);
    this.candidates.push(line);
    this.onCandidate(line);
  }

  #receive(path: IcePath, data: Buffer, host: string, port: number): void {
    const first = data[0];
    if (first === undefined || this.#isClosed) return;
    try {
      if (first < 4) {
        this.#checks.receive(path, data, [host, port]);
        this.#followNomination();
      } else if (this.#isPeer(path, host, port)) {
        this.#lastHeardMs = this.#clock.now();
        this.onData(data);
      }
    } catch {
      return; // A malformed datagram is dropped: anybody can send one.
    }
  }

  /**
   * Every address that has proven to know our password (RFC 8445 §12.2), nominated or not. A browser sends its first
   * DTLS flight as soon as one of its checks is answered, and repeats it only 50 ms later. A client that nominates
   * with each check (aioice, RFC 5245 §8.1.1.2) stays with the pair that was answered first, while its last wish
   * names another one.
   */
  #isPeer(path: IcePath, host: string, port: number): boolean {
    return this.#nomination.isTarget(path, host, port) || this.#checks.isProven(host, port);
  }

  #followNomination(): void {
    if (!this.#isClosed && this.#nomination.follow()) this.onNominated();
  }
}
