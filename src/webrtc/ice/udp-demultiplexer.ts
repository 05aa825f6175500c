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

/** Who gets what comes from an address. */
interface Sharing {
  /** Who was checked from there last comes last. */
  readonly agents: readonly SharedUdpSocket[];
  /** The newest of each transport. */
  readonly newest: readonly SharedUdpSocket[];
}

/** By the peer's port, then by its host: a key made of both would be another string for each datagram. */
type AddressTable = Map<number, Map<string, Sharing>>;

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
  readonly #byAddress: AddressTable = new Map();
  #unrouted = 0;

  constructor(socket: UdpSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get socket(): UdpSocket {
    return this.#socket;
  }

  get counts(): SharedCounts {
    return {
      agents: this.#byUfrag.size,
      transactions: this.#byTransaction.size,
      addresses: [...this.#byAddress.values()].reduce((sum, hosts) => sum + hosts.size, 0),
    };
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
    if (first !== undefined && first < 4) {
      const agent = this.#agentOf(data);
      if (agent) return agent.receive(data, host, port);
    } else if (first !== undefined) {
      const sharing = this.#byAddress.get(port)?.get(host);
      if (sharing) {
        for (const agent of sharing.newest) agent.receive(data, host, port);
        return;
      }
    }
    this.#unrouted++;
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
  readonly byAddress: AddressTable;
  left(): void;
}

/** One agent's part of a shared socket. */
class SharedUdpSocket extends IceUdpSocket {
  readonly #agent: SharingAgent;
  readonly #tables: SharedTables;
  /** Monotonic ms of each check that was sent, the oldest first. */
  readonly #asked = new Map<string, number>();
  /** Addresses that authentic checks came from, by their text, the latest last. */
  readonly #claimed = new Map<string, { readonly host: string; readonly port: number }>();

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
    const { byAddress } = this.#tables;
    this.#disclaim(host, port);
    this.#claimed.set(`${host} ${port}`, { host, port });
    const agents = [...(byAddress.get(port)?.get(host)?.agents ?? []), this];
    setSharing(byAddress, host, port, agents);
    const [longestAgo] = agents;
    if (longestAgo && agents.length > MAX_SHARING) longestAgo.#disclaim(host, port);
    const [oldest] = this.#claimed.values();
    if (this.#claimed.size > MAX_ADDRESSES && oldest) this.#disclaim(oldest.host, oldest.port);
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

  #disclaim(host: string, port: number): void {
    if (!this.#claimed.delete(`${host} ${port}`)) return;
    const { byAddress } = this.#tables;
    const agents = byAddress.get(port)?.get(host)?.agents ?? [];
    setSharing(
      byAddress,
      host,
      port,
      agents.filter((agent) => agent !== this),
    );
  }

  #leave(): Promise<void> {
    for (const transaction of this.#asked.keys()) this.#tables.byTransaction.delete(transaction);
    for (const { host, port } of [...this.#claimed.values()]) this.#disclaim(host, port);
    this.#asked.clear();
    this.#tables.left();
    return Promise.resolve();
  }
}

function setSharing(table: AddressTable, host: string, port: number, agents: readonly SharedUdpSocket[]): void {
  const hosts = table.get(port) ?? new Map<string, Sharing>();
  if (agents.length > 0) hosts.set(host, { agents, newest: newestOfEach(agents) });
  else hosts.delete(host);
  if (hosts.size > 0) table.set(port, hosts);
  else table.delete(port);
}

/** The newest agent of each transport. */
function newestOfEach(agents: readonly SharedUdpSocket[]): readonly SharedUdpSocket[] {
  return [...new Map(agents.map((agent) => [agent.transport, agent])).values()];
}
