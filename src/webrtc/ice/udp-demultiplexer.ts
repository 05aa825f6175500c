/**
 * Tells for which agent a datagram of a shared UDP socket is. Checks name their agent, answers the check that they
 * answer; everything else goes by the address that it comes from, which an agent claims once an authentic check came
 * from there, or it sends there itself. What is for nobody is dropped without an answer.
 *
 * Several agents may claim one address: both generations of an ICE restart, transports of a session that is not
 * bundled, a client that uses one socket for several sessions, or one that pretends to be somebody else. So each
 * transport gets what comes from there, by its newest agent: its keys tell what is its own, and nobody loses an
 * address to another one.
 */
import type { Clock } from '../../base/clock.js';
import { IceUdpSocket } from './ice-udp-socket.js';
import type { IceSocketEvents } from './socket.js';
import { requestedTransaction, stunRoute } from './stun-route.js';
import type { UdpSocket } from './udp-socket.js';

/** An agent that takes part in a shared port. */
export interface SharingAgent extends IceSocketEvents {
  /** RFC 8839 §5.4. */
  readonly localUfrag: string;
  /** The same object for all generations of ICE of one transport. */
  readonly transport: object;
}

/** What is known, all of it bounded for each agent. */
export interface SharedCounts {
  /** That take part. */
  readonly agents: number;
  /** Checks that may still be answered. */
  readonly transactions: number;
  /** From which authentic checks came. */
  readonly addresses: number;
}

/** Agents that one address may belong to: two generations for each of four transports. The one that was checked longest ago gives way. */
const MAX_SHARING = 8;
/** Addresses of one agent; likewise. */
const MAX_ADDRESSES = 32;
/** Checks of one agent whose answers are waited for: more than it has pairs. */
const MAX_TRANSACTIONS = 256;
/** Longer than a check is repeated and waited for. */
const TRANSACTION_MS = 60_000;

/** The agents of one socket. */
export class UdpDemultiplexer {
  readonly #socket: UdpSocket;
  readonly #clock: Clock;
  readonly #byUfrag = new Map<string, SharedUdpSocket>();
  readonly #byTransaction = new Map<string, SharedUdpSocket>();
  /** By the peer's address; who was checked from there last comes last. */
  readonly #byAddress = new Map<string, SharedUdpSocket[]>();
  #unrouted = 0;

  constructor(socket: UdpSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get socket(): UdpSocket {
    return this.#socket;
  }

  get counts(): SharedCounts {
    return { agents: this.#byUfrag.size, transactions: this.#byTransaction.size, addresses: this.#byAddress.size };
  }

  /** Datagrams that were for nobody, since the socket was opened. */
  get unrouted(): number {
    return this.#unrouted;
  }

  /** Takes what comes for the agent until the returned socket is closed, which leaves the shared one as it is. */
  join(agent: SharingAgent): IceUdpSocket {
    const shared = new SharedUdpSocket(this.#socket, agent, {
      now: () => this.#clock.now(),
      byTransaction: this.#byTransaction,
      byAddress: this.#byAddress,
      left: () => this.#byUfrag.delete(agent.localUfrag),
    });
    this.#byUfrag.set(agent.localUfrag, shared);
    return shared;
  }

  /** Hands a datagram to those that it is for. */
  receive(data: Buffer, host: string, port: number): void {
    const first = data[0];
    if (first === undefined || first < 4) {
      const agent = first === undefined ? undefined : this.#agentOf(data);
      if (agent) agent.receive(data, host, port);
      else this.#unrouted++;
      return;
    }
    const sharing = this.#byAddress.get(addressKey(host, port));
    if (sharing?.length === 1) sharing[0]?.receive(data, host, port);
    else if (sharing) for (const agent of newestOfEach(sharing)) agent.receive(data, host, port);
    else this.#unrouted++;
  }

  #agentOf(data: Buffer): SharedUdpSocket | undefined {
    const route = stunRoute(data);
    if (!route) return undefined;
    return route.kind === 'check' ? this.#byUfrag.get(route.ufrag) : this.#byTransaction.get(route.transactionId);
  }
}

/** What the agents of one socket have in common. */
interface SharedTables {
  now(): number;
  readonly byTransaction: Map<string, SharedUdpSocket>;
  readonly byAddress: Map<string, SharedUdpSocket[]>;
  left(): void;
}

/** One agent's part of a shared socket. */
class SharedUdpSocket extends IceUdpSocket {
  readonly #agent: SharingAgent;
  readonly #tables: SharedTables;
  /** Monotonic ms of each check that was sent, the oldest first. */
  readonly #asked = new Map<string, number>();
  /** Addresses that authentic checks came from, the latest last. */
  readonly #claimed = new Set<string>();

  constructor(socket: UdpSocket, agent: SharingAgent, tables: SharedTables) {
    super(socket, () => this.#leave());
    this.#agent = agent;
    this.#tables = tables;
  }

  get transport(): object {
    return this.#agent.transport;
  }

  receive(data: Buffer, host: string, port: number): void {
    if (!this.isClosed) this.#agent.datagram(this, data, host, port);
  }

  override send(data: Buffer, host: string, port: number): void {
    const transaction = requestedTransaction(data);
    if (transaction !== undefined && !this.isClosed) this.#ask(transaction);
    super.send(data, host, port);
  }

  claim(host: string, port: number): void {
    if (this.isClosed) return;
    const key = addressKey(host, port);
    this.#disclaim(key);
    this.#claimed.add(key);
    const { byAddress } = this.#tables;
    const sharing = byAddress.get(key) ?? [];
    sharing.push(this);
    byAddress.set(key, sharing);
    const [longestAgo] = sharing;
    if (longestAgo && sharing.length > MAX_SHARING) longestAgo.#disclaim(key);
    const [oldest] = this.#claimed;
    if (this.#claimed.size > MAX_ADDRESSES && oldest !== undefined) this.#disclaim(oldest);
  }

  #ask(transaction: string): void {
    const { byTransaction } = this.#tables;
    const nowMs = this.#tables.now();
    this.#asked.delete(transaction);
    for (const [asked, askedMs] of this.#asked) {
      if (nowMs - askedMs < TRANSACTION_MS && this.#asked.size < MAX_TRANSACTIONS) break;
      this.#asked.delete(asked);
      byTransaction.delete(asked);
    }
    this.#asked.set(transaction, nowMs);
    byTransaction.set(transaction, this);
  }

  #disclaim(key: string): void {
    if (!this.#claimed.delete(key)) return;
    const { byAddress } = this.#tables;
    const others = byAddress.get(key)?.filter((agent) => agent !== this) ?? [];
    if (others.length > 0) byAddress.set(key, others);
    else byAddress.delete(key);
  }

  #leave(): Promise<void> {
    for (const transaction of this.#asked.keys()) this.#tables.byTransaction.delete(transaction);
    for (const key of [...this.#claimed]) this.#disclaim(key);
    this.#asked.clear();
    this.#tables.left();
    return Promise.resolve();
  }
}

function addressKey(host: string, port: number): string {
  return `${host} ${port}`;
}

/** The newest agent of each transport. */
function newestOfEach(sharing: readonly SharedUdpSocket[]): SharedUdpSocket[] {
  const newest = new Map(sharing.map((agent) => [agent.transport, agent]));
  return [...newest.values()];
}
