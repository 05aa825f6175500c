/** The gate: who somebody is, and whether they may do what they ask for. Every door asks here, and nobody else decides. */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { sourceNotFound } from '../base/refusals.js';
import { GRANTABLE, MEANING, type Action, type Right } from './action.js';
import { ambientPrincipal, type Anonymous } from './ambient.js';
import { pageOrigin, type Approach } from './approach.js';
import { FailedLogins } from './failed-logins.js';
import { isAmbient, may, type Principal, type Scope } from './principal.js';
import { Shorthand, type ShorthandTokens } from './shorthand.js';

/** Who there is, and what those may do who are nobody. */
export interface AccessConfig {
  readonly clock: Clock;
  /** Tokens of single variables. */
  readonly tokens: ShorthandTokens;
  /** What everybody may do. */
  readonly anonymous: Anonymous;
  /** Names that this server has beside addresses and localhost. */
  readonly serverNames: readonly string[];
  /** Web origins that may use the API; `*` is any, and may administer nothing. */
  readonly corsOrigins: readonly string[];
}

/** Rights that are for sources, whose names nobody learns who has none for them. */
const SHOWING: readonly Right[] = ['watch', 'data', 'playback', 'admin'];

/** Says who somebody is and what they may do. */
export class Access {
  readonly #config: AccessConfig;
  readonly #shorthand: Shorthand;
  readonly #failedLogins: FailedLogins;

  constructor(config: AccessConfig) {
    this.#config = config;
    this.#shorthand = new Shorthand(config.tokens);
    this.#failedLogins = new FailedLogins(config.clock);
  }

  /** True where anybody is named who may use this server. */
  get hasPrincipals(): boolean {
    return this.#shorthand.isConfigured;
  }

  /**
   * Who somebody is: by the token that they show, else by where they come from. Where nobody is named, a token says nothing.
   * @throws MediaPeerError UNAUTHORIZED for a token of nobody, TOO_MANY_REQUESTS for one such too many from this address
   */
  identify(approach: Approach): Promise<Principal> {
    return Promise.resolve().then(() => {
      const { token } = approach;
      if (token === undefined || !this.hasPrincipals)
        return ambientPrincipal(approach, { ...this.#config, hasPrincipals: this.hasPrincipals });
      const known = this.#shorthand.find(token);
      if (known) return this.#asSeenFrom(approach, known);
      this.#failedLogins.count(approach.address);
      throw new MediaPeerError('UNAUTHORIZED', 'the token is not one of this server; ask whoever runs it for another one');
    });
  }

  /** Whether somebody may do that. @param scope default: for every source */
  may(principal: Principal, action: Action, scope?: Scope): Promise<boolean> {
    return Promise.resolve(may(principal, action, scope));
  }

  /**
   * Lets somebody do that.
   * @throws MediaPeerError UNAUTHORIZED where somebody else may, FORBIDDEN where this one may not, SOURCE_NOT_FOUND for a
   *   source that this one must not know of, whether or not there is one.
   */
  async demand(principal: Principal, action: Action, scope?: Scope): Promise<void> {
    if (await this.may(principal, action, scope)) return;
    throw await this.#refusal(principal, action as Right, scope);
  }

  /** Those of some sources for which somebody has a right. */
  async permitted(principal: Principal, action: Action, sources: readonly string[]): Promise<string[]> {
    const answers = await Promise.all(sources.map((source) => this.may(principal, action, { source })));
    return sources.filter((_source, i) => answers[i]);
  }

  /** An error as somebody may read it: without the names of sources that they may not watch. */
  async readable(principal: Principal, error: MediaPeerError): Promise<MediaPeerError> {
    const { sourceId, available } = error.details;
    if (error.code !== 'SOURCE_NOT_FOUND' || typeof sourceId !== 'string' || !isList(available)) return error;
    const known = await this.permitted(principal, 'watch', available);
    return known.length === available.length ? error : sourceNotFound(sourceId, known);
  }

  async #refusal(principal: Principal, action: Right, scope: Scope = 'every'): Promise<MediaPeerError> {
    if (typeof scope === 'object' && action !== 'publish' && (await this.may(principal, action, 'some'))) {
      const { source } = scope;
      const mayKnow = await Promise.all(SHOWING.map((right) => this.may(principal, right, scope)));
      if (!mayKnow.includes(true)) return sourceNotFound(source);
    }
    if (isAmbient(principal))
      return new MediaPeerError(
        'UNAUTHORIZED',
        `a token is needed to ${MEANING[action]}: send 'Authorization: Bearer <token>', or "token" in the message join of /ws`,
      );
    const held = GRANTABLE.filter((right) => may(principal, right, 'some'));
    const where = typeof scope === 'object' ? ` '${scope.source.slice(0, 80)}'` : may(principal, action, 'some') ? ' for all sources' : '';
    return new MediaPeerError('FORBIDDEN', `this token does not give the right ${action}${where}; it gives ${held.join(', ') || 'none'}`);
  }

  /** A page of another origin administers this server only if that origin is named. */
  #asSeenFrom(approach: Approach, principal: Principal): Principal {
    if (pageOrigin(approach) === 'own' || this.#config.corsOrigins.includes(approach.origin ?? '')) return principal;
    return { ...principal, grants: principal.grants.filter(({ action }) => action !== 'admin') };
  }
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
