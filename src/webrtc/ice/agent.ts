/**
 * One ICE agent on our own sockets, for one generation of credentials: an ICE restart opens another one. Connectivity
 * checks are authenticated before they are answered, and nothing is sent to anybody but the peer and the STUN and
 * TURN servers that are configured.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { IceReport } from '../api/report.js';
import type { RemoteCandidate, RemoteTransport, SkippedCandidate } from '../sdp/parse.js';
import { candidateLine, type LocalCandidate } from './candidates.js';
import { IceChecks } from './checks.js';
import { IceGathering, type IceOptions } from './gathering.js';
import { IceNomination } from './nomination.js';
import { PathChecks, type PathAnswer } from './path-checks.js';
import { IceRemoteCandidates } from './remote-candidates.js';
import { count, iceReport, selectedTypes } from './report.js';
import type { IceSocket } from './socket.js';
import { Checklist, type Address, type IcePath, type IceState } from './werift.js';

/** Why an agent gave up: no pair ever worked (RFC 8863), or the peer stopped agreeing to be sent to (RFC 7675). */
export type IceFailure = 'checks-failed' | 'consent-expired';

/** What the checks need to know of the peer. */
export type IceRemote = Pick<RemoteTransport, 'iceUfrag' | 'icePassword' | 'iceLite' | 'candidates' | 'skipped'>;

/** What an agent tells its owner, from `open` to `close`. */
export interface IceAgentEvents {
  /** A `candidate:...` line that was found after `open` had resolved. */
  candidate(line: string): void;
  /** No more candidates will come: some TURN servers take many seconds to fail. Once. */
  gathered(): void;
  /** A pair was nominated: from now on data can be sent. Once. */
  nominated(): void;
  /** Another pair is in use than before, as where a NAT gave the peer another address. */
  moved(): void;
  /** Nothing is closed by it: the session decides. After 'checks-failed' a late peer may still be nominated. */
  failed(failure: IceFailure): void;
  /** DTLS, SRTP and SRTCP from the peer. */
  data(data: Buffer): void;
  /** A check of `checkPath` was answered. */
  checkedPath(answer: PathAnswer): void;
}

/** How long a peer may need to send its first check that works (RFC 8863 §4). */
const PATIENCE_MS = 39_500;

/** One generation of ICE. */
export class IceAgent {
  /** `candidate:...` lines that were found so far; those of the host once `open` has resolved. */
  readonly candidates: string[] = [];
  readonly #options: IceOptions;
  readonly #transport: object;
  readonly #clock: Clock;
  readonly #events: IceAgentEvents;
  readonly #checklist: Checklist;
  readonly #checks: IceChecks;
  readonly #nomination: IceNomination;
  readonly #pathChecks: PathChecks;
  readonly #remoteCandidates: IceRemoteCandidates;
  readonly #paths = new Map<IceSocket, IcePath>();
  readonly #localCounts: Record<string, number> = {};
  #gathering: IceGathering | undefined;
  #isGathered = false;
  #checksReceived = 0;
  #isConnecting = false;
  #patience: Timer | undefined;
  #lastHeardMs: number;
  #isClosed = false;
  #closed: Promise<void> | undefined;

