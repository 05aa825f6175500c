/**
 * werift's ICE as a checklist (RFC 8445 §6.1.2): it pairs candidates, runs the connectivity checks, repairs role
 * conflicts and keeps consent fresh (RFC 7675). Sockets, gathering, the authentication of checks and the choice of the
 * pair in use are ours. The only file that knows how werift holds all that; `assertChecklistShape` fails at start where
 * another version lacks something of it.
 *
 * - werift gathers on sockets of its own, which crash the process on a bind error and answer anybody: so its protocols
 *   are made here, and entered the way its `getCandidatePromises` does.
 * - Without a STUN server it asks a public one, hence `stunServer` is wiped.
 * - A pair becomes nominated in `checkComplete`; `connect` notices up to 20 ms later.
 */
import { randomBytes } from 'node:crypto';
import { Candidate, type CandidatePair, CandidatePairState, Connection, StunProtocol } from 'werift';
import type { RemoteCandidate, RemoteTransport } from '../sdp/parse.js';
import { candidateNumbers, type LocalCandidate } from './candidates.js';
import { RoundTrips } from './round-trips.js';
import type { IceSocket } from './socket.js';
import { assertShape } from './werift-shape.js';
import { attributeOf, authenticated, classes, methods, StunMessage } from './werift-stun.js';

/** As in the W3C's RTCIceTransportState. */
export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

/** An IP address and a port. */
export type Address = readonly [host: string, port: number];

/** One socket of an agent, and the host or relayed candidate that its checks are paired by. */
export interface IcePath {
  /** What datagrams leave by. */
  readonly socket: IceSocket;
  /** What the peer is told of the socket. */
  readonly candidate: LocalCandidate;
  /** The socket as the checks see it: what they send goes out by it, and nothing comes in by itself. */
  readonly protocol: StunProtocol;
  /** Of checks, by the address that was checked. */
  readonly roundTrips: Map<string, RoundTrips>;
}

/** The states of a pair (RFC 8445 §6.1.2.6). */
export type PairState = 'frozen' | 'waiting' | 'in-progress' | 'succeeded' | 'failed';

/** A local and a remote candidate, and what the checks between them found. */
export type CheckedPair = CandidatePair;

/** Either end of a pair. */
export type PairedCandidate = Pick<Candidate, 'type' | 'transport' | 'host' | 'port'>;

/** What the checks find out. */
export interface ChecklistEvents {
  /** A check has ended: a pair may be nominated now. */
  checked(): void;
  /** No pair works, or consent has expired. Never after `close`. */
  failed(): void;
}

/** What is used beyond the public types. */
interface ConnectionInternals {
  stunServer: unknown;
  protocols: StunProtocol[];
  localCandidatesStart: boolean;
  checkComplete(pair: CandidatePair): void;
  ensureProtocol(protocol: StunProtocol): void;
  pairLocalProtocol(protocol: StunProtocol): void;
  appendLocalCandidate(candidate: Candidate): void;
  buildRequest(init: {
    readonly nominate: boolean;
    readonly remoteUsername: string;
    readonly localUsername: string;
    readonly iceControlling: boolean;
    readonly localCandidate: Candidate | undefined;
  }): StunMessage;
}

interface ProtocolInternals {
  transport: {
    readonly closed: boolean;
    readonly address: { readonly address: string; readonly port: number };
    /** 0: both. */
    readonly addressFamily: 0 | 4 | 6;
    send(data: Buffer, address: Address): Promise<void>;
    close(): Promise<void>;
  };
  datagramReceived(data: Buffer, address: Address): void;
}

interface PairInternals {
  readonly requestTransactionIds: Set<string>;
}

/** Addresses of one path whose round trips are kept: as many as are checked. */
const MAX_ADDRESSES = 100;

/** Checks of one pair whose repetitions are still recognized. */
const MAX_REMEMBERED_CHECKS = 64;

/** Binding requests and their answers (RFC 8489 §5). */
const [CHECK, ANSWER] = [0x0001, 0x0101];

const PAIR_STATES: Readonly<Record<CandidatePairState, PairState>> = {
  [CandidatePairState.FROZEN]: 'frozen',
  [CandidatePairState.WAITING]: 'waiting',
  [CandidatePairState.IN_PROGRESS]: 'in-progress',
  [CandidatePairState.SUCCEEDED]: 'succeeded',
  [CandidatePairState.FAILED]: 'failed',
};

/** The candidate pairs of one agent. */
export class Checklist {
  /** 48 bits of randomness: at least 24 (RFC 8445 §5.3), and werift's own has 16. */
  readonly localUfrag = randomBytes(6).toString('base64');
  /** 144 bits of randomness: at least 128, and werift's own has 88. */
  readonly localPassword = randomBytes(18).toString('base64');
  readonly #connection = new Connection(false);
  readonly #internals = this.#connection as unknown as ConnectionInternals;
  readonly #events: ChecklistEvents;
  #state: IceState = 'new';

