/**
 * How many TCP connections the HTTP server holds. When there are too many, one that nobody waits at is closed: an idle
 * one, one whose header is not complete, or one whose body does not come. The address that has most goes first, so that
 * one address never keeps the others out; and an address may have as many as there are, since everybody behind a proxy
 * that TRUST_PROXY does not name has one. What is being answered is left alone, and so are WebSockets, which are counted
 * elsewhere.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { addressGroup } from './client-address.js';

/** How many TCP connections there may be. */
export interface HttpConnectionsInit {
  /** TCP connections that may be open at the same time. */
  readonly max: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A body that is not complete so long after its header keeps no connection on a full server; an honest one takes milliseconds. */
const BODY_MS = 1000;
/** Requests that a client may send ahead of their answers (RFC 9112 §9.3.2); browsers send one. */
const MAX_PIPELINED = 16;
/** How often a full server says so in the log. */
const LOG_PERIOD_MS = 10_000;

interface Connection {
  /** TCP. */
  readonly socket: Socket;
  readonly address: string;
  /** Address and port of the other side. */
  readonly peer: string;
  /** Since it was opened, or its last request began or ended. */
  sinceMs: number;
  /** Requests that are not answered yet. */
  readonly pending: Set<IncomingMessage>;
  isUpgraded: boolean;
}

/** The open TCP connections of the HTTP server, and which of them is closed when there are too many. */
export class HttpConnections {
  readonly #init: HttpConnectionsInit;
  readonly #connections = new Map<Socket, Connection>();
  readonly #perAddress = new Map<string, number>();
  /** What TLS speaks over a TCP connection, by that one's port. */
  readonly #byPeer = new Map<string, Connection>();
  readonly #overTls = new WeakMap<Socket, Connection>();
  #loggedMs = -Infinity;
  #closed = 0;

  constructor(init: HttpConnectionsInit) {
    this.#init = init;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** Counts the connections of a server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#add(socket));
    server.on('secureConnection', (socket: Socket) => {
      const connection = this.#byPeer.get(peerOf(socket));
      if (connection) this.#overTls.set(socket, connection);
    });
    server.on('request', (request, response) => this.#begin(request, response));
    server.on('upgrade', ({ socket }: IncomingMessage) => {
      const connection = this.#connectionOf(socket);
      if (connection) connection.isUpgraded = true;
    });
  }

  #add(socket: Socket): void {
    const address = addressGroup(socket.remoteAddress ?? '');
    const peer = peerOf(socket);
    const connection = { socket, address, peer, sinceMs: this.#init.clock.now(), pending: new Set<IncomingMessage>(), isUpgraded: false };
    this.#connections.set(socket, connection);
    this.#byPeer.set(peer, connection);
    this.#perAddress.set(address, this.#countOf(address) + 1);
    socket.once('close', () => this.#remove(socket));
    if (this.size > this.#init.max) this.#makeRoom(socket);
  }

  #remove(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    this.#connections.delete(socket);
    if (this.#byPeer.get(connection.peer) === connection) this.#byPeer.delete(connection.peer);
    const left = this.#countOf(connection.address) - 1;
    if (left > 0) this.#perAddress.set(connection.address, left);
    else this.#perAddress.delete(connection.address);
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connectionOf(request.socket);
    if (!connection) return;
    const { pending, socket } = connection;
    pending.add(request);
    connection.sinceMs = this.#init.clock.now();
    response.once('close', () => {
      pending.delete(request);
      connection.sinceMs = this.#init.clock.now();
    });
    if (pending.size > MAX_PIPELINED) socket.destroy();
  }

  /** Closes one, the newcomer where there is no other. */
  #makeRoom(newcomer: Socket): void {
    const address = this.#connections.get(newcomer)?.address ?? '';
    let leaving: Connection | undefined;
    for (const connection of this.#connections.values()) {
      if (connection.socket !== newcomer && this.#mayBeClosed(connection, address) && (!leaving || this.#goesBefore(connection, leaving)))
        leaving = connection;
    }
    const socket = leaving?.socket ?? newcomer;
    this.#remove(socket);
    socket.destroy();
    this.#tell();
  }

  #mayBeClosed({ address, pending, sinceMs, isUpgraded }: Connection, newcomer: string): boolean {
    // Nobody loses one to an address that has more.
    if (isUpgraded || this.#countOf(address) < this.#countOf(newcomer)) return false;
    if (pending.size === 0) return true;
    if (![...pending].every(({ complete }) => !complete)) return false;
    // Who has more than half of all is given no time where others want in.
    const isGreedy = address !== newcomer && this.#countOf(address) * 2 > this.#init.max;
    return isGreedy || this.#init.clock.now() - sinceMs > BODY_MS;
  }

  #connectionOf(socket: Socket): Connection | undefined {
    const connection = this.#overTls.get(socket) ?? this.#connections.get(socket);
    return connection && this.#connections.has(connection.socket) ? connection : undefined;
  }

  #countOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  #goesBefore(a: Connection, b: Connection): boolean {
    const more = this.#countOf(a.address) - this.#countOf(b.address);
    return more > 0 || (more === 0 && a.sinceMs < b.sinceMs);
  }

  #tell(): void {
    this.#closed++;
    const nowMs = this.#init.clock.now();
    if (nowMs - this.#loggedMs < LOG_PERIOD_MS) return;
    this.#loggedMs = nowMs;
    this.#init.logger.warn({ max: this.#init.max, closed: this.#closed }, 'too many HTTP connections; idle and stalled ones are closed');
    this.#closed = 0;
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
