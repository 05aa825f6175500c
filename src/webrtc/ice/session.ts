/**
 * The ICE agents of one transport. An ICE restart opens a second agent beside the first, which stays in use until the
 * second one has found a way: a restart that fails changes nothing.
 */
import type { Logger } from '../../base/logger.js';
import type { IceReport } from '../api/report.js';
import type { RemoteCandidate, RemoteTransport, SkippedCandidate } from '../sdp/parse.js';
import { IceAgent, type IceAgentEvents, type IceFailure, type IceRemote } from './agent.js';
import type { IceOptions } from './gathering.js';
import type { PathAnswer } from './path-checks.js';
import type { IceState } from './werift.js';

/** What became of a connection, or of a restart. */
type IceStep = 'ice connected' | 'ice failed' | 'consent expired' | 'ice restart' | 'ice restarted' | 'ice restart failed';

/** One side's half, as a description tells it. */
export interface LocalIce {
  /** RFC 8839 §5.4. */
  readonly iceUfrag: string;
  /** RFC 8839 §5.4. */
  readonly icePassword: string;
  /** `candidate:...` lines that were found so far. */
  readonly candidates: readonly string[];
  /** True while candidates may still come. */
  readonly isGathering: boolean;
}

/** What the ICE of a session tells its owner, from `open` to `close`. */
export interface IceSessionEvents {
  /** DTLS, SRTP and SRTCP from the peer. */
  data(data: Buffer): void;
  /** Found after the generation of `ufrag` was opened; undefined: no more, once for each generation. */
  candidate(candidate: string | undefined, ufrag: string): void;
  /** Something happened that the session's record notes. */
  step(step: IceStep): void;
  /** A pair was nominated, by the first agent or by one of a restart. */
  nominated(): void;
  /** The agent in use has another pair than before. */
  moved(): void;
  /** Nothing can be sent, and no restart is under way. */
  failed(): void;
  /** A check of `checkPath` was answered. */
  checkedPath(answer: PathAnswer): void;
}

/** All generations of ICE of one transport. */
export class IceSession {
  readonly #options: IceOptions;
  readonly #logger: Logger;
  readonly #events: IceSessionEvents;
  /** Agents that are not needed any more, while they close. */
  readonly #retiring = new Set<Promise<void>>();
  #current: IceAgent;
  /** The agent of a restart, until it is nominated. */
  #next: IceAgent | undefined;
  #isControlling = false;
  #restarts = 0;
  #failure: IceFailure | undefined;
  #isClosed = false;

  /** Nothing is held before `open`. */
  constructor(options: IceOptions, logger: Logger, events: IceSessionEvents) {
    this.#options = options;
    this.#logger = logger;
    this.#events = events;
    this.#current = this.#makeAgent();
  }

  /** Binds the sockets of the first agent, once. @throws Error where none can be bound. */
  async open(): Promise<void> {
    await this.#current.open();
  }

  /** Resolves when every candidate there will be has been found; bounded in time. */
  get gathered(): Promise<void> {
    return this.#newest.gathered;
  }

  /** Of the newest ICE generation. */
  get local(): LocalIce {
    const ice = this.#newest;
    return {
      iceUfrag: ice.localUfrag,
      icePassword: ice.localPassword,
      candidates: [...ice.candidates],
      isGathering: !ice.isGathered,
    };
  }

  get state(): IceState {
    return this.#current.state;
  }

  get isNominated(): boolean {
    return this.#current.isNominated;
  }

  /** Why nothing can be sent until ICE is restarted; undefined while all is well. */
  get failure(): IceFailure | undefined {
    return this.#failure;
  }

  /** Monotonic ms of the last sign of life. */
  get lastHeardMs(): number {
    return this.#current.lastHeardMs;
  }

  /** Of the latest consent check; undefined before there was one. */
  get roundTripMs(): number | undefined {
    return this.#current.roundTripMs;
  }

  /** The smallest round trip of the pair in use, in ms, without the time in which this process was busy; undefined before it is known. */
  get networkRoundTripMs(): number | undefined {
    return this.#current.networkRoundTripMs;
  }

  /** Bytes of `sendAll` that the network stack has not taken yet. */
  get pendingBytes(): number {
    return this.#current.pendingBytes;
  }

  /** Of the agent in use, as in `report`. */
  get selected(): string | undefined {
    return this.#current.selected;
  }

  /** As in `report`. */
  get troubles(): readonly string[] {
    return this.#newest.troubles;
  }

  /** As in `report`. */
  get checksReceived(): number {
    return this.#newest.checksReceived;
  }

