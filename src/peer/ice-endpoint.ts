/**
 * One ICE agent on our own sockets, for one generation of credentials: an ICE restart opens another one. Connectivity
 * checks are authenticated before they are answered, and nothing is sent to anybody but the peer and the STUN and
 * TURN servers that are configured.
 */
import { randomBytes } from 'node:crypto';
import { Candidate, CandidatePairState, RTCIceGatherer, RTCIceTransport } from 'werift';
import type { Clock, Timer } from '../clock.js';
import { candidateLine, type LocalCandidate } from './ice-candidates.js';
import { IceChecks } from './ice-checks.js';
import { IceGathering, type IceOptions } from './ice-gathering.js';
import { addPath, type IcePath } from './ice-path.js';
import { count, iceReport } from './ice-report.js';
import type { IceSocket } from './ice-socket.js';
import { isUsable, MAX_CANDIDATES } from './remote-transport.js';
import type { IceReport } from './report.js';
import type { RemoteCandidate, RemoteTransport, SkippedCandidate } from './sdp.js';
import { iceInternals, type IceInternals } from './werift-internals.js';

export type { IceOptions } from './ice-gathering.js';

export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

/** Why an agent gave up: no pair ever worked (RFC 8863), or the peer stopped agreeing to be sent to (RFC 7675). */
export type IceFailure = 'checks-failed' | 'consent-expired';

/** What the checks need to know of the peer. */
export type IceRemote = Pick<RemoteTransport, 'iceUfrag' | 'icePassword' | 'iceLite' | 'candidates' | 'skipped'>;

/** How long a peer may need to send its first check that works (RFC 8863 §4). */
const PATIENCE_MS = 39_500;

