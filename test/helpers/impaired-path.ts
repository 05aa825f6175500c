/**
 * A bad network on loopback: a UDP relay between a client and the server that delays and loses datagrams, the same ones
 * in each run. A client goes by it when the server's candidates in its answer are replaced (`reroute`).
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from './random.js';

export interface Impairment {
  /** Of all datagrams, in each direction. 0..1. */
  readonly loss: number;
  /** One way, in ms. */
  readonly delayMs: number;
}

interface Relay {
  readonly socket: dgram.Socket;
  readonly serverPort: number;
}

export class ImpairedPath {
  impairment: Impairment;
  /** Datagrams that were lost on purpose. */
  lost = 0;
  passed = 0;
  readonly #random: () => number;
  readonly #relays = new Map<number, Relay>();
  /** Towards the server, one socket for each client address and relay: the server tells clients apart by it. */
  readonly #upstream = new Map<string, dgram.Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(impairment: Impairment, seed = 1) {
    this.impairment = impairment;
    this.#random = seededRandom(seed);
  }

  /** The description with each UDP candidate of 127.0.0.1 replaced by a way through this path; other candidates are left out. */
  async reroute(sdp: string): Promise<string> {
    const lines = await Promise.all(
      sdp.split('\r\n').map(async (line) => {
        if (!line.startsWith('a=candidate:')) return line;
        const parts = line.split(' ');
        if (parts[2] !== 'udp' || parts[4] !== '127.0.0.1') return undefined;
        parts[5] = String(await this.#relayTo(Number(parts[5])));
        return parts.join(' ');
      }),
    );
    return lines.filter((line) => line !== undefined).join('\r\n');
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { socket } of this.#relays.values()) socket.close();
    for (const socket of this.#upstream.values()) socket.close();
    this.#relays.clear();
    this.#upstream.clear();
  }

  async #relayTo(serverPort: number): Promise<number> {
    const known = this.#relays.get(serverPort);
    if (known) return known.socket.address().port;
    const socket = dgram.createSocket('udp4');
    this.#relays.set(serverPort, { socket, serverPort });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (data, { address, port }) => {
      this.#impair(() => this.#upstreamOf(socket, serverPort, address, port).send(data, serverPort, '127.0.0.1'));
    });
    return socket.address().port;
  }

  #upstreamOf(relay: dgram.Socket, serverPort: number, address: string, port: number): dgram.Socket {
    const key = `${serverPort} ${address} ${port}`;
    const known = this.#upstream.get(key);
    if (known) return known;
    const socket = dgram.createSocket('udp4');
    this.#upstream.set(key, socket);
    socket.bind(0, '127.0.0.1');
    socket.on('message', (data) => this.#impair(() => relay.send(data, port, address)));
    return socket;
  }

  #impair(send: () => void): void {
    if (this.#random() < this.impairment.loss) {
      this.lost++;
      return;
    }
    this.passed++;
    if (this.impairment.delayMs === 0) return send();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, this.impairment.delayMs);
    this.#timers.add(timer);
  }
}