  constructor(events: ChecklistEvents) {
    this.#events = events;
    this.#internals.stunServer = undefined;
    this.#connection.localUsername = this.localUfrag;
    this.#connection.localPassword = this.localPassword;
    // Candidates may come at any time: werift is not told that there are no more.
    this.#internals.localCandidatesStart = true;
    const checkComplete = this.#internals.checkComplete.bind(this.#connection);
    this.#internals.checkComplete = (pair) => {
      checkComplete(pair);
      events.checked();
    };
    this.#connection.stateChanged.subscribe((state) => this.#setState(state));
  }

  get state(): IceState {
    return this.#state;
  }

  /** Empty before `setRemote`. */
  get remoteUfrag(): string {
    return this.#connection.remoteUsername;
  }

  /** Of this side (RFC 8445 §6.1.1); a role conflict may change it. */
  get isControlling(): boolean {
    return this.#connection.iceControlling;
  }

  /** In the order of their priorities. */
  get pairs(): readonly CheckedPair[] {
    return this.#connection.checkList;
  }

  /** The pair whose consent is kept fresh; undefined before the first nomination, and after `close`. */
  get nominated(): CheckedPair | undefined {
    return this.#connection.nominated;
  }

  /** Moves to another pair. */
  nominate(pair: CheckedPair): void {
    this.#connection.nominated = pair;
  }

  /** False where the peer does not agree to be sent to any more (RFC 7675), and after `close`. */
  get maySend(): boolean {
    return this.#connection.state !== 'failed' && this.#connection.state !== 'closed';
  }

  /** Enters a socket: it is paired with the peer's candidates, also with those that came before it. */
  addPath(socket: IceSocket, candidate: LocalCandidate): IcePath {
    const protocol = new StunProtocol();
    const roundTrips = new Map<string, RoundTrips>();
    internalsOf(protocol).transport = {
      get closed() {
        return socket.isClosed;
      },
      address: { address: candidate.address, port: candidate.port },
      // By TCP the client comes to us, from whatever address.
      addressFamily: candidate.transport === 'tcp' ? 0 : candidate.address.includes(':') ? 6 : 4,
      send: (data, [host, port]) => {
        const question = nameOfCheck(data, CHECK);
        if (question !== undefined) roundTripsOf(roundTrips, host, port)?.asked(question);
        socket.send(data, host, port);
        return Promise.resolve();
      },
      close: () => socket.close(),
    };
    protocol.localIp = candidate.address;
    protocol.localCandidate = this.#pairedCandidate(candidate);
    this.#internals.ensureProtocol(protocol);
    this.#internals.protocols.push(protocol);
    this.#internals.appendLocalCandidate(protocol.localCandidate);
    this.#internals.pairLocalProtocol(protocol);
    return { socket, candidate, protocol, roundTrips };
  }

  /** Whom to check, and with which credentials; before `start`. */
  setRemote(
    remote: Pick<RemoteTransport, 'iceUfrag' | 'icePassword' | 'iceLite'>,
    { controlling }: { readonly controlling: boolean },
  ): void {
    this.#connection.setRemoteParams({
      iceLite: remote.iceLite,
      usernameFragment: remote.iceUfrag,
      password: remote.icePassword,
    });
    this.#connection.iceControlling = controlling;
  }

  /** A candidate of the peer. */
  addRemoteCandidate({ foundation, priority, address, port, type }: RemoteCandidate): void {
    // It resolves at once for an IP literal.
    void this.#connection.addRemoteCandidate(new Candidate(foundation, 1, 'udp', priority, address, port, type));
  }

  /** Checks the pairs, and those that are added later. */
  start(): void {
    this.#setState('checking');
    this.#connection.connect().catch(() => this.#setState('failed'));
  }

  /** Takes the answer to a check of ours; one that is not authentic is passed over. */
  receiveAnswer(path: IcePath, data: Buffer, address: Address): void {
    const answer = nameOfCheck(data, ANSWER);
    if (answer !== undefined) path.roundTrips.get(address.join(' '))?.answered(answer);
    internalsOf(path.protocol).datagramReceived(data, address);
  }

  /** A check of a path as consent is asked for, beside those of the list: its answer changes nothing. */
  makeCheck({ protocol }: IcePath): { readonly name: string; readonly data: Buffer } {
    const { remoteUsername, localUsername, iceControlling } = this.#connection;
    const { localCandidate } = protocol;
    const request = this.#internals.buildRequest({ nominate: false, remoteUsername, localUsername, iceControlling, localCandidate });
    const data = request.addMessageIntegrity(this.#remotePassword).addFingerprint().bytes;
    return { name: nameOf(data), data };
  }

  /** Names what an answer is to, as `makeCheck` does. @param data a STUN message */
  nameOfAnswer(data: Buffer): string {
    return nameOf(data);
  }

  /** It comes from the peer. @throws Error where it is malformed */
  isAuthentic(data: Buffer): boolean {
    return authenticated(data, this.#remotePassword) !== undefined;
  }

  /** Answers an authenticated check of the peer, and checks the way back. */
  receiveCheck(path: IcePath, check: StunMessage, data: Buffer, address: Address): void {
    const pair = this.pairOf(path, address);
    if (pair) forgetOldChecks(pair);
    path.protocol.onRequestReceived.execute(check, address, data);
  }

  /** The pair of a path and an address of the peer. */
  pairOf({ protocol }: IcePath, [host, port]: Address): CheckedPair | undefined {
    return this.pairs.find((pair) => pair.protocol === protocol && pair.remoteAddr[0] === host && pair.remoteAddr[1] === port);
  }

  /** Ends the checks and closes the sockets of all paths. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#connection.close();
  }

  get #remotePassword(): Buffer {
    return Buffer.from(this.#connection.remotePassword, 'utf8');
  }

  #setState(state: IceState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    if (state === 'failed') this.#events.failed();
  }

  #pairedCandidate(candidate: LocalCandidate): Candidate {
    const { foundation, priority } = candidateNumbers(candidate);
    const { transport, address, port, type, related } = candidate;
    const tcpType = transport === 'tcp' ? 'passive' : undefined;
    const { generation } = this.#connection;
    return new Candidate(
      foundation,
      1,
      transport,
      priority,
      address,
      port,
      type,
      related?.address,
      related?.port,
      tcpType,
      generation,
      this.localUfrag,
    );
  }
}

/** What the checks of a pair have found so far. */
export function pairState(pair: CheckedPair): PairState {
  return PAIR_STATES[pair.state];
}

/**
 * Asks a STUN server which address it sees a path come from.
 * @throws Error where it does not answer, or not with an address.
 */
export async function reflectedAddress(path: IcePath, server: Address): Promise<Address> {
  const [response] = await path.protocol.request(new StunMessage(methods.BINDING, classes.REQUEST), server);
  const mapped = attributeOf(response, 'XOR-MAPPED-ADDRESS');
  if (!Array.isArray(mapped)) throw new Error('the answer has no address');
  return mapped as [string, number];
}

/** @throws AssertionError naming what this version of werift lacks. */
export function assertChecklistShape(): void {
  const connection = new Connection(false);
  assertShape('Connection', connection, {
    methods: [
      'checkComplete',
      'ensureProtocol',
      'pairLocalProtocol',
      'appendLocalCandidate',
      'connect',
      'setRemoteParams',
      'buildRequest',
      'close',
    ],
    fields: [
      'stunServer',
      'protocols',
      'checkList',
      'nominated',
      'localCandidatesStart',
      'localUsername',
      'localPassword',
      'remoteUsername',
      'remotePassword',
    ],
  });
  const protocol = new StunProtocol();
  assertShape('StunProtocol', protocol, {
    methods: ['datagramReceived', 'request'],
    fields: ['transport', 'localIp', 'onRequestReceived'],
  });
}

function internalsOf(protocol: StunProtocol): ProtocolInternals {
  return protocol as unknown as ProtocolInternals;
}

/** Names a check, and the answer to it: by its transaction. Undefined where the datagram is of another type. */
function nameOfCheck(data: Buffer, type: number): string | undefined {
  return data.length >= 20 && data.readUInt16BE(0) === type ? nameOf(data) : undefined;
}

function nameOf(data: Buffer): string {
  return data.toString('latin1', 8, 20);
}

/** Undefined where there are too many addresses already. */
function roundTripsOf(known: Map<string, RoundTrips>, host: string, port: number): RoundTrips | undefined {
  const key = `${host} ${port}`;
  const roundTrips = known.get(key) ?? (known.size < MAX_ADDRESSES ? new RoundTrips() : undefined);
  if (roundTrips) known.set(key, roundTrips);
  return roundTrips;
}

/** werift keeps the id of every check of the peer, one each few seconds for as long as the session lives. */
function forgetOldChecks(pair: CheckedPair): void {
  const { requestTransactionIds } = pair as unknown as PairInternals;
  if (requestTransactionIds.size >= MAX_REMEMBERED_CHECKS) requestTransactionIds.clear();
}
