/**
 * The one UDP port of all sessions: a socket for each address that is bound, however many agents there are. A socket
 * that is bound to every address would answer from whichever the routes say, since Node.js does not tell by which
 * address a datagram came. What the machine's addresses are is looked at whenever an agent joins.
 */
import os from 'node:os';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { ResourceLedger } from '../../base/resources.js';
import { hostAddresses, isLoopback, type HostAddress } from './host-addresses.js';
import type { IceUdpSocket } from './ice-udp-socket.js';
import { ReceiveDrops } from './receive-drops.js';
import { socketPlan, type AdvertisedAddress, type PlannedSocket } from './socket-plan.js';
import { UdpDemultiplexer, type SharedCounts, type SharingAgent } from './udp-demultiplexer.js';
import { UdpSocket } from './udp-socket.js';

/** Which port, and what it is built on. */
export interface IceUdpPortInit {
  /** As for media; empty: every address of the machine. */
  readonly iceAddresses: readonly string[];
  /** 0: any free one. */
  readonly port: number;
  /** Takes another one where `port` is taken. Default false. */
  readonly mayDiffer?: boolean;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Told of addresses on which the port cannot be had later on. */
  readonly logger?: Logger;
}

/** An agent's part of one of the sockets, and the addresses by which it is reached. */
export interface JoinedSocket {
  /** The agent's own; closing it leaves the socket to the others. */
  readonly socket: IceUdpSocket;
  /** At least one. */
  readonly advertised: readonly AdvertisedAddress[];
}

/** Shared by all publishers: what ten of them send in half a second at 4 Mbit/s, with what the kernel adds to each packet. */
export const SHARED_BUFFER_BYTES = 4 * 1024 * 1024;
/** Bound to every address of the machine. */
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
/** A port that is free on one address may be taken on another. */
const MAX_PORTS_TRIED = 20;

/** The UDP port of all sessions. */
export class IceUdpPort {
  readonly port: number;
  readonly #init: IceUdpPortInit;
  /** By the address that is bound. */
  readonly #open = new Map<string, UdpDemultiplexer>();
  readonly #opening = new Map<string, Promise<UdpDemultiplexer | undefined>>();
  readonly #drops: ReceiveDrops;
  /** Of sockets that are closed. */
  #unroutedBefore = 0;
  #isClosed = false;

  private constructor(init: IceUdpPortInit, sockets: readonly UdpDemultiplexer[], port: number) {
    this.#init = init;
    this.port = port;
    this.#drops = new ReceiveDrops(port);
    for (const shared of sockets) this.#open.set(shared.socket.address, shared);
  }

  /** @throws Error (code EADDRINUSE, EACCES) where the port cannot be had on one of the addresses, or on none of them. */
  static async open(init: IceUdpPortInit): Promise<IceUdpPort> {
    for (let tried = 1; ; tried++) {
      const port = tried === 1 ? init.port : 0;
      try {
        const sockets = await openAll(init, port);
        return new IceUdpPort(init, sockets, sockets[0]?.socket.port ?? port);
      } catch (error) {
        const isFixed = init.port !== 0 && init.mayDiffer !== true;
        if (isFixed || tried >= MAX_PORTS_TRIED || codeOf(error) !== 'EADDRINUSE') throw error;
      }
    }
  }

