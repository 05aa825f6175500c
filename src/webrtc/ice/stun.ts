/** Server-reflexive candidates (RFC 8445 §5.1.1.2): what the configured STUN servers see of our sockets. */
import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { messageOf } from '../../base/errors.js';
import { isLoopback } from './host-addresses.js';
import { reflectedAddress, type IcePath } from './werift.js';

/** A STUN or TURN server's transport address. */
interface ServerAddress {
  /** A name or an IP address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What a server saw of a socket. */
export interface Reflection extends ServerAddress {
  /** The socket that the server saw. */
  readonly path: IcePath;
}

/** @throws Error where the URI is malformed. */
function stunServerOf(uri: string): ServerAddress {
  const match = /^stun:(?:\[([0-9a-fA-F:]+)\]|([^:?[\]\s]+))(?::([0-9]{1,5}))?$/.exec(uri);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new Error(`'${uri}' is no stun: URI`);
  return { host, port: Number(match?.[3] ?? 3478) };
}

/**
 * The server's IP addresses, one for each family. Names of configured servers are the only ones that are ever looked up.
 * @throws Error where there is no such name.
 */
export async function addressesOf(host: string): Promise<readonly string[]> {
  if (net.isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return [4, 6].flatMap((family) => found.find((entry) => entry.family === family)?.address ?? []);
}

/**
 * Asks one server from every path that can reach it.
 * @throws Error saying why there is no candidate from it: the name is unknown, nothing answers.
 */
export async function reflections(uri: string, paths: readonly IcePath[], onReflection: (reflection: Reflection) => void): Promise<void> {
  const { host, port } = stunServerOf(uri);
  const addresses = await addressesOf(host).catch((error: unknown) => {
    throw new Error(`its name cannot be looked up (${messageOf(error)})`, { cause: error });
  });
  const queries = addresses.flatMap((address) =>
    paths.filter((path) => canReach(path, address)).map((path) => query(path, { host: address, port }, onReflection)),
  );
  const results = await Promise.allSettled(queries);
  if (results.length > 0 && results.every(({ status }) => status === 'rejected')) throw new Error('it does not answer');
}

/** A socket on the loopback interface reaches loopback alone. */
function canReach({ candidate }: IcePath, server: string): boolean {
  return (
    candidate.transport === 'udp' &&
    net.isIP(candidate.address) === net.isIP(server) &&
    isLoopback(candidate.address) === isLoopback(server)
  );
}

async function query(path: IcePath, server: ServerAddress, onReflection: (reflection: Reflection) => void): Promise<void> {
  const [host, port] = await reflectedAddress(path, [server.host, server.port]);
  // Seen as it is, there is no NAT, and nothing to add.
  if (host !== path.candidate.address || port !== path.candidate.port) onReflection({ path, host, port });
}
