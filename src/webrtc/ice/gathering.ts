/**
 * How an ICE agent comes by its candidates: host candidates at once, then, one by one, what STUN servers see of the
 * sockets, and what TURN servers relay. A server that is in trouble is passed over and named in `troubles`; it never fails the agent.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { delay, type Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { isLoopback, type HostAddress } from './host-addresses.js';
import type { LocalCandidate } from './candidates.js';
import { hostSockets, type HostSocket, type HostSocketOptions } from './host-sockets.js';
import type { IceSocket } from './socket.js';
import { openRelay } from './relay.js';
import { reflections } from './stun.js';
import type { IceTcpListener } from './tcp-listener.js';
import type { TurnServer } from './turn/server.js';
import type { SharingAgent } from './udp-demultiplexer.js';
import type { IcePath } from './werift.js';

/** Where agents listen, and which servers they ask. */
export interface IceOptions extends HostSocketOptions {
  /** What `addresses` are by now, for an ICE restart: the machine may have others. Default: they stay. */
  readonly lookUpAddresses?: (() => readonly HostAddress[]) | undefined;
  /** `stun:host:port`; empty: none is asked. */
  readonly stunUrls: readonly string[];
  /** Addresses of a 1:1 NAT in front of the sockets. */
  readonly publicIps?: readonly string[] | undefined;
  /** Takes clients by TCP, too. */
  readonly tcp?: IceTcpListener | undefined;
  /** Asked for a relayed address, one after the other, until there is one. */
  readonly turnServers?: readonly TurnServer[] | undefined;
  readonly clock: Clock;
  /** Told of STUN and TURN servers in trouble. */
  readonly logger?: Logger | undefined;
}

/** The agent that gathers: the sockets are opened for it. */
export interface GatheringAgent extends SharingAgent {
  /** RFC 8839 §5.4. */
  readonly localPassword: string;
  /** Takes a socket that was opened, and the candidate that tells of it. */
  onPath(socket: IceSocket, candidate: LocalCandidate): IcePath;
  /** Another address of a path: not checked from, but advertised. */
  onCandidate(candidate: LocalCandidate): void;
}

/** How long descriptions that cannot be followed by candidates wait for them. */
const GATHERED_MS = 1000;
/** Of each family. */
const MAX_PUBLIC_IPS = 4;
/** That are kept. */
const MAX_TROUBLES = 16;

/** Gathers the candidates of one agent. */
export class IceGathering {
  /** What went wrong with servers, in words. */
  readonly troubles: string[] = [];
  /** Resolves when every candidate was found, at the latest after 1 s. */
  readonly gathered: Promise<void>;
  /** Resolves when no more candidates will come. */
  readonly complete: Promise<void>;
  readonly #options: IceOptions;
  readonly #agent: GatheringAgent;
  readonly #paths: IcePath[];
  readonly #closing = new AbortController();
  readonly #relayed: Promise<void>;

