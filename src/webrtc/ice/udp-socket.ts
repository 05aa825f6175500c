/** One bound UDP socket of a session: counted in the ledger, never throws on sending, knows what it has not sent yet. */
import dgram from 'node:dgram';
import type { ResourceLedger } from '../../base/resources.js';
import type { IceSocket, IceSocketEvents } from './socket.js';

/** What may wait to be read: a keyframe of a publisher comes in one burst, and the usual 208 KiB hold 90 packets. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** Where it is bound. */
export interface UdpSocketInit {
  /** The address to bind. */
  readonly address: string;
  /** IP version. */
  readonly family: 4 | 6;
  /** First and last port to try, both included; left out: any free port. */
  readonly portRange?: readonly [number, number] | undefined;
  readonly ledger: ResourceLedger;
}

/** One UDP socket. */
export class UdpSocket implements IceSocket {
  readonly port: number;
  readonly #socket: dgram.Socket;
  readonly #released: () => void;
  #isClosed = false;
  #pendingBytes = 0;

  private constructor(socket: dgram.Socket, ledger: ResourceLedger, events: IceSocketEvents) {
    this.#socket = socket;
    this.port = socket.address().port;
    this.#released = ledger.acquire('udp_sockets');
    socket.on('message', (data, { address, port }) => events.datagram(this, data, address, port));
    // Errors of single datagrams (an unreachable port or net) say nothing about the session; ICE notices a lost peer.
    socket.on('error', () => undefined);
    askForReceiveBuffer(socket);
  }

  /** @throws Error (code EADDRINUSE, EADDRNOTAVAIL) where no port of the range can be bound. */
  static async open(init: UdpSocketInit, events: IceSocketEvents): Promise<UdpSocket> {
    const [first, last] = init.portRange ?? [0, 0];
    const ports = last - first + 1;
    const start = Math.floor(Math.random() * ports);
    for (let i = 0; ; i++) {
      try {
        return new UdpSocket(await bind(init, first + ((start + i) % ports)), init.ledger, events);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || i + 1 >= ports) throw error;
      }
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes of `sendAll` that the operating system has not taken yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Sends one datagram. `data` must not be changed afterwards. Does nothing after `close`. */
  send(data: Buffer, host: string, port: number): void {
    if (!this.#isClosed) this.#socket.send(data, port, host);
  }

  /**
   * Sends datagrams that lie one after the other in `slab`, ending at `ends`, and calls `done` once the operating
   * system has taken the last of them: one callback for the lot, since the socket keeps their order.
   */
  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void {
    if (this.#isClosed || ends.length === 0) return done();
    let start = 0;
    for (const end of ends.slice(0, -1)) {
      this.#socket.send(slab, start, end - start, port, host);
      start = end;
    }
    const last = ends.at(-1) as number;
    this.#pendingBytes += last;
    this.#socket.send(slab, start, last - start, port, host, () => {
      this.#pendingBytes -= last;
      done();
    });
  }

  /** Idempotent; resolves when the socket is gone. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((resolve) => {
      this.#socket.close(() => {
        this.#released();
        resolve();
      });
    });
  }
}

function bind({ address, family }: UdpSocketInit, port: number): Promise<dgram.Socket> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      // Only IP literals are sent to: nothing is ever looked up.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Linux gives as much of it as net.core.rmem_max allows. */
function askForReceiveBuffer(socket: dgram.Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // Others refuse what they do not allow; then the socket keeps what it has.
  }
}
