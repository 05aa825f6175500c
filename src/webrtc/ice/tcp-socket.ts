/** The TCP connections of one ICE agent: as many as the client opened, one for each candidate that it tries. */
import type net from 'node:net';
import { framed, framedAll } from './tcp-framing.js';
import type { IceSocket, IceSocketEvents } from './socket.js';

/** A client tries each of the addresses that it is offered from each of its own, and comes back when it moved. */
const MAX_CONNECTIONS = 8;
/** What is not taken by a connection that holds this many bytes is lost, as on a network that is full. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** The TCP connections of one agent. */
export class IceTcpSocket implements IceSocket {
  readonly #events: IceSocketEvents;
  readonly #onClose: () => void;
  /** By remote address; the one that was heard last comes last. */
  readonly #connections = new Map<string, net.Socket>();
  #isClosed = false;

  /** @param onClose called once: no more connections are taken. */
  constructor(events: IceSocketEvents, onClose: () => void) {
    this.#events = events;
    this.#onClose = onClose;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get pendingBytes(): number {
    let bytes = 0;
    for (const { writableLength } of this.#connections.values()) bytes += writableLength;
    return bytes;
  }

  /** Takes an authenticated connection; the one that was silent longest gives way. */
  adopt(connection: net.Socket, host: string, port: number): void {
    if (this.#isClosed) return void connection.destroy();
    const key = `${host} ${port}`;
    this.#connections.get(key)?.destroy();
    this.#connections.set(key, connection);
    connection.once('close', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    const [silent] = this.#connections.values();
    if (this.#connections.size > MAX_CONNECTIONS) silent?.destroy();
  }

  /** A datagram came by one of the connections. */
  receive(connection: net.Socket, data: Buffer, host: string, port: number): void {
    const key = `${host} ${port}`;
    if (this.#connections.get(key) !== connection) return;
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    this.#events.datagram(this, data, host, port);
  }

  send(data: Buffer, host: string, port: number): void {
    this.#write(host, port, () => framed(data));
  }

  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void {
    this.#write(host, port, () => framedAll(slab, ends));
    done();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#onClose();
    return Promise.all([...this.#connections.values()].map(ended)).then(() => undefined);
  }

  #write(host: string, port: number, data: () => Buffer): void {
    const connection = this.#connections.get(`${host} ${port}`);
    if (connection?.writable && connection.writableLength < MAX_BUFFERED_BYTES) connection.write(data());
  }
}

/** Resolves when the connection is gone: closed where the client keeps up, cut off where it does not read. */
function ended(connection: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) return resolve();
    connection.once('close', () => resolve());
    if (connection.writableLength > 0 || !connection.writable) connection.destroy();
    else connection.end(() => connection.destroy());
  });
}