  private constructor(options: IceOptions, agent: GatheringAgent, paths: IcePath[]) {
    this.#options = options;
    this.#agent = agent;
    this.#paths = paths;
    this.#relayed = this.#relay();
    const searches: Promise<unknown>[] = [
      ...options.stunUrls.map((url) => this.#ask(`STUN server ${url}`, () => this.#reflect(url))),
      ...(options.turnServers?.length ? [this.#relayed] : []),
    ];
    const done = new AbortController();
    this.complete = Promise.all(searches).then(() => done.abort());
    this.gathered =
      searches.length === 0
        ? Promise.resolve()
        : Promise.race([this.complete, delay(options.clock, GATHERED_MS, AbortSignal.any([done.signal, this.#closing.signal]))]);
  }

  /**
   * Binds the sockets; the servers are asked afterwards.
   * @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound.
   */
  static async start(options: IceOptions, agent: GatheringAgent): Promise<IceGathering> {
    const paths = (await hostSockets(options, agent)).map((opened) => hostPath(opened, agent));
    if (options.tcp) paths.push(tcpPath(options, options.tcp, agent));
    for (const candidate of publicCandidates(options, paths)) agent.onCandidate(candidate);
    return new IceGathering(options, agent, paths);
  }

  /** Gives up what is still asked. Idempotent; resolves when nothing of it is held. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#relayed;
  }

  /** False where the search failed, which is noted. */
  async #ask(server: string, search: () => Promise<void>): Promise<boolean> {
    try {
      await search();
      return true;
    } catch (error) {
      this.#note(server, error);
      return false;
    }
  }

  #note(server: string, error: unknown): void {
    if (this.#closing.signal.aborted || this.troubles.length >= MAX_TROUBLES) return;
    const trouble = `${server}: ${messageOf(error)}`;
    this.troubles.push(trouble);
    this.#options.logger?.warn({ trouble }, 'ice server problem');
  }

  async #relay(): Promise<void> {
    for (const server of this.#options.turnServers ?? []) {
      if (this.#closing.signal.aborted) return;
      const name = `TURN server ${server.uri}`;
      const isRelayed = await this.#ask(name, async () => {
        const { allocation, relayed, mapped } = await openRelay(
          server,
          { ...this.#options, signal: this.#closing.signal },
          {
            datagram: (socket, data, host, port) => this.#agent.datagram(socket, data, host, port),
            lost: (error) => this.#note(name, error),
          },
        );
        if (this.#closing.signal.aborted) return allocation.close();
        const [[address, port], [mappedAddress, mappedPort]] = [relayed, mapped];
        const related = { address: mappedAddress, port: mappedPort };
        this.#agent.onPath(allocation, { type: 'relay', transport: 'udp', address, port, related });
      });
      if (isRelayed) return;
    }
  }

  async #reflect(url: string): Promise<void> {
    await reflections(url, this.#paths, ({ path, host, port }) => {
      if (this.#closing.signal.aborted) return;
      const { address, port: boundPort, localPreference } = path.candidate;
      this.#agent.onCandidate({
        type: 'srflx',
        transport: 'udp',
        address: host,
        port,
        localPreference,
        related: { address, port: boundPort },
      });
    });
  }
}

/** One path for all addresses by which its socket is reached. */
function hostPath({ socket, port, advertised }: HostSocket, agent: GatheringAgent): IcePath {
  const candidates = advertised.map(
    ({ address, order }) => ({ type: 'host', transport: 'udp', address, port, localPreference: 65_535 - order }) as const,
  );
  const [first, ...others] = candidates;
  assert(first, 'a socket has an address');
  const path = agent.onPath(socket, first);
  for (const candidate of others) agent.onCandidate(candidate);
  return path;
}

/** One path for all addresses: the port is the server's. */
function tcpPath({ addresses }: IceOptions, tcp: IceTcpListener, agent: GatheringAgent): IcePath {
  const candidates = addresses.map(
    ({ advertise }, order) =>
      ({ type: 'host', transport: 'tcp', address: advertise, port: tcp.port, localPreference: 65_535 - order }) as const,
  );
  const [first, ...others] = candidates;
  assert(first, 'an agent has an address');
  const path = agent.onPath(tcp.register(agent.localUfrag, agent.localPassword, agent), first);
  for (const candidate of others) agent.onCandidate(candidate);
  return path;
}

/**
 * What a 1:1 NAT makes of the paths (RFC 8445 §5.1.1.2). They are server-reflexive, as if a STUN server had told: so
 * clients on the same network as the server prefer its own address, and need no NAT that sends packets back inside.
 * Which of several addresses the NAT leads to is not known; each is offered, and the others just do not answer. Of a
 * port that paths have in common it is told once.
 */
function publicCandidates({ publicIps = [], addresses }: IceOptions, paths: readonly IcePath[]): LocalCandidate[] {
  const told = new Map<string, LocalCandidate>();
  for (const { candidate: base } of paths) {
    const { transport, address, port, localPreference } = base;
    if (isLoopback(address) && !addresses.every(({ loopback }) => loopback)) continue;
    const ips = publicIps.filter((ip) => net.isIP(ip) === net.isIP(address) && ip !== address).slice(0, MAX_PUBLIC_IPS);
    for (const ip of ips) {
      const key = `${transport} ${ip} ${port}`;
      if (!told.has(key)) told.set(key, { type: 'srflx', transport, address: ip, port, localPreference, related: { address, port } });
    }
  }
  return [...told.values()];
}
