/** The tokens of single variables: ADMIN_TOKEN, VIEWER_TOKEN, PUBLISH_TOKENS. */
import { createHash } from 'node:crypto';
import { GRANTABLE } from './action.js';
import { grantsOf, type Principal } from './principal.js';

/** Which tokens there are. */
export interface ShorthandTokens {
  /** May do everything; empty: there is none. */
  readonly adminToken: string;
  /** For viewers of every source; empty: there is none. */
  readonly viewerToken: string;
  /** For publishers, by room; `*` is that of all others. */
  readonly publishTokens: ReadonlyMap<string, string>;
}

/** Who has these tokens. Kept by digest: how long a look-up takes says nothing of a token. */
export class Shorthand {
  readonly #principals = new Map<string, Principal>();

  constructor({ adminToken, viewerToken, publishTokens }: ShorthandTokens) {
    if (adminToken !== '') this.#add(adminToken, { name: 'ADMIN_TOKEN', kind: 'token', grants: grantsOf(GRANTABLE) });
    if (viewerToken !== '')
      this.#add(viewerToken, { name: 'VIEWER_TOKEN', kind: 'token', grants: grantsOf(['watch', 'data', 'ice', 'playback']) });
    const named = new Set([...publishTokens.keys()].filter((room) => room !== '*'));
    for (const [room, token] of publishTokens)
      this.#add(token, {
        name: `PUBLISH_TOKENS ${room}`,
        kind: 'token',
        grants: room === '*' ? grantsOf(['publish', 'ice'], ['*'], named) : grantsOf(['publish', 'ice'], [room]),
      });
  }

  /** False where there are none. */
  get isConfigured(): boolean {
    return this.#principals.size > 0;
  }

  /** Whose token that is; undefined for nobody's. */
  find(token: string): Principal | undefined {
    return this.#principals.get(digest(token));
  }

  /** The same token in several places has the rights of all of them. */
  #add(token: string, principal: Principal): void {
    const key = digest(token);
    const before = this.#principals.get(key);
    this.#principals.set(
      key,
      before ? { ...principal, name: `${before.name}, ${principal.name}`, grants: [...before.grants, ...principal.grants] } : principal,
    );
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
