/** Gates for tests: one that lets everybody in, and some that ask for tokens. */
import { Access, type AccessConfig, type Approach } from '../../src/access/index.js';
import { FakeClock } from './fake-clock.js';

type Overrides = Partial<Omit<AccessConfig, 'tokens'>> & { readonly tokens?: Partial<AccessConfig['tokens']> };

/** Nobody may do anything, unless it is said who. */
export function accessOf({ tokens, ...others }: Overrides = {}): Access {
  return new Access({
    clock: new FakeClock(),
    anonymous: 'off',
    serverNames: [],
    corsOrigins: ['*'],
    ...others,
    tokens: { adminToken: '', viewerToken: '', publishTokens: new Map(), ...tokens },
  });
}

/** Everybody may do everything. */
export const openAccess = (): Access => accessOf({ anonymous: 'all' });

/** A request of a program, not of a page, from an address. */
export function approachFrom(address: string, token?: string): Approach {
  return { address, connected: address, host: 'localhost', origin: undefined, fetchSite: undefined, isForwarded: false, token };
}
