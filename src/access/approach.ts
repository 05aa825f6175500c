/**
 * How a request came, as far as rights depend on it, and what it may do because it comes from this machine. A browser is
 * on this machine, too: it carries requests of pages from anywhere. So the page counts as well: its origin, what the
 * browser says of it (Fetch Metadata), and the name by which it calls this server, since a foreign name that leads here
 * (DNS rebinding) makes a foreign page look like one of ours.
 */
import { isIP } from 'node:net';
import type { Protocol } from './auth-url-request.js';

/** How a request came. */
export interface Approach {
  /** By which its client is counted: an IPv4 address, or a /64 of IPv6. */
  readonly address: string;
  /** The client's own IP address, behind proxies that are trusted; empty where they do not tell it: it is in no range. */
  readonly ip: string;
  /** Of the connection: a proxy's, where there is one. Undefined where it is gone already. */
  readonly connected: string | undefined;
  /** Header `Host`. */
  readonly host: string | undefined;
  /** Header `Origin`: of the page that asks. */
  readonly origin: string | undefined;
  /** Header `Sec-Fetch-Site`: how the page stands to this server. */
  readonly fetchSite: string | undefined;
  /** True where a proxy has written a header of its own. */
  readonly isForwarded: boolean;
  /** What it shows as a bearer token (RFC 6750). */
  readonly token: string | undefined;
  /** The login that its cookie holds, sealed. Default: there is none. */
  readonly login?: string | undefined;
  /** That its address is signed, sealed. Default: it is not. */
  readonly signature?: string | undefined;
  /** The path of its address. Default: none is known. */
  readonly path?: string | undefined;
  /** True where it may change something, or opens a WebSocket: then a cookie counts only with the header `Origin`. Default false. */
  readonly isChange?: boolean;
  /** True where it came by https, as far as trusted proxies say. Default false. */
  readonly isSecure?: boolean;
  /** The door that it came to. Default `http`. */
  readonly protocol?: Protocol;
}

/**
 * From where a page asks. `own`: one of this server, or no page at all. `loopback`: one of another server on this machine.
 * `foreign`: any other.
 */
export type PageOrigin = 'own' | 'loopback' | 'foreign';

/** Whether a connection comes from this very machine, by no proxy, and to a name that can only be this server's. @param names that this server has beside addresses and localhost */
export function isLocal(approach: Approach, names: readonly string[]): boolean {
  return !approach.isForwarded && isLoopbackAddress(approach.connected ?? '') && isKnownHost(approach, names);
}

/** Whether this server is called by a name that can only be its own: an address, localhost, or one of these. */
export function isKnownHost({ host }: Pick<Approach, 'host'>, names: readonly string[]): boolean {
  const name = hostName(host);
  return name === 'localhost' || isIP(name) !== 0 || names.some((known) => known.toLowerCase() === name);
}

/** From where the page asks. What a browser says of it itself cannot be forged by a page. */
export function pageOrigin({ host, origin, fetchSite }: Pick<Approach, 'host' | 'origin' | 'fetchSite'>): PageOrigin {
  if (fetchSite === 'same-origin') return 'own';
  const isOwnSite = fetchSite === undefined || fetchSite === 'none';
  if (origin === undefined) {
    if (isOwnSite) return 'own';
    // Pictures come without an origin; the same site as a loopback name is a page of this machine.
    return fetchSite === 'same-site' && isLoopbackName(hostName(host)) ? 'loopback' : 'foreign';
  }
  if (!URL.canParse(origin)) return 'foreign';
  const page = new URL(origin);
  if (isOwnSite && page.host === host?.toLowerCase()) return 'own';
  return isLoopbackName(page.hostname) ? 'loopback' : 'foreign';
}

/**
 * Whether a request with a cookie is one of an own page, and not of a page elsewhere that a browser adds the cookie to: cookies
 * know no ports, so those of other servers on this host come with it, too.
 */
export function isOfOwnPage(approach: Approach): boolean {
  const { origin, isChange = false, isSecure = false } = approach;
  if (pageOrigin(approach) !== 'own') return false;
  if (origin === undefined) return !isChange;
  return URL.canParse(origin) && !(isSecure && origin.startsWith('http:'));
}

/** What proxies, content networks and tunnels write. */
const FORWARDING =
  /^(forwarded|via|x-(original-)?forwarded(-.*)?|x-original-host|x-real-ip|x-(cluster-)?client-ip|true-client-ip|(fastly|fly)-client-ip|x-azure-clientip|x-envoy-external-address|cf-(connecting-ip(v6)?|ray)|cdn-loop|tailscale-user-.*)$/;

/** True for headers that proxies write, in lower case. */
export function isForwardingHeader(name: string): boolean {
  return FORWARDING.test(name);
}

/** True for addresses by which a machine speaks to itself. */
function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** Host name or address of a `Host` header, without port and brackets, in lower case. */
function hostName(host = ''): string {
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replace(/^\[(.*)\]$/, '$1'));
}
