/** Who asks, and what they may do. Everything that is not granted is denied. Pure. */
import { fingerprint } from '../base/secret.js';
import type { Action, Right } from './action.js';
import { matchesGlob } from '../base/glob.js';

/** One right, for some sources. */
export interface Grant {
  /** What may be done. */
  readonly action: Right;
  /** Globs over names of sources; one of them must fit. */
  readonly sources: readonly string[];
  /** Sources that are left out all the same. */
  readonly except?: ReadonlySet<string>;
}

/** Who somebody is taken for: by their token, or by where they come from. */
export interface Principal {
  /** For the log and the people who read it: `alice`, `ADMIN_TOKEN`, `loopback`. Never a secret. */
  readonly name: string;
  /** `anonymous` and `loopback` have shown nothing. */
  readonly kind: 'anonymous' | 'loopback' | 'token' | 'user' | 'jwt' | 'asked';
  /** Everything that may be done; nothing where somebody else decides. */
  readonly grants: readonly Grant[];
  /** Why the login that was shown as well does not count. Left out: none was shown. */
  readonly unheeded?: UnheededLogin;
  /** Who decides instead of the grants. */
  readonly decider?: Decider | undefined;
}

/** Why a login does not count, for whoever would have needed it. */
export interface UnheededLogin {
  /** The error that they get. */
  readonly code: 'UNAUTHORIZED' | 'ORIGIN_REFUSED';
  /** In words. */
  readonly why: string;
}

/** Somebody else who says what one client may do. */
export interface Decider {
  /** False where nothing was allowed lately: what was shown may be a guess. */
  readonly isKnown: boolean;
  /** `unknown`: nobody says, which counts as a no. @throws MediaPeerError TOO_MANY_REQUESTS for guesses */
  decide(action: Action, scope: Scope): Promise<'allowed' | 'denied' | 'unknown'>;
  /** Those that it has for any source. @throws MediaPeerError TOO_MANY_REQUESTS for guesses */
  rights(): Promise<Right[]>;
  /** Those of some sources for which it may do that. @throws MediaPeerError TOO_MANY_REQUESTS for guesses */
  permitted(action: Right, sources: readonly string[]): Promise<string[]>;
  /** The same client, as it goes on by what it was allowed. @param id of its session; undefined: it has none */
  inSession(id: string | undefined): Decider;
}

/** Which sources an action is about: one by its name, at least one, or all that there are and will be. */
export type Scope = { readonly source: string } | 'some' | 'every';

/** Whether somebody's grants let them do that. */
export function may(principal: Principal, action: Action, scope: Scope = 'every'): boolean {
  if (action === 'public' || action === 'session') return true;
  return principal.grants.some((grant) => grant.action === action && covers(grant, scope));
}

/** True for somebody who has shown nothing. */
export function isAmbient({ kind }: Principal): boolean {
  return kind === 'anonymous' || kind === 'loopback';
}

/** For the log: where the name comes from stands before it, so that nobody can look like somebody else. `jwt:alice` */
export function idOf(principal: Principal): string {
  return isAmbient(principal) ? principal.name : `${principal.kind}:${principal.name}`;
}

/**
 * Whom TURN servers know somebody as, who is a person and not whoever has a token of many. No client id looks like it.
 * `alice@user`
 */
export function turnUserOf({ name, kind, decider }: Principal): string | undefined {
  if (kind !== 'user' && kind !== 'jwt' && !decider) return undefined;
  return `${/^[\w.-]{1,64}$/.test(name) ? name : fingerprint(name)}@${kind}`;
}

/** Rights for the same sources. @param sources globs */
export function grantsOf(actions: readonly Right[], sources: readonly string[] = ['*'], except?: ReadonlySet<string>): Grant[] {
  return actions.map((action) => ({ action, sources, ...(except && { except }) }));
}

function covers({ sources, except }: Grant, scope: Scope): boolean {
  if (scope === 'some') return sources.length > 0;
  if (scope === 'every') return sources.includes('*') && (except?.size ?? 0) === 0;
  return except?.has(scope.source) !== true && sources.some((glob) => matchesGlob(glob, scope.source));
}
