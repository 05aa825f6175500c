/** What may be done without showing anything, by where a request comes from. */
import { GRANTABLE, type Right } from './action.js';
import { isKnownHost, isLocal, pageOrigin, type Approach } from './approach.js';
import { grantsOf, type Principal } from './principal.js';

/** What everybody may do: nothing, watch, or everything. */
export type Anonymous = 'off' | 'watch' | 'all';

/** What decides on the rights of those who show nothing. */
export interface AmbientConfig {
  /** True where anybody is named who may use this server: then this machine has no rights of its own. */
  readonly hasPrincipals: boolean;
  /** What everybody may do. */
  readonly anonymous: Anonymous;
  /** Names that this server has beside addresses and localhost. */
  readonly serverNames: readonly string[];
}

const WATCHING: readonly Right[] = ['watch', 'data', 'ice', 'playback'];
const OF_PAGES: readonly Right[] = [...WATCHING, 'publish'];
const RIGHTS = { off: [], watch: WATCHING, all: GRANTABLE } as const;

/** Nobody, and nothing may be done. */
export const NOBODY: Principal = { name: 'anonymous', kind: 'anonymous', grants: [] };
const LOOPBACK: Principal = { name: 'loopback', kind: 'loopback', grants: grantsOf(GRANTABLE) };
const LOOPBACK_PAGE: Principal = { name: 'loopback', kind: 'loopback', grants: grantsOf(OF_PAGES) };

/** Who somebody is that shows nothing. */
export function ambientPrincipal(approach: Approach, { hasPrincipals, anonymous, serverNames }: AmbientConfig): Principal {
  const page = pageOrigin(approach);
  if (anonymous === 'off') {
    // Without anybody named, such a server starts only where this machine alone reaches it, and by no proxy.
    if (hasPrincipals || page === 'foreign' || !isLocal(approach, serverNames)) return NOBODY;
    return page === 'own' ? LOOPBACK : LOOPBACK_PAGE;
  }
  const rights = RIGHTS[anonymous];
  // A page from elsewhere, which a foreign name may hide, administers nothing by rights that its user has without knowing.
  const mayAdminister = page === 'own' && isKnownHost(approach, serverNames);
  return { ...NOBODY, grants: grantsOf(mayAdminister ? rights : rights.filter((right) => right !== 'admin')) };
}
