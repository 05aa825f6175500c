/**
 * How an ICE agent comes by its candidates: host candidates at once, then, one by one, what STUN servers see of the
 * sockets, and what TURN servers relay. A server that is in trouble is passed over and named in `troubles`; it never fails the agent.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { delay, type Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { capacityReached, RETRY_AFTER_S } from '../../base/refusals.js';
import type { Logger } from '../../base/logger.js';
import type { ResourceLedger } from '../../base/resources.js';
import { isLoopback, type HostAddress } from './host-addresses.js';
import type { LocalCandidate } from './candidates.js';
import type { IceSocket, IceSocketEvents } from './socket.js';
import { openRelay } from './relay.js';
import { reflections } from './stun.js';
import type { IceTcpListener } from './tcp-listener.js';
import type { TurnServer } from './turn/server.js';
import { UdpSocket } from './udp-socket.js';
import type { IcePath } from './werift.js';

/** Where agents listen, and which servers they ask. */
export interface IceOptions {
  /** Of this machine. */
  readonly addresses: readonly HostAddress[];
  /** First and last UDP port, both included; undefined: any free port. */
  readonly portRange: readonly [number, number] | undefined;
  /** `stun:host:port`; empty: none is asked. */
  readonly stunUrls: readonly string[];
  /** Addresses of a 1:1 NAT in front of the sockets. */
  readonly publicIps?: readonly string[] | undefined;
  /** Takes clients by TCP, too. */
  readonly tcp?: IceTcpListener | undefined;
  /** Asked for a relayed address, one after the other, until there is one. */
  readonly turnServers?: readonly TurnServer[] | undefined;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Told of STUN and TURN servers in trouble. */
  readonly logger?: Logger | undefined;
}

/** The agent that gathers: the sockets are opened for it. */
export interface GatheringAgent extends IceSocketEvents {
  /** RFC 8839 §5.4. */
  readonly localUfrag: string;
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
    const { portRange, ledger } = options;
    const opened = await Promise.allSettled(
      options.addresses.map(({ bind, family }) => UdpSocket.open({ address: bind, family, portRange, ledger }, agent)),
    );
    const paths = opened.flatMap((result, order) => {
      const address = options.addresses[order]?.advertise;
      if (result.status === 'rejected' || address === undefined) return [];
      return [
        agent.onPath(result.value, { type: 'host', transport: 'udp', address, port: result.value.port, localPreference: 65_535 - order }),
      ];
    });
    if (paths.length === 0)
      throw unboundError(options, opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))[0]);
    if (options.tcp) paths.push(tcpPath(options, options.tcp, agent));
    for (const path of paths) for (const candidate of publicCandidates(options, path)) agent.onCandidate(candidate);
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
 * What a 1:1 NAT makes of a path (RFC 8445 §5.1.1.2). They are server-reflexive, as if a STUN server had told: so
 * clients on the same network as the server prefer its own address, and need no NAT that sends packets back inside.
 * Which of several addresses the NAT leads to is not known; each is offered, and the others just do not answer.
 */
function publicCandidates({ publicIps = [], addresses }: IceOptions, { candidate: base }: IcePath): LocalCandidate[] {
  if (isLoopback(base.address) && !addresses.every(({ loopback }) => loopback)) return [];
  const { transport, address, port, localPreference } = base;
  return publicIps
    .filter((ip) => net.isIP(ip) === net.isIP(address) && ip !== address)
    .slice(0, MAX_PUBLIC_IPS)
    .map((ip) => ({ type: 'srflx', transport, address: ip, port, localPreference, related: { address, port } }));
}

function unboundError({ portRange }: IceOptions, cause: unknown): Error {
  if (portRange && (cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE') {
    return capacityReached(`all UDP ports from ${portRange[0]} to ${portRange[1]} are in use`, RETRY_AFTER_S.place, cause);
  }
  return new Error('no UDP socket could be bound for ICE', { cause });
}
