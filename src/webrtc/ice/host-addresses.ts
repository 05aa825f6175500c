/** Which addresses a session listens on, and under which it is advertised. */
import net from 'node:net';
import os from 'node:os';

/** Where a socket is bound, and the address that goes into its candidate. */
export interface HostAddress {
  /** The address that sockets are bound to. */
  readonly bind: string;
  /** The address that the peer is told: another one behind a 1:1 NAT. */
  readonly advertise: string;
  /** Of both. */
  readonly family: 4 | 6;
  /** Reaches this machine only. */
  readonly loopback: boolean;
}

/**
 * The configured addresses, or every address of the machine, loopback last. An address that the machine does not
 * have is that of a 1:1 NAT in front of it: the socket is bound to every address and the given one is advertised.
 */
export function hostAddresses(configured: readonly string[]): HostAddress[] {
  const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  if (configured.length > 0) {
    const has = new Set(own.map(({ address }) => address));
    return configured.map((address) => ({
      ...describe(address),
      bind: has.has(address) || isLoopback(address) ? address : net.isIPv4(address) ? '0.0.0.0' : '::',
    }));
  }
  return [...new Set(own.map(({ address }) => address))]
    .filter((address) => !/^fe[89ab]|^169\.254\.|%/i.test(address))
    .map(describe)
    .sort((a, b) => Number(a.loopback) - Number(b.loopback));
}

function describe(address: string): HostAddress {
  return { bind: address, advertise: address, family: net.isIPv4(address) ? 4 : 6, loopback: isLoopback(address) };
}

/** Whether an IP address is 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
