/**
 * A relayed address on a TURN server (RFC 8656), as one more socket of an ICE agent: each peer that is sent to gets a
 * channel, which is also the permission to send back. What is held is refreshed while it is used, and released when
 * the socket is closed.
 */
import net from 'node:net';
import type { Clock, Timer } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { IceSocket, IceSocketEvents } from '../socket.js';
import { TurnClient, TurnRefusal } from './client.js';
import { attributeOf, classes, methods, parseMessage, type StunMessage } from '../werift-stun.js';
import { channelData, FIRST_CHANNEL, readChannelData } from './framing.js';
import type { TurnServer } from './server.js';
import type { ConnectTurn } from './transport.js';

/** Permissions last five minutes (RFC 8656 §9). */
const PERMISSION_REFRESH_MS = 240_000;
/** Peers of one allocation: the agent's bounds on candidates and pairs keep it below that. */
const MAX_PEERS = 128;
/** Datagrams to a peer whose channel is being made. */
const MAX_WAITING = 8;
/** When a lifetime is refreshed before its end. */
const REFRESH_EARLY_MS = 60_000;
/** How long the server may take to confirm that it released the address: the session's end waits for it. */
const RELEASE_MS = 500;
const DEFAULT_LIFETIME_S = 600;
/** A server that grants less, or nothing, is not asked more often. */
const MIN_REFRESH_MS = 10_000;
/** UDP to the peer (RFC 8656 §18.8). */
const REQUESTED_UDP = 17 << 24;

type Address = readonly [host: string, port: number];

interface Peer {
  readonly address: Address;
  readonly channel: number;
  /** Monotonic ms. */
  usedMs: number;
  state: 'asked' | 'bound' | 'refused' | 'unused';
  /** What waits for the channel. */
  readonly waiting: Buffer[];
}

/** Where an allocation is reached from, and is. */
export interface TurnAddresses {
  /** The address on the TURN server. */
  readonly relayed: Address;
  /** This side, as the server sees it. */
  readonly mapped: Address;
}

/** What an allocation tells the agent that it is opened for. */
export interface TurnAllocationEvents extends IceSocketEvents {
  /** The relayed address is lost; never before `open` has resolved, nor after `close`. */
  lost(error: Error): void;
}

/** One relayed address. */
export class TurnAllocation implements IceSocket {
  readonly #events: TurnAllocationEvents;
  readonly #client: TurnClient;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();
  readonly #byChannel = new Map<number, Peer>();
  /** 4 or 6, of the relayed address; 0 before there is one. */
  #family = 0;
  #permissions: Timer | undefined;
  #refresh: Timer | undefined;
  #isClosed = false;

