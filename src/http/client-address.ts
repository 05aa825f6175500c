/**
 * Whose requests count together. An IPv4 address is one, and so is a /64 of IPv6, which a single household has. Behind a
 * proxy all clients have the proxy's address: those that TRUST_PROXY names are believed what they forward, others never,
 * for anybody can write such a header. Of several hops the last one that is no trusted proxy is the client: what stands
 * before it was written by the client itself.
 */
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { compileRanges } from '../base/address-ranges.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
    clientAddress: string;
    /** The client's own IP address; empty where its proxy tells none, or two. */
    clientIp: string;
    /** True where the client asked by https, be it a trusted proxy that ends TLS. */
    isSecure: boolean;
  }
}

/** The headers that proxies tell of their clients by. */
export interface ForwardingHeaders {
  /** `X-Forwarded-For` */
  readonly xForwardedFor?: string | undefined;
  /** `Forwarded` (RFC 7239) */
  readonly forwarded?: string | undefined;
}

/** Hops that are looked at; a longer list is somebody's joke. */
const MAX_HOPS = 32;

/** Gives every request its `clientAddress`. Before any route. */
export function installClientAddress(app: FastifyInstance, trustedProxies: readonly string[]): void {
  const isTrusted = compileRanges(trustedProxies);
  app.decorateRequest('clientAddress', '');
  app.decorateRequest('clientIp', '');
  app.decorateRequest('isSecure', false);
  app.addHook('onRequest', (request, _reply, done) => {
    const { 'x-forwarded-for': xForwardedFor, forwarded } = request.headers;
    request.clientIp = clientIp(
      request.raw.socket.remoteAddress,
      { xForwardedFor: [xForwardedFor].flat().join(',') || undefined, forwarded },
      isTrusted,
    );
    request.isSecure =
      (request.raw.socket as Partial<TLSSocket>).encrypted === true ||
      (isTrusted(request.raw.socket.remoteAddress ?? '') && isForwardedSecurely(request));
    request.clientAddress = addressGroup(request.clientIp || (request.raw.socket.remoteAddress ?? ''));
    done();
  });
}

/**
 * The IP address of the client behind trusted proxies; that of the connection where nothing was forwarded. Empty where what was
 * forwarded cannot be used: the proxy's own address would give its client the rights of the proxy's network.
 */
export function clientIp(connected = '', { xForwardedFor, forwarded }: ForwardingHeaders, isTrusted: (address: string) => boolean): string {
  if (!isTrusted(connected)) return connected;
  const told = [xForwardedFor?.split(','), forwarded?.split(',').map(forOf)].flatMap((hops) =>
    hops ? [lastHop(hops, isTrusted) ?? ''] : [],
  );
  // A proxy writes one of the two and may pass on the other as the client wrote it.
  const [first = connected, ...others] = new Set(told);
  return others.length === 0 ? first : '';
}

/** Addresses that belong to one client: as text, to count by. */
export function addressGroup(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (isIP(plain) !== 6) return plain;
  const groups = expand(plain);
  const [, , , , , mapped, high = 0, low = 0] = groups;
  if (mapped === 0xffff && groups.slice(0, 5).every((group) => group === 0)) return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** What the proxy next to this server says of the scheme: of a list that is the last. */
function isForwardedSecurely({ headers }: FastifyRequest): boolean {
  const schemes = headers['x-forwarded-proto'] ?? headers.forwarded?.split(',').map((element) => memberOf(element, 'proto'));
  return [schemes].flat().join(',').split(',').at(-1)?.trim().toLowerCase() === 'https';
}

/** The last hop that is no trusted proxy, or the first of all; undefined where it is no address. */
function lastHop(hops: readonly string[], isTrusted: (address: string) => boolean): string | undefined {
  const addresses = hops.slice(-MAX_HOPS).map(withoutPort);
  const address = addresses.findLast((hop) => !isTrusted(hop)) ?? addresses[0];
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}

function forOf(element: string): string {
  return memberOf(element, 'for');
}

/** A member of one element of `Forwarded`; empty where it has none. */
function memberOf(element: string, name: 'for' | 'proto'): string {
  const pair = element.split(';').find((part) => part.trim().toLowerCase().startsWith(`${name}=`)) ?? '';
  return pair
    .replace(/^[^=]*=/, '')
    .trim()
    .replace(/^"|"$/g, '');
}

/** `1.2.3.4:5678` and `[::1]:5678` as some proxies write them. */
function withoutPort(hop: string): string {
  const text = hop.trim();
  return /^\[([^\]]*)\]/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

/** The eight groups of an IPv6 address. */
function expand(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = [], right] = hex.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => parseInt(group, 16)),
  );
  return right === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
