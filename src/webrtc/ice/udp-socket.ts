/** One bound UDP socket: counted in the ledger, never throws on sending. One agent has it, or all of a shared port. */
import dgram from 'node:dgram';
import type { ResourceLedger } from '../../base/resources.js';

/** What may wait to be read: a keyframe of a publisher comes in one burst, and the usual 208 KiB hold 90 packets. */
const BUFFER_BYTES = 1024 * 1024;

/** Where it is bound. */
export interface UdpSocketInit {
  /** The address to bind. */
  readonly address: string;
  /** IP version. */
  readonly family: 4 | 6;
  /** First and last port to try, both included; left out: any free port. */
  readonly portRange?: readonly [number, number] | undefined;
  /** What may wait in the kernel in each direction, as far as the system allows it. Default 1 MiB. */
  readonly bufferBytes?: number;
  readonly ledger: ResourceLedger;
}

/** One UDP socket. */
export class UdpSocket {
  readonly port: number;
  /** The address that it is bound to. */
  readonly address: string;
  readonly #socket: dgram.Socket;
  readonly #released: () => void;
  #closed: Promise<void> | undefined;

  private constructor(socket: dgram.Socket, { address, bufferBytes = BUFFER_BYTES, ledger }: UdpSocketInit) {
    this.#socket = socket;
    this.address = address;
    this.port = socket.address().port;
    this.#released = ledger.acquire('udp_sockets');
    // Errors of single datagrams (an unreachable port or net) say nothing about the session; ICE notices a lost peer.
    socket.on('error', () => undefined);
    askForBuffers(socket, bufferBytes);
  }

  /**
   * @param onDatagram called for each that comes; must not throw.
   * @throws Error (code EADDRINUSE, EADDRNOTAVAIL) where no port of the range can be bound.
   */
  static async open(init: UdpSocketInit, onDatagram: (data: Buffer, host: string, port: number) => void): Promise<UdpSocket> {
    const [first, last] = init.portRange ?? [0, 0];
    const ports = last - first + 1;
    const start = Math.floor(Math.random() * ports);
    for (let i = 0; ; i++) {
      try {
        const socket = await bind(init, first + ((start + i) % ports));
        socket.on('message', (data, { address, port }) => onDatagram(data, address, port));
        return new UdpSocket(socket, init);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || i + 1 >= ports) throw error;
      }
    }
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** What may wait to be read, in bytes, as the system granted it. */
  get receiveBufferBytes(): number {
    // Linux counts its own bookkeeping in, and tells twice of what it was asked for (socket(7)).
    return this.#socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
  }

  /** Sends one datagram. `data` must not be changed afterwards. Does nothing after `close`. */
  send(data: Buffer, host: string, port: number): void {
    if (!this.isClosed) this.#socket.send(data, port, host);
  }

  /**
   * Sends datagrams that lie one after the other in `slab`, ending at `ends`, and calls `done` once the operating
   * system has taken the last of them: one callback for the lot, since the socket keeps their order.
   */
  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void {
    if (this.isClosed || ends.length === 0) return done();
    let start = 0;
    for (const end of ends.slice(0, -1)) {
      this.#socket.send(slab, start, end - start, port, host);
      start = end;
    }
    this.#socket.send(slab, start, (ends.at(-1) as number) - start, port, host, done);
  }

  /** Idempotent; resolves when the socket is gone. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#socket.close(() => {
        this.#released();
        resolve();
      });
    });
    return this.#closed;
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

/** Linux gives as much of it as net.core.rmem_max and net.core.wmem_max allow. */
function askForBuffers(socket: dgram.Socket, bytes: number): void {
  for (const ask of [() => socket.setRecvBufferSize(bytes), () => socket.setSendBufferSize(bytes)]) {
    try {
      ask();
    } catch {
      // Others refuse what they do not allow; then the socket keeps what it has.
    }
  }
}
