/**
 * One ICE agent on our own sockets. Connectivity checks are authenticated before they are answered, other
 * datagrams are taken from addresses that passed one alone, and nothing is sent to anybody but the peer (and to the
 * STUN servers that the configuration names).
 */
import { randomBytes } from 'node:crypto';
import { classes, candidateFoundation, candidatePriority, Candidate, CandidatePairState, type CandidatePair, parseMessage, RTCIceGatherer, RTCIceTransport, serverReflexiveCandidate, StunProtocol } from 'werift';
import { delay, type Clock } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { ResourceLedger } from '../resources.js';
import type { HostAddress } from './host-addresses.js';
import type { RemoteTransport } from './sdp.js';
import { UdpSocket } from './udp-socket.js';
import { iceInternals, pairInternals, stunInternals, type IceInternals } from './werift-internals.js';

export interface IceOptions {
  readonly addresses: readonly HostAddress[];
  readonly portRange: readonly [number, number] | undefined;
  /** `stun:host:port`; empty: none is asked. */
  readonly stunUrls: readonly string[];
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
}

export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

/** When a client that found every port in use may try again. */
const RETRY_AFTER_S = 5;
/** Addresses that one client may send from. */
const MAX_PROVEN = 32;
/** How long a STUN server may take before the answer goes out without its candidate. */
const STUN_TIMEOUT_MS = 1000;
/**
 * Pairs that are checked (RFC 8445 §6.1.2.5): who knows the credentials could name any number of addresses by
 * sending from them, and each would be sent checks.
 */
const MAX_PAIRS = 100;
/** Checks of one pair whose repetitions are still recognized. */
const MAX_REMEMBERED_CHECKS = 64;

