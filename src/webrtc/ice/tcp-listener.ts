/**
 * The server's TCP port for clients whose network lets no UDP through (RFC 6544, passive candidates). One port serves
 * all sessions: the first message of a connection is a connectivity check that names its agent and proves that the
 * client knows its password. Who does not send one soon is cut off, so strangers hold little, and not for long.
 */
import net from 'node:net';
import type { Clock } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import type { ResourceLedger } from '../../base/resources.js';
import { hostAddresses } from './host-addresses.js';
import { FrameReader } from './tcp-framing.js';
import type { IceSocketEvents } from './socket.js';
import { IceTcpSocket } from './tcp-socket.js';
import { attributeOf, authenticated, classes, parseMessage } from './werift-stun.js';

/** Which port, and what it is built on. */
export interface IceTcpListenerInit {
  /** As for media; empty: every address of the machine. */
  readonly iceAddresses: readonly string[];
  /** 0: any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
}

/** How long a connection may take to its first authentic check. */
const FIRST_CHECK_MS = 10_000;
/** Connections that have not proven anything yet; the oldest gives way, since an honest client needs a round trip. */
const MAX_STRANGERS = 64;

interface Agent {
  readonly password: Buffer;
  readonly socket: IceTcpSocket;
}

/** The TCP port of all sessions. */
export class IceTcpListener {
  readonly port: number;
  readonly #clock: Clock;
  readonly #ledger: ResourceLedger;
  readonly #servers: readonly net.Server[];
  readonly #agents = new Map<string, Agent>();
  readonly #strangers = new Set<net.Socket>();
  readonly #connections = new Set<net.Socket>();

  private constructor(servers: readonly net.Server[], port: number, { clock, ledger }: IceTcpListenerInit) {
    this.#servers = servers;
    this.port = port;
    this.#clock = clock;
    this.#ledger = ledger;
    for (const server of servers) server.on('connection', (connection) => this.#take(connection));
  }

  /** @throws MediaPeerError CONFIG_INVALID where the port cannot be had. */
  static async open(init: IceTcpListenerInit): Promise<IceTcpListener> {
    const servers: net.Server[] = [];
    let { port } = init;
    try {
      const addresses = init.iceAddresses.length === 0 ? [undefined] : new Set(hostAddresses(init.iceAddresses).map(({ bind }) => bind));
      for (const address of addresses) {
        const server = await listen(port, address);
        servers.push(server);
        port = (server.address() as net.AddressInfo).port;
      }
    } catch (error) {
      for (const server of servers) server.close();
      throw new MediaPeerError(
        'CONFIG_INVALID',
        `ICE_TCP_PORT ${init.port} cannot be listened on: ${messageOf(error)}; choose another port, or 0 for none`,
        { cause: error },
      );
    }
    return new IceTcpListener(servers, port, init);
  }

  /** Takes the connections of the clients of one agent, until the socket is closed. */
  register(ufrag: string, password: string, events: IceSocketEvents): IceTcpSocket {
    const socket = new IceTcpSocket(events, () => this.#agents.delete(ufrag));
    this.#agents.set(ufrag, { password: Buffer.from(password, 'utf8'), socket });
    return socket;
  }

  /** Idempotent; resolves when the port is free. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #take(connection: net.Socket): void {
    const { remoteAddress, remotePort } = connection;
    if (remoteAddress === undefined || remotePort === undefined) return void connection.destroy();
    const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
    const release = this.#ledger.acquire('tcp_sockets');
    this.#connections.add(connection);
    this.#strangers.add(connection);
    const deadline = this.#clock.after(FIRST_CHECK_MS, () => connection.destroy());
    this.#cutOffOldest();
    let agent: Agent | undefined;
    const reader = new FrameReader((frame) => {
      if (connection.destroyed) return;
      if (!agent) {
        agent = this.#agentOf(frame);
        if (!agent) return void connection.destroy();
        deadline.cancel();
        this.#strangers.delete(connection);
        agent.socket.adopt(connection, host, remotePort);
      }
      agent.socket.receive(connection, frame, host, remotePort);
    });
    connection.setNoDelay(true);
    // A reset is followed by 'close'; the checks notice a client that is lost.
    connection.on('error', () => undefined);
    connection.on('data', (chunk) => {
      if (!reader.push(chunk)) connection.destroy();
    });
    connection.once('close', () => {
      deadline.cancel();
      this.#strangers.delete(connection);
      this.#connections.delete(connection);
      release();
    });
  }

  /** Those that come in one turn are cut off in the same: a connection is told of its end only in the next. */
  #cutOffOldest(): void {
    const [oldest] = this.#strangers;
    if (!oldest || this.#strangers.size <= MAX_STRANGERS) return;
    this.#strangers.delete(oldest);
    oldest.destroy();
  }

  /** The agent whose password the check proves to know. */
  #agentOf(frame: Buffer): Agent | undefined {
    try {
      const request = parseMessage(frame);
      const username = request && attributeOf(request, 'USERNAME');
      if (request?.messageClass !== classes.REQUEST || typeof username !== 'string') return undefined;
      const agent = this.#agents.get(username.split(':', 1)[0] ?? '');
      return agent && authenticated(frame, agent.password) ? agent : undefined;
    } catch {
      return undefined; // Anybody can send anything.
    }
  }
}

/** Without an address: both families where the machine has IPv6. */
function listen(port: number, address: string | undefined): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, host: address, ...(address?.includes(':') && { ipv6Only: true }) }, () => {
      server.off('error', reject);
      // Errors of single connections while being accepted.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}
