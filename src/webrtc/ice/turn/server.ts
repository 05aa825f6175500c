/** TURN servers as URIs name them (RFC 7065), apart from the STUN servers in the same list. Pure. */
import type { IceServer } from '../../api/requests.js';

/** One way to one TURN server. */
export interface TurnServer {
  /** As it was configured: names it in messages. */
  readonly uri: string;
  /** A name or an IP address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** How it is reached; `tls` is `turns:`. */
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Long-term credential (RFC 8489 §9.2). */
  readonly username: string;
  /** Long-term credential (RFC 8489 §9.2). */
  readonly credential: string;
}

/** Servers of one connection that are asked: more would only delay it. */
const MAX_SERVERS = 8;

/** What can be used of a list of servers: malformed URIs, and TURN servers without credentials, are passed over. */
export function splitIceServers(servers: readonly IceServer[]): {
  readonly stunUrls: readonly string[];
  readonly turnServers: readonly TurnServer[];
} {
  const stunUrls = servers.flatMap(({ urls }) => urls.filter((uri) => /^stun:/i.test(uri)));
  const turnServers = servers.flatMap(({ urls, username = '', credential = '' }) =>
    username === '' ? [] : urls.flatMap((uri) => turnServerOf(uri, username, credential) ?? []),
  );
  return { stunUrls: stunUrls.slice(0, MAX_SERVERS), turnServers: turnServers.slice(0, MAX_SERVERS) };
}

function turnServerOf(uri: string, username: string, credential: string): TurnServer | undefined {
  const match = /^(turns?):(?:\[([0-9a-fA-F:.]+)\]|([^\s:?[\]]+))(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?$/i.exec(uri);
  const host = match?.[2] ?? match?.[3];
  if (!match || host === undefined) return undefined;
  const isSecure = match[1]?.toLowerCase() === 'turns';
  // TURN over DTLS is not spoken; turns: is TLS over TCP unless it says otherwise.
  if (isSecure && match[5]?.toLowerCase() === 'udp') return undefined;
  const transport = isSecure ? 'tls' : match[5]?.toLowerCase() === 'tcp' ? 'tcp' : 'udp';
  return { uri, host, port: Number(match[4] ?? (isSecure ? 5349 : 3478)), transport, username, credential };
}