export class IceEndpoint {
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
  readonly #counts: { readonly local: Record<string, number>; readonly remote: Record<string, number> } = { local: {}, remote: {} };
  /** Addresses that the peer named. */
  readonly #named = new Set<string>();
  /** Those that came before `connect`. */
  readonly #waiting: RemoteCandidate[] = [];
  #isConnecting = false;
  #isRemoteComplete = false;
  #patience: Timer | undefined;
  #remote: { readonly path: IcePath; readonly host: string; readonly port: number } | undefined;
  /** Where the controlling side asked last to be sent to. */
  #wish: { readonly path: IcePath; readonly address: readonly [string, number] } | undefined;
  #lastHeardMs: number;
  #isClosed = false;

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
        if (nominates) this.#wish = { path, address };
      },
      onAnswer: (_path, [host, port]) => {
        if (this.#remote?.host === host && this.#remote.port === port) this.#lastHeardMs = this.#clock.now();
      },
    });
    this.transport.onStateChange.subscribe((state) => {
      if (state === 'failed') this.onFailed(this.#remote ? 'consent-expired' : 'checks-failed');
    });
  }

  /**
   * Binds the sockets: `candidates` has the host candidates then, and others follow by `onCandidate`.
   * @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound.
   */
  static async open(options: IceOptions): Promise<IceEndpoint> {
    const endpoint = new IceEndpoint(options.clock);
    try {
      endpoint.#gathering = await IceGathering.start(options, {
        localUfrag: endpoint.localUfrag,
        localPassword: endpoint.localPassword,
        onPath: (socket, candidate) => endpoint.#addPath(socket, candidate),
        onCandidate: (candidate) => endpoint.#found(candidate),
      });
    } catch (error) {
      await endpoint.close();
      throw error;
    }
    return endpoint;
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
    return this.#remote !== undefined;
  }

  /** Monotonic ms of the last authentic check, answer or datagram from the peer; the opening before there was one. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Bytes of `sendAll` that the network stack has not taken yet. */
  get pendingBytes(): number {
    return this.#remote?.path.socket.pendingBytes ?? 0;
  }

  /** Round trip of the latest consent check in ms; undefined before there was one. */
  get roundTripMs(): number | undefined {
    const rtt = this.#ice.nominated?.rtt;
    return rtt === undefined ? undefined : rtt * 1000;
  }

  /** What was tried, and what came of it. */
  get report(): Omit<IceReport, 'restarts'> {
    const { checkList: pairs, nominated } = this.#ice;
    return iceReport({ ...this.#counts, pairs, nominated, troubles: this.#gathering?.troubles ?? [] });
  }

  /** Starts the connectivity checks, once. Checks of the peer that came before are answered now. */
  connect(remote: IceRemote, { controlling }: { readonly controlling: boolean }): void {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    this.transport.connection.setRemoteParams({ iceLite: remote.iceLite, usernameFragment: remote.iceUfrag, password: remote.icePassword });
    this.#ice.iceControlling = controlling;
    for (const candidate of [...remote.candidates, ...(remote.skipped ?? []), ...this.#waiting.splice(0)]) this.#take(candidate);
    this.#patience = this.#clock.after(PATIENCE_MS, () => {
      if (!this.#remote) this.onFailed('checks-failed');
    });
    // The failure is told by the state; after `close` it says nothing.
    this.transport.start().catch(() => undefined);
    this.#checks.start();
  }

  /** A candidate of the peer, at any time. Those named before, and more than `MAX_CANDIDATES`, are passed over. */
  addRemoteCandidate(candidate: RemoteCandidate | SkippedCandidate): void {
    if (this.#isClosed || this.#isRemoteComplete) return;
    if (this.#isConnecting || !isUsable(candidate)) this.#take(candidate);
    else if (this.#waiting.length < MAX_CANDIDATES) this.#waiting.push(candidate);
  }

  #take(candidate: RemoteCandidate | SkippedCandidate): void {
    if (!isUsable(candidate)) return count(this.#counts.remote, candidate.type);
    const { foundation, priority, address, port, type } = candidate;
    if (this.#named.size >= MAX_CANDIDATES || this.#named.has(`${address} ${port}`)) return;
    this.#named.add(`${address} ${port}`);
    count(this.#counts.remote, type);
    void this.transport.connection.addRemoteCandidate(new Candidate(foundation, 1, 'udp', priority, address, port, type)); // resolves at once for an IP literal
  }

  /** The peer names no more. It is not failed by that: it may still be learned from its own checks (RFC 8863). */
  endOfCandidates(): void {
    this.#isRemoteComplete = true;
  }

  /** Sends one datagram to the nominated address; dropped before there is one. */
  send(data: Buffer): void {
    if (this.#mayNotSend()) return;
    this.#remote?.path.socket.send(data, this.#remote.host, this.#remote.port);
  }

  /** Sends the datagrams of `slab` (`IceSocket.sendAll`) to the nominated address. */
  sendAll(slab: Buffer, ends: readonly number[], done: () => void): void {
    if (!this.#remote || this.#mayNotSend()) return done();
    this.#remote.path.socket.sendAll(slab, ends, this.#remote.host, this.#remote.port, done);
  }

  /** Idempotent. Afterwards the sockets are gone. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
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
    count(this.#counts.local, candidate.transport === 'tcp' ? 'tcp' : candidate.type);
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
    const isNominated = this.#remote?.path === path && this.#remote.port === port && this.#remote.host === host;
    return isNominated || this.#checks.isProven(host, port);
  }

  #followNomination(): void {
    this.#followWish();
    const pair = this.#ice.nominated;
    if (!pair || this.#isClosed) return;
    const path = this.#paths.find(({ protocol }) => protocol === pair.protocol);
    const [host, port] = pair.remoteAddr;
    if (!path || (this.#remote?.path === path && this.#remote.host === host && this.#remote.port === port)) return;
    const isFirst = this.#remote === undefined;
    this.#remote = { path, host, port };
    if (isFirst) this.onNominated();
  }

  /**
   * The library stays with the pair that was nominated first. The controlling side may move to another pair, or from
   * another address (RFC 8445 §8.1.1): followed only once a check of ours was answered there, so nobody else can be
   * made the target. Where we control, and nominate with each check, the best pair that works is the one.
   */
  #followWish(): void {
    if (!this.#ice.nominated) return;
    const works = (pair: { readonly state: CandidatePairState } | undefined): boolean => pair?.state === CandidatePairState.SUCCEEDED;
    if (this.#ice.iceControlling) this.#ice.nominated = this.#ice.checkList.find((pair) => pair.nominated && works(pair)) ?? this.#ice.nominated;
    else if (this.#wish) {
      const pair = this.#checks.pairOf(this.#wish.path, this.#wish.address);
      if (pair && works(pair)) this.#ice.nominated = pair;
    }
  }
}