  get report(): IceReport {
    return { ...this.#newest.report, restarts: this.#restarts };
  }

  /** Starts the checks. */
  connect(remote: RemoteTransport, { controlling }: { readonly controlling: boolean }): void {
    this.#isControlling = controlling;
    this.#current.connect(remote, { controlling });
  }

  /** A candidate of the other side, undefined: no more; passed over where `ufrag` names an ICE generation that is not there. */
  addCandidate(candidate: RemoteCandidate | SkippedCandidate | undefined, ufrag?: string): void {
    const agents = [this.#newest, this.#current];
    // One that has not been told yet to whom it belongs waits with the agent that does not know its peer yet.
    const ice =
      ufrag === undefined
        ? agents[0]
        : (agents.find((agent) => agent.remoteUfrag === ufrag) ?? agents.find((agent) => agent.remoteUfrag === undefined));
    if (!ice) return;
    if (candidate) ice.addRemoteCandidate(candidate);
    else ice.endOfCandidates();
  }

  /**
   * Opens the agent of a restart, which changes nothing yet. Call the returned function once: with true the restart
   * begins, `local` tells of it, `connectRestart` starts its checks, and one that was begun before is given up; with
   * false it is dropped.
   */
  async openRestart(): Promise<(begins: boolean) => void> {
    const { lookUpAddresses } = this.#options;
    const next = this.#makeAgent(lookUpAddresses && { ...this.#options, addresses: lookUpAddresses() });
    await next.open();
    return (begins) => {
      if (!begins || this.#isClosed) return this.#retire(next);
      this.cancelRestart();
      this.#next = next;
      // What it found while it was opened is in `local`. Its end is told when the restart has begun on every transport.
      if (next.isGathered) queueMicrotask(() => this.#tell(next, undefined));
    };
  }

  /** Gives up a restart that was begun; what is in use stays. */
  cancelRestart(): void {
    if (this.#next) this.#retire(this.#next);
    this.#next = undefined;
  }

  /** Starts the checks of the restart that was opened. */
  connectRestart(remote: IceRemote): void {
    this.#events.step('ice restart');
    this.#next?.connect(remote, { controlling: this.#isControlling });
  }

  /** Sends one datagram; dropped before a pair is nominated. */
  send(data: Buffer): void {
    this.#current.send(data);
  }

  /** Sends the datagrams of `slab` (`IceSocket.sendAll`). */
  sendAll(slab: Buffer, ends: readonly number[], done: () => void): void {
    this.#current.sendAll(slab, ends, done);
  }

  /** Checks the pair in use, at once; nothing before there is one. @param id told with the answer */
  checkPath(id: number): void {
    this.#current.checkPath(id);
  }

  /** Afterwards the sockets are gone. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.cancelRestart();
      this.#retire(this.#current);
    }
    await Promise.all(this.#retiring);
  }

  get #newest(): IceAgent {
    return this.#next ?? this.#current;
  }

  #retire(ice: IceAgent): void {
    const closed = ice
      .close()
      .catch((error: unknown) => this.#logger.debug({ err: error }, 'ice agent did not close cleanly'))
      .finally(() => this.#retiring.delete(closed));
    this.#retiring.add(closed);
  }

  #makeAgent(options = this.#options): IceAgent {
    const events: IceAgentEvents = {
      data: (data) => this.#events.data(data),
      candidate: (candidate) => this.#tell(agent, candidate),
      gathered: () => this.#tell(agent, undefined),
      nominated: () => this.#nominated(agent),
      moved: () => {
        if (agent === this.#current && !this.#isClosed) this.#events.moved();
      },
      failed: (failure) => this.#failed(agent, failure),
      checkedPath: (answer) => {
        if (agent === this.#current && !this.#isClosed) this.#events.checkedPath(answer);
      },
    };
    const agent = new IceAgent(options, events, this);
    return agent;
  }

  /** Of an agent that is not in use yet, or not any more, nobody is told. */
  #tell(agent: IceAgent, candidate: string | undefined): void {
    if (agent === this.#newest && !this.#isClosed) this.#events.candidate(candidate, agent.localUfrag);
  }

  #nominated(ice: IceAgent): void {
    if (this.#isClosed) return;
    if (ice === this.#next) {
      const before = this.#current;
      this.#current = ice;
      this.#next = undefined;
      this.#restarts++;
      this.#failure = undefined;
      this.#events.step('ice restarted');
      this.#retire(before);
    } else this.#events.step('ice connected');
    this.#events.nominated();
  }

  /** What works is kept: a restart that fails is given up, and a connection that failed may be restarted. */
  #failed(ice: IceAgent, failure: IceFailure): void {
    if (this.#isClosed) return;
    if (ice === this.#next) {
      this.cancelRestart();
      this.#events.step('ice restart failed');
    } else if (ice === this.#current) {
      this.#failure = failure;
      this.#events.step(failure === 'checks-failed' ? 'ice failed' : 'consent expired');
    }
    if (this.#failure && !this.#next) this.#events.failed();
  }
}