  /** Nothing is held before `open`. */
  constructor(server: TurnServer, clock: Clock, events: TurnAllocationEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#client = new TurnClient(server, clock, {
      message: (message) => this.#receive(message),
      lost: (error) => this.#lose(error),
    });
  }

  /**
   * Connects and asks for a relayed address, once. `signal` ends it all at once, without releasing the address. Where it
   * fails nothing is held.
   * @throws Error in words that an operator understands.
   */
  async open(connect: ConnectTurn, signal: AbortSignal): Promise<TurnAddresses> {
    signal.addEventListener('abort', () => this.#client.fail(new Error('given up')), { once: true });
    try {
      await this.#client.connect(connect);
      const answer = await this.#client.request(methods.ALLOCATE, (request) => request.setAttribute('REQUESTED-TRANSPORT', REQUESTED_UDP));
      const addresses = { relayed: addressIn(answer, 'XOR-RELAYED-ADDRESS'), mapped: addressIn(answer, 'XOR-MAPPED-ADDRESS') };
      this.#family = net.isIP(addresses.relayed[0]);
      this.#permissions = this.#clock.every(PERMISSION_REFRESH_MS, () => this.#refreshPeers());
      this.#planRefresh(answer);
      return addresses;
    } catch (error) {
      await this.#client.close(new Error('the allocation failed'));
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get pendingBytes(): number {
    return this.#client.pendingBytes;
  }

  send(data: Buffer, host: string, port: number): void {
    const peer = this.#peerOf(host, port);
    if (peer?.state === 'bound') this.#relay(peer, data, [data.length]);
    else if (peer?.state === 'asked' && peer.waiting.length < MAX_WAITING) peer.waiting.push(data);
  }

  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void {
    const peer = this.#peerOf(host, port);
    if (peer?.state === 'bound') this.#relay(peer, slab, ends);
    done();
  }

  /** Releases the relayed address. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#refresh?.cancel();
    this.#permissions?.cancel();
    // A server that does not hear it releases the address when its lifetime is over.
    await this.#client.request(methods.REFRESH, (request) => request.setAttribute('LIFETIME', 0), RELEASE_MS).catch(() => undefined);
    await this.#client.close(new Error('the allocation is closed'));
  }

  #relay(peer: Peer, slab: Buffer, ends: readonly number[]): void {
    peer.usedMs = this.#clock.now();
    const messages = channelData(peer.channel, slab, ends, this.#client.isStream);
    this.#client.send(messages.slab, messages.ends);
  }

  #peerOf(host: string, port: number): Peer | undefined {
    const key = `${host} ${port}`;
    let peer = this.#peers.get(key);
    if (this.#isClosed || net.isIP(host) !== this.#family) return undefined;
    if (!peer) {
      if (this.#peers.size >= MAX_PEERS) return undefined;
      peer = { address: [host, port], channel: FIRST_CHANNEL + this.#peers.size, usedMs: 0, state: 'unused', waiting: [] };
      this.#peers.set(key, peer);
      this.#byChannel.set(peer.channel, peer);
    }
    if (peer.state === 'unused') {
      peer.state = 'asked';
      peer.usedMs = this.#clock.now();
      void this.#bind(peer);
    }
    return peer;
  }

  async #bind(peer: Peer): Promise<void> {
    try {
      await this.#client.request(methods.CHANNEL_BIND, (request) =>
        request.setAttribute('CHANNEL-NUMBER', peer.channel).setAttribute('XOR-PEER-ADDRESS', [...peer.address]),
      );
      peer.state = 'bound';
      for (const data of peer.waiting.splice(0)) this.#relay(peer, data, [data.length]);
    } catch (error) {
      // Servers relay to no private address, and to none of their own, as they should: the checks go on without that peer.
      peer.state = error instanceof TurnRefusal && error.errorCode !== 437 ? 'refused' : 'unused';
      peer.waiting.length = 0;
    }
  }

  /** A peer that is not sent to any more loses its permission. */
  #refreshPeers(): void {
    const now = this.#clock.now();
    for (const peer of this.#peers.values()) {
      if (peer.state !== 'bound') continue;
      if (now - peer.usedMs <= PERMISSION_REFRESH_MS) void this.#bind(peer);
      else peer.state = 'unused';
    }
  }

  #planRefresh(answer: StunMessage): void {
    const seconds = Number(attributeOf(answer, 'LIFETIME') ?? DEFAULT_LIFETIME_S);
    const lifetimeMs = seconds * 1000;
    this.#refresh = this.#clock.after(Math.max(MIN_REFRESH_MS, lifetimeMs / 2, lifetimeMs - REFRESH_EARLY_MS), () => {
      this.#client
        .request(methods.REFRESH, (request) => request.setAttribute('LIFETIME', Math.max(seconds, DEFAULT_LIFETIME_S)))
        .then(
          (refreshed) => !this.#isClosed && this.#planRefresh(refreshed),
          (error: unknown) => this.#lose(new Error(`the relayed address was lost: ${messageOf(error)}`, { cause: error })),
        );
    });
  }

  #receive(message: Buffer): void {
    const relayed = readChannelData(message);
    if (relayed) {
      const peer = this.#byChannel.get(relayed.channel);
      if (peer && !this.#isClosed) this.#events.datagram(this, relayed.data, ...peer.address);
      return;
    }
    const indication = parseMessage(message);
    if (indication?.messageMethod !== methods.DATA || indication.messageClass !== classes.INDICATION || this.#isClosed) return;
    const data = attributeOf(indication, 'DATA');
    // From another port of a peer: its network gave it another address on the way to the relay.
    if (Buffer.isBuffer(data)) this.#events.datagram(this, data, ...addressIn(indication, 'XOR-PEER-ADDRESS'));
  }

  #lose(error: Error): void {
    if (this.#isClosed || this.#family === 0) return;
    this.#client.fail(error);
    this.#events.lost(error);
  }
}

function addressIn(message: StunMessage, name: 'XOR-RELAYED-ADDRESS' | 'XOR-MAPPED-ADDRESS' | 'XOR-PEER-ADDRESS'): Address {
  const value = attributeOf(message, name);
  if (!Array.isArray(value) || typeof value[0] !== 'string' || typeof value[1] !== 'number') throw new Error(`its answer has no ${name}`);
  return [value[0], value[1]];
}
