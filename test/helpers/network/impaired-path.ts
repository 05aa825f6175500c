/**
 * A bad network on loopback: a UDP relay between clients and the server, with a link in each direction that all who go by it
 * share. A client goes by it when the server's candidates in its answer are replaced (`reroute`).
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { Link, type LinkShape } from './link.js';

/** A datagram and where it goes. */
type Send = () => void;

interface Direction {
  readonly link: Link<Send>;
  timer: NodeJS.Timeout | undefined;
}

export class ImpairedPath {
  readonly #up: Direction;
  readonly #down: Direction;
  /** By port of the server. */
  readonly #relays = new Map<number, Promise<dgram.Socket>>();
  /** Towards the server, one socket for each client address and relay: the server tells clients apart by it. */
  readonly #upstream = new Map<string, dgram.Socket>();
  #isClosed = false;

  /** @param up from the client to the server; default: as `down` */
  constructor(down: LinkShape, up: LinkShape = down, seed = 1) {
    this.#down = { link: new Link(down, seed), timer: undefined };
    this.#up = { link: new Link(up, seed + 1), timer: undefined };
  }

  /** From the server to the client. Its clock is `performance.now()`. */
  get down(): Omit<Link<unknown>, 'offer' | 'take'> {
    return this.#down.link;
  }

  /** From the client to the server. */
  get up(): Omit<Link<unknown>, 'offer' | 'take'> {
    return this.#up.link;
  }

  /** Another network from now on; what is not named stays. */
  change({ down = {}, up = {} }: { readonly down?: LinkShape; readonly up?: LinkShape }): void {
    for (const [direction, shape] of [
      [this.#down, down],
      [this.#up, up],
    ] as const) {
      direction.link.reshape({ ...direction.link.shape, ...shape }, performance.now());
      this.#serve(direction);
    }
  }

  /** The description with each UDP candidate of 127.0.0.1 replaced by a way through this path; other candidates are left out. */
  async reroute(sdp: string): Promise<string> {
    const lines = await Promise.all(
      sdp.split('\r\n').map(async (line) => {
        if (!line.startsWith('a=candidate:')) return line;
        const parts = line.split(' ');
        if (parts[2]?.toLowerCase() !== 'udp' || parts[4] !== '127.0.0.1') return undefined;
        parts[5] = String((await this.#relayTo(Number(parts[5]))).address().port);
        return parts.join(' ');
      }),
    );
    return lines.filter((line) => line !== undefined).join('\r\n');
  }

  /** Clients come from other ports from now on, as behind a NAT that has forgotten them. What is sent to the old ones is lost. */
  rebind(): void {
    for (const socket of this.#upstream.values()) socket.close();
    this.#upstream.clear();
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of [this.#up, this.#down]) clearTimeout(timer);
    for (const relay of this.#relays.values()) void relay.then((socket) => socket.close());
    for (const socket of this.#upstream.values()) socket.close();
    this.#relays.clear();
    this.#upstream.clear();
  }

  #relayTo(serverPort: number): Promise<dgram.Socket> {
    const known = this.#relays.get(serverPort);
    if (known) return known;
    const opened = this.#open((socket, data, { address, port }) => {
      const send = (): void => this.#upstreamOf(socket, serverPort, address, port).send(data, serverPort, '127.0.0.1');
      this.#pass(this.#up, data.length, send);
    });
    this.#relays.set(serverPort, opened);
    return opened;
  }

  async #open(onMessage: (socket: dgram.Socket, data: Buffer, from: dgram.RemoteInfo) => void): Promise<dgram.Socket> {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (data, from) => onMessage(socket, data, from));
    return socket;
  }

  #upstreamOf(relay: dgram.Socket, serverPort: number, address: string, port: number): dgram.Socket {
    const key = `${serverPort} ${address} ${port}`;
    const known = this.#upstream.get(key);
    if (known) return known;
    const socket = dgram.createSocket('udp4');
    this.#upstream.set(key, socket);
    socket.bind(0, '127.0.0.1');
    socket.on('message', (data) => this.#pass(this.#down, data.length, () => relay.send(data, port, address)));
    return socket;
  }

  #pass(direction: Direction, bytes: number, send: Send): void {
    if (this.#isClosed) return;
    direction.link.offer(send, bytes, performance.now());
    this.#serve(direction);
  }

  #serve(direction: Direction): void {
    clearTimeout(direction.timer);
    for (const send of direction.link.take(performance.now())) send();
    const { nextMs } = direction.link;
    if (nextMs === undefined || this.#isClosed) return;
    // A timer may fire up to 1 ms early.
    direction.timer = setTimeout(() => this.#serve(direction), Math.max(1, Math.ceil(nextMs - performance.now())));
  }
}