  /**
   * Nothing is held before `open`.
   * @param transport the same for all agents of one transport; default: it has no other.
   */
  constructor(options: IceOptions, events: IceAgentEvents, transport: object = options) {
    this.#options = options;
    this.#transport = transport;
    this.#clock = options.clock;
    this.#events = events;
    this.#lastHeardMs = options.clock.now();
    this.#checklist = new Checklist({
      checked: () => this.#followNomination(),
      failed: () => events.failed(this.isNominated ? 'consent-expired' : 'checks-failed'),
    });
    this.#checks = new IceChecks(this.#checklist, {
      onCheck: (path, address, nominates) => {
        this.#checksReceived++;
        path.socket.claim?.(...address);
        this.#heard(path, address);
        if (nominates) this.#nomination.wish(path, address);
      },
      onAnswer: (path, [host, port], data) => {
        if (!this.#nomination.isTarget(path, host, port)) return;
        const answer = this.#pathChecks.answered(data);
        if (answer) events.checkedPath(answer);
        // A lite peer sends no checks of its own.
        path.socket.claim?.(host, port);
        this.#heard(path, [host, port]);
      },
    });
    this.#pathChecks = new PathChecks(this.#checklist);
    this.#nomination = new IceNomination(this.#checklist, this.#paths, options.clock);
    this.#remoteCandidates = new IceRemoteCandidates(this.#checklist);
  }

  /**
   * Binds the sockets, once: `candidates` has those of the host then, and others follow by the event. Where it fails
   * the agent is closed.
   * @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound.
   */
  async open(): Promise<void> {
    try {
      this.#gathering = await IceGathering.start(this.#options, {
        localUfrag: this.localUfrag,
        localPassword: this.localPassword,
        transport: this.#transport,
        onPath: (socket, candidate) => this.#addPath(socket, candidate),
        onCandidate: (candidate) => this.#found(candidate),
        datagram: (socket, data, host, port) => this.#receive(socket, data, host, port),
      });
    } catch (error) {
      await this.close();
      throw error;
    }
    void this.#gathering.complete.then(() => {
      this.#isGathered = true;
      if (!this.#isClosed) this.#events.gathered();
    });
  }

  get localUfrag(): string {
    return this.#checklist.localUfrag;
  }

  get localPassword(): string {
    return this.#checklist.localPassword;
  }

  /** True once no more candidates will come. */
  get isGathered(): boolean {
    return this.#isGathered;
  }

  /** Undefined before `connect`. */
  get remoteUfrag(): string | undefined {
    return this.#isConnecting ? this.#checklist.remoteUfrag : undefined;
  }

  /** Resolves when every candidate was found, at the latest after 1 s: for descriptions that no candidates can follow. */
  get gathered(): Promise<void> {
    return this.#gathering?.gathered ?? Promise.resolve();
  }

  get state(): IceState {
    return this.#checklist.state;
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
    const rttS = this.#checklist.nominated?.rtt;
    return rttS === undefined ? undefined : rttS * 1000;
  }

  /** The smallest round trip of the pair in use, in ms, without the time in which this process was busy; undefined before it is known. */
  get networkRoundTripMs(): number | undefined {
    const { target } = this.#nomination;
    return target?.path.roundTrips.get(`${target.host} ${target.port}`)?.smallestMs;
  }

  /** What went wrong with STUN and TURN servers, in words. */
  get troubles(): readonly string[] {
    return this.#gathering?.troubles ?? [];
  }

  /** As in `report`. */
  get selected(): string | undefined {
    return selectedTypes(this.#nomination.pair);
  }

  /** Checks of the peer. */
  get checksReceived(): number {
    return this.#checksReceived;
  }

  /** What was tried, and what came of it. */
  get report(): Omit<IceReport, 'restarts'> {
    return iceReport({
      local: this.#localCounts,
      remote: this.#remoteCandidates.counts,
      pairs: this.#checklist.pairs,
      checksReceived: this.#checksReceived,
      nominated: this.#nomination.pair,
      troubles: this.troubles,
    });
  }

  /** Starts the connectivity checks, once. Checks of the peer that came before are answered now. */
  connect(remote: IceRemote, { controlling }: { readonly controlling: boolean }): void {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    this.#checklist.setRemote(remote, { controlling });
    this.#remoteCandidates.start([...remote.candidates, ...(remote.skipped ?? [])]);
    this.#patience = this.#clock.after(PATIENCE_MS, () => {
      if (!this.isNominated) this.#events.failed('checks-failed');
    });
    this.#checklist.start();
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
    if (target && this.#maySend) target.path.socket.send(data, target.host, target.port);
  }

  /** Sends the datagrams of `slab` (`IceSocket.sendAll`) to the nominated address. */
  sendAll(slab: Buffer, ends: readonly number[], done: () => void): void {
    const { target } = this.#nomination;
    if (!target || !this.#maySend) return done();
    target.path.socket.sendAll(slab, ends, target.host, target.port, done);
  }

  /** Checks the pair in use, at once; nothing before there is one. @param id told with the answer */
  checkPath(id: number): void {
    const { target } = this.#nomination;
    if (target && this.#maySend) this.#pathChecks.ask(target, id);
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
    await this.#checklist.close();
    await Promise.all([...this.#paths.keys()].map((socket) => socket.close()));
  }

  get #maySend(): boolean {
    return !this.#isClosed && this.#checklist.maySend;
  }

  #addPath(socket: IceSocket, candidate: LocalCandidate): IcePath {
    const path = this.#checklist.addPath(socket, candidate);
    this.#paths.set(socket, path);
    this.#found(candidate);
    return path;
  }

  #found(candidate: LocalCandidate): void {
    const line = candidateLine(candidate);
    if (this.candidates.includes(line)) return;
    count(this.#localCounts, candidate.transport === 'tcp' ? 'tcp' : candidate.type);
    this.candidates.push(line);
    if (this.#gathering) this.#events.candidate(line);
  }

  #receive(socket: IceSocket, data: Buffer, host: string, port: number): void {
    const first = data[0];
    const path = this.#paths.get(socket);
    if (first === undefined || !path || this.#isClosed) return;
    try {
      if (first < 4) {
        this.#checks.receive(path, data, [host, port]);
        this.#followNomination();
      } else if (this.#isPeer(path, host, port)) {
        if (this.#heard(path, [host, port])) this.#followNomination();
        this.#events.data(data);
      }
    } catch {
      return; // A malformed datagram is dropped: anybody can send one.
    }
  }

  /**
   * Every address that has proven to know our password (RFC 8445 §12.2), nominated or not. A browser sends its first
   * DTLS flight as soon as one of its checks is answered, and repeats it only 50 ms later. A client that nominates
   * with each check (aioice, RFC 5245 §8.1.1.2) stays with the pair that was answered first, while its last nomination
   * names another one.
   */
  #isPeer(path: IcePath, host: string, port: number): boolean {
    return this.#nomination.isTarget(path, host, port) || this.#checks.isProven(host, port);
  }

  #heard(path: IcePath, address: Address): boolean {
    this.#lastHeardMs = this.#clock.now();
    return this.#nomination.heard(path, address);
  }

  #followNomination(): void {
    const change = this.#isClosed ? undefined : this.#nomination.follow();
    if (change === 'first') this.#events.nominated();
    else if (change === 'moved') this.#events.moved();
  }
}
