/** How one agent uses a UDP socket, of its own or shared with others: knows what of it the socket has not sent yet. */
import type { IceSocket, IceSocketEvents } from './socket.js';
import { UdpSocket, type UdpSocketInit } from './udp-socket.js';

/** One agent's use of a UDP socket. */
export class IceUdpSocket implements IceSocket {
  readonly #socket: UdpSocket;
  readonly #release: () => Promise<void>;
  #pendingBytes = 0;
  #closed: Promise<void> | undefined;

  /** @param release called once: the agent needs the socket no more. */
  constructor(socket: UdpSocket, release: () => Promise<void>) {
    this.#socket = socket;
    this.#release = release;
  }

  /** On a socket of its own. @throws Error (code EADDRINUSE, EADDRNOTAVAIL) where no port of the range can be bound. */
  static async open(init: UdpSocketInit, events: IceSocketEvents): Promise<IceUdpSocket> {
    const socket = await UdpSocket.open(init, (data, host, port) => events.datagram(own, data, host, port));
    const own = new IceUdpSocket(socket, () => socket.close());
    return own;
  }

  get port(): number {
    return this.#socket.port;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined || this.#socket.isClosed;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  send(data: Buffer, host: string, port: number): void {
    if (!this.isClosed) this.#socket.send(data, host, port);
  }

  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void {
    const bytes = ends.at(-1) ?? 0;
    if (this.isClosed || bytes === 0) return done();
    this.#pendingBytes += bytes;
    this.#socket.sendAll(slab, ends, host, port, () => {
      this.#pendingBytes -= bytes;
      done();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }
}