  /**
   * Lets an agent take part on these addresses: sockets of new ones are opened, those of lost ones closed.
   * @throws Error where no socket is left.
   */
  async join(agent: SharingAgent, addresses: readonly HostAddress[]): Promise<JoinedSocket[]> {
    const plan = socketPlan(addresses);
    await this.#closeLost(plan);
    const sockets = await Promise.all(plan.map(async (planned) => (await this.#at(planned)) ?? this.#ofFamily(planned.family)));
    const advertised = new Map<UdpDemultiplexer, AdvertisedAddress[]>();
    plan.forEach((planned, i) => {
      const shared = sockets[i];
      if (shared) advertised.set(shared, [...(advertised.get(shared) ?? []), ...planned.advertised]);
    });
    if (advertised.size === 0) throw new Error(`UDP port ${this.port} cannot be had on any address`);
    return [...advertised].map(([shared, told]) => ({ socket: shared.join(agent), advertised: told }));
  }

  /** That are bound now. */
  get addresses(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** What each socket may keep to be read, in bytes, at least. */
  get receiveBufferBytes(): number {
    return Math.min(...[...this.#open.values()].map(({ socket }) => socket.receiveBufferBytes));
  }

  /** What is known at all sockets together: agents, checks that may be answered, addresses of peers. */
  get counts(): SharedCounts {
    const all = [...this.#open.values()].map(({ counts }) => counts);
    const sum = (of: (counts: SharedCounts) => number): number => all.reduce((total, counts) => total + of(counts), 0);
    return {
      agents: sum(({ agents }) => agents),
      transactions: sum(({ transactions }) => transactions),
      addresses: sum(({ addresses }) => addresses),
    };
  }

  /** Datagrams that were for nobody, since the port was opened. */
  get unrouted(): number {
    return [...this.#open.values()].reduce((sum, { unrouted }) => sum + unrouted, this.#unroutedBefore);
  }

  /** Datagrams that the system dropped because too many waited, since the port was opened; undefined where it does not tell. */
  receiveDrops(): Promise<number | undefined> {
    return this.#drops.read();
  }

  /** Idempotent; resolves when the port is free. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#opening.values());
    await Promise.all([...this.#open.values()].map(({ socket }) => socket.close()));
    this.#open.clear();
  }

  /** Undefined where it cannot be had: an address that is not ready yet, a port that another program has there. */
  #at({ bind, family }: PlannedSocket): Promise<UdpDemultiplexer | undefined> {
    const open = this.#open.get(bind);
    if (open) return Promise.resolve(open);
    const opening =
      this.#opening.get(bind) ??
      openOne(this.#init, { bind, family }, this.port)
        .then(async (shared) => {
          this.#open.set(bind, shared);
          if (this.#isClosed) await shared.socket.close();
          return shared;
        })
        .catch((error: unknown) => {
          this.#init.logger?.debug({ err: error, address: bind, port: this.port }, 'udp port not bound to an address');
          return undefined;
        })
        .finally(() => this.#opening.delete(bind));
    this.#opening.set(bind, opening);
    return opening;
  }

  /** Where every address is bound, one alone cannot be, and the other way round: what is there serves as well. */
  #ofFamily(family: 4 | 6): UdpDemultiplexer | undefined {
    return [...this.#open.values()].find(({ socket }) => socket.address.includes(':') === (family === 6));
  }

  async #closeLost(plan: readonly PlannedSocket[]): Promise<void> {
    const others = [...this.#open.keys()].filter((address) => !plan.some(({ bind }) => bind === address));
    if (others.length === 0) return;
    const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
    const lost = others.filter((other) => {
      // An address that is gone for a moment comes back, and so do those who use it.
      if (this.#open.get(other)?.counts.agents !== 0) return false;
      // One for every address stands in the way of those for one alone.
      return EVERYWHERE.has(other) || (!isLoopback(other) && !own.some(({ address }) => address === other));
    });
    await Promise.all(
      lost.map(async (address) => {
        const shared = this.#open.get(address);
        this.#open.delete(address);
        this.#unroutedBefore += shared?.unrouted ?? 0;
        await shared?.socket.close();
      }),
    );
  }
}

/** All addresses that there are, or none: one on which the port is taken would be offered in vain. */
async function openAll(init: IceUdpPortInit, wanted: number): Promise<UdpDemultiplexer[]> {
  const sockets: UdpDemultiplexer[] = [];
  let failure: unknown;
  let port = wanted;
  for (const planned of socketPlan(hostAddresses(init.iceAddresses))) {
    try {
      const shared = await openOne(init, planned, port);
      sockets.push(shared);
      port = shared.socket.port;
    } catch (error) {
      failure = error;
      // An address that is just being set up, or of a family that is switched off, is no reason not to start.
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') break;
    }
  }
  const isUsable = sockets.length > 0 && codeOf(failure) !== 'EADDRINUSE' && codeOf(failure) !== 'EACCES';
  if (isUsable) return sockets;
  await Promise.all(sockets.map(({ socket }) => socket.close()));
  throw failure instanceof Error ? failure : new Error('there is no address to listen on');
}

async function openOne(
  { clock, ledger }: IceUdpPortInit,
  { bind, family }: Pick<PlannedSocket, 'bind' | 'family'>,
  port: number,
): Promise<UdpDemultiplexer> {
  const init = { address: bind, family, portRange: [port, port], bufferBytes: SHARED_BUFFER_BYTES, ledger } as const;
  const socket = await UdpSocket.open(init, (data, host, fromPort) => shared.receive(data, host, fromPort));
  const shared = new UdpDemultiplexer(socket, clock);
  return shared;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
