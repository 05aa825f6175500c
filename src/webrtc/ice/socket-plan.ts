/** Which sockets a port that all agents share needs for some addresses: one for each that is bound. Pure. */
import type { HostAddress } from './host-addresses.js';

/** An address that is told to peers. */
export interface AdvertisedAddress {
  /** An IP address. */
  readonly address: string;
  /** Its place among all addresses: the first is preferred. */
  readonly order: number;
}

/** One socket, and the addresses by which peers reach it. */
export interface PlannedSocket {
  /** The address to bind. */
  readonly bind: string;
  /** IP version. */
  readonly family: 4 | 6;
  /** At least one. */
  readonly advertised: readonly AdvertisedAddress[];
}

/**
 * Two sockets of one port cannot be bound to an address and to every address at once, and one that is bound to every
 * address answers from whichever the routes say. So where addresses of this machine are given beside those of a 1:1
 * NAT, the NAT leads to one of them, and its addresses are told of each; where none are, one socket has every address.
 */
export function socketPlan(addresses: readonly HostAddress[]): PlannedSocket[] {
  return ([4, 6] as const).flatMap((family) => {
    const all = addresses.map((address, order) => ({ ...address, order })).filter((address) => address.family === family);
    const own = all.filter(({ bind, advertise }) => bind === advertise);
    const behindNat = all.filter((address) => !own.includes(address));
    const everywhere = behindNat[0]?.bind;
    if (everywhere !== undefined && own.every(({ loopback }) => loopback)) return [planned(everywhere, family, all)];
    return own.map((address) => planned(address.bind, family, [address, ...behindNat]));
  });
}

function planned(bind: string, family: 4 | 6, addresses: readonly (HostAddress & { readonly order: number })[]): PlannedSocket {
  return { bind, family, advertised: addresses.map(({ advertise, order }) => ({ address: advertise, order })) };
}
