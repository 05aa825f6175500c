/** Gates for tests: one that lets everybody in, and some that ask for tokens. */
import { Access, type AccessConfig, type Approach } from '../../src/access/index.js';
import { pino } from 'pino';
import { FakeClock } from './fake-clock.js';

type Overrides = Partial<Omit<AccessConfig, 'tokens' | 'jwt' | 'logins'>> & {
  readonly logins?: Partial<AccessConfig['logins']>;
  readonly tokens?: Partial<AccessConfig['tokens']>;
  readonly jwt?: Partial<AccessConfig['jwt']>;
};

/** Shared by all of them, unless a test says another one. */
const LOGIN_SECRET = 'a secret of thirty-two characters';

/** Nobody may do anything, unless it is said who. */
export function accessOf({ tokens, jwt, logins, ...others }: Overrides = {}): Access {
  return new Access({
    clock: new FakeClock(),
    anonymous: 'off',
    logger: pino({ level: 'silent' }),
    authFile: '',
    authUrl: '',
    sources: () => [],
    serverNames: [],
    corsOrigins: ['*'],
    ...others,
    logins: { secret: LOGIN_SECRET, ttlS: 3600, stateDir: '/dev/null/no-folder', ...logins },
    jwt: { secret: '', jwksUrl: '', audience: '', issuer: '', ...jwt },
    tokens: { adminToken: '', viewerToken: '', publishTokens: new Map(), ...tokens },
  });
}

/** Everybody may do everything. */
export const openAccess = (): Access => accessOf({ anonymous: 'all' });

/** A request of a program, not of a page, from an address. */
export function approachFrom(address: string, token?: string): Approach {
  return {
    address,
    ip: address,
    connected: address,
    host: 'localhost',
    origin: undefined,
    fetchSite: undefined,
    isForwarded: false,
    token,
  };
}