export class IceEndpoint {
  readonly transport: RTCIceTransport;
  /** `candidate:...` lines of the answer. */
  readonly candidates: string[] = [];
  /** Called once a pair is nominated: from then on data can be sent. */
  onNominated: () => void = () => undefined;
  /** Called when no pair works, or consent to send expired (RFC 7675). */
  onFailed: () => void = () => undefined;
  /** DTLS, SRTP and SRTCP from the peer. */
  onData: (data: Buffer) => void = () => undefined;
  readonly #ice: IceInternals;
  readonly #clock: Clock;
  readonly #sockets = new Map<StunProtocol, UdpSocket>();
  #remote: { readonly socket: UdpSocket; readonly host: string; readonly port: number } | undefined;
  /** Addresses whose checks were authentic, the latest ones. */
  readonly #proven = new Set<string>();
  /** Where the controlling side asked last to be sent to. */
  #nominationWish: { readonly protocol: StunProtocol; readonly host: string; readonly port: number } | undefined;
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
    this.#ice.send = (data) => {
      this.send(data);
      return Promise.resolve();
    };
    const checkComplete = this.#ice.checkComplete.bind(this.#ice);
    this.#ice.checkComplete = (pair) => {
      checkComplete(pair);
      this.#followNomination();
    };
    this.transport.onStateChange.subscribe((state) => {
      if (state === 'failed') this.onFailed();
    });
  }

  /**
   * Binds the sockets and gathers every candidate there will be.
   * @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound.
   */
  static async open(options: IceOptions): Promise<IceEndpoint> {
    const endpoint = new IceEndpoint(options.clock);
    const opened = await Promise.allSettled(options.addresses.map((address, i) => endpoint.#openSocket(options, address, i)));
    const errors = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (endpoint.#sockets.size === 0) {
      await endpoint.close();
      throw unboundError(options, errors[0]);
    }
    if (options.stunUrls.length > 0) await endpoint.#queryStunServers(options);
    endpoint.#ice.localCandidatesStart = true;
    endpoint.#ice.localCandidatesEnd = true;
    return endpoint;
  }

  get localUfrag(): string {
    return this.#ice.localUsername;
  }

  get localPassword(): string {
    return this.#ice.localPassword;
  }

  get state(): IceState {
    return this.transport.state;
  }

  /** Monotonic ms of the last authentic check, answer or datagram from the peer; the opening before there was one. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Bytes of `sendAll` that the operating system has not taken yet. */
  get pendingBytes(): number {
    return this.#remote?.socket.pendingBytes ?? 0;
  }

  /** Round trip of the latest consent check in ms; undefined before there was one. */
  get roundTripMs(): number | undefined {
    const rtt = this.#ice.nominated?.rtt;
    return rtt === undefined ? undefined : rtt * 1000;
  }

  /** Starts the connectivity checks. */
  connect(remote: RemoteTransport): void {
    const { connection } = this.transport;
    connection.setRemoteParams({ iceLite: remote.iceLite, usernameFragment: remote.iceUfrag, password: remote.icePassword });
    // The offerer controls, unless it is a lite agent (RFC 8445 §6.1.1).
    this.#ice.iceControlling = remote.iceLite;
    for (const { foundation, priority, address, port, type } of remote.candidates) {
      void connection.addRemoteCandidate(new Candidate(foundation, 1, 'udp', priority, address, port, type)); // resolves at once for an IP literal
    }
    // The failure is told by the state; after `close` it says nothing.
    this.transport.start().catch(() => undefined);
  }

  /** Sends one datagram to the nominated address; dropped before there is one. */
  send(data: Buffer): void {
    if (this.#mayNotSend()) return;
    this.#remote?.socket.send(data, this.#remote.host, this.#remote.port);
  }

  /** Sends the datagrams of `slab` (`UdpSocket.sendAll`) to the nominated address. */
  sendAll(slab: Buffer, ends: readonly number[], done: () => void): void {
    if (!this.#remote || this.#mayNotSend()) return done();
    this.#remote.socket.sendAll(slab, ends, this.#remote.host, this.#remote.port, done);
  }

  /** Idempotent. Afterwards the sockets are gone. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.onDatagram = () => undefined;
    await this.transport.stop();
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
  }

  #mayNotSend(): boolean {
    return this.#isClosed || this.#ice.state === 'failed' || this.#ice.state === 'closed';
  }

  async #openSocket(options: IceOptions, address: HostAddress, order: number): Promise<void> {
    const socket = await UdpSocket.open({ address: address.bind, family: address.family, portRange: options.portRange, ledger: options.ledger });
    const protocol = new StunProtocol();
    this.#sockets.set(protocol, socket);
    const stun = stunInternals(protocol);
    stun.transport = {
      get closed() {
        return socket.isClosed;
      },
      address: { address: address.bind, port: socket.port },
      addressFamily: address.family,
      send: (data, [host, port]) => {
        socket.send(data, host, port);
        return Promise.resolve();
      },
      close: () => socket.close(),
    };
    protocol.localIp = address.advertise;
    const priority = candidatePriority('host', { localPreference: 65_535 - order });
    const foundation = candidateFoundation('host', 'udp', address.advertise);
    protocol.localCandidate = new Candidate(foundation, 1, 'udp', priority, address.advertise, socket.port, 'host', undefined, undefined, undefined, this.#ice.generation, this.#ice.localUsername);
    socket.onDatagram = (data, host, port) => this.#receive(protocol, socket, data, host, port);
    this.#ice.ensureProtocol(protocol);
    this.#ice.protocols.push(protocol);
    this.#ice.appendLocalCandidate(protocol.localCandidate);
    this.candidates.push(`candidate:${foundation} 1 udp ${priority} ${address.advertise} ${socket.port} typ host`);
  }

  /** Server-reflexive candidates (RFC 8445 §5.1.1.2) of the IPv4 sockets; a server that does not answer is passed over. */
  async #queryStunServers({ addresses, stunUrls, clock }: IceOptions): Promise<void> {
    const server = stunServerOf(stunUrls[0] ?? '');
    if (!server) return;
    const reachable = new Set(addresses.filter(({ family, loopback }) => family === 4 && !loopback).map(({ advertise }) => advertise));
    const done = new AbortController();
    const queries = [...this.#sockets.keys()].filter(({ localIp }) => localIp !== undefined && reachable.has(localIp)).map(async (protocol) => {
      const candidate = await serverReflexiveCandidate(protocol, server);
      if (!candidate || done.signal.aborted) return;
      const { foundation, priority, host, port, relatedAddress, relatedPort } = candidate;
      this.candidates.push(`candidate:${foundation} 1 udp ${priority} ${host} ${port} typ srflx raddr ${relatedAddress ?? '0.0.0.0'} rport ${relatedPort ?? 9}`);
    });
    await Promise.race([Promise.allSettled(queries), delay(clock, STUN_TIMEOUT_MS, done.signal)]);
    done.abort();
  }

  #receive(protocol: StunProtocol, socket: UdpSocket, data: Buffer, host: string, port: number): void {
    const first = data[0];
    if (first === undefined) return;
    try {
      if (first < 4) this.#receiveStun(protocol, data, [host, port]);
      else if (this.#isPeer(socket, host, port)) {
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
  #isPeer(socket: UdpSocket, host: string, port: number): boolean {
    const isNominated = this.#remote?.socket === socket && this.#remote.port === port && this.#remote.host === host;
    return isNominated || this.#proven.has(`${host} ${port}`);
  }

  /** The oldest gives way: a client that keeps moving is still heard. */
  #prove(address: string): void {
    this.#proven.delete(address);
    this.#proven.add(address);
    const [oldest] = this.#proven;
    if (this.#proven.size > MAX_PROVEN && oldest !== undefined) this.#proven.delete(oldest);
  }

  /** Requests must carry our credentials (RFC 8445 §7.3); werift itself authenticates the answers to ours. */
  #receiveStun(protocol: StunProtocol, data: Buffer, address: readonly [string, number]): void {
    const message = parseMessage(data);
    if (!message) return;
    const stun = stunInternals(protocol);
    if (message.messageClass !== classes.REQUEST) {
      if (message.messageClass === classes.RESPONSE) this.#heardFrom(address);
      stun.datagramReceived(data, address);
      this.#followNomination();
      return;
    }
    const username: unknown = message.attributesKeys.includes('USERNAME') ? message.getAttributeValue('USERNAME') : undefined;
    const expected = `${this.#ice.localUsername}:${this.#ice.remoteUsername}`;
    const isForUs = this.#ice.remoteUsername === '' ? String(username).startsWith(`${this.#ice.localUsername}:`) : username === expected;
    if (!isForUs || !message.attributesKeys.includes('MESSAGE-INTEGRITY')) return;
    const authentic = parseMessage(data, Buffer.from(this.#ice.localPassword, 'utf8'));
    if (!authentic) return;
    const pair = this.#pairOf(protocol, address);
    if (pair) forgetOldChecks(pair);
    else if (this.transport.connection.candidatePairs.length >= MAX_PAIRS) return;
    this.#lastHeardMs = this.#clock.now();
    this.#prove(address.join(' '));
    if (authentic.attributesKeys.includes('USE-CANDIDATE')) this.#nominationWish = { protocol, host: address[0], port: address[1] };
    stun.onRequestReceived.execute(authentic, address, data);
    this.#followNomination();
  }

  #pairOf(protocol: StunProtocol, [host, port]: readonly [string, number]): CandidatePair | undefined {
    return this.transport.connection.candidatePairs.find((pair) => pair.protocol === protocol && pair.remoteAddr[0] === host && pair.remoteAddr[1] === port);
  }

  #heardFrom([host, port]: readonly [string, number]): void {
    if (this.#remote?.host === host && this.#remote.port === port) this.#lastHeardMs = this.#clock.now();
  }

  /**
   * The controlling side may move to another pair, or from another address (RFC 8445 §8.1.1); the library would
   * stay with the first. Followed only once a check of ours was answered there: nobody else can be made the target.
   */
  #followWish(): void {
    const wish = this.#nominationWish;
    if (!wish || !this.#ice.nominated || this.#ice.iceControlling) return;
    const pair = this.#pairOf(wish.protocol, [wish.host, wish.port]);
    if (pair?.state === CandidatePairState.SUCCEEDED) this.#ice.nominated = pair;
  }

  #followNomination(): void {
    this.#followWish();
    const pair = this.#ice.nominated;
    if (!pair || this.#isClosed) return;
    const socket = [...this.#sockets].find(([protocol]) => protocol === pair.protocol)?.[1];
    const [host, port] = pair.remoteAddr;
    if (!socket || (this.#remote?.socket === socket && this.#remote.host === host && this.#remote.port === port)) return;
    const isFirst = this.#remote === undefined;
    this.#remote = { socket, host, port };
    if (isFirst) this.onNominated();
  }
}

/** The library keeps the id of every check, one each few seconds for as long as the session lives. */
function forgetOldChecks(pair: CandidatePair): void {
  const { requestTransactionIds } = pairInternals(pair);
  if (requestTransactionIds.size >= MAX_REMEMBERED_CHECKS) requestTransactionIds.clear();
}

function unboundError({ portRange }: IceOptions, cause: unknown): Error {
  if (portRange && (cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE') {
    return new MediaPeerError('CAPACITY_REACHED', `all UDP ports from ${portRange[0]} to ${portRange[1]} are in use`, { cause, retryAfterS: RETRY_AFTER_S });
  }
  return new Error('no UDP socket could be bound for ICE', { cause });
}

function stunServerOf(url: string): [string, number] | undefined {
  const match = /^stun:(?:\[([0-9a-fA-F:]+)\]|([^:?]+))(?::([0-9]+))?/.exec(url);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? undefined : [host, Number(match?.[3] ?? 3478)];
}
