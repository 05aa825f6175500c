/** The gate: who somebody is, and whether they may do what they ask for. Every door asks here, and nobody else decides. */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { sourceNotFound } from '../base/refusals.js';
import { fingerprint } from '../base/secret.js';
import { GRANTABLE, MEANING, type Action, type Right } from './action.js';
import { ambientPrincipal, NOBODY, type Anonymous } from './ambient.js';
import { pageOrigin, type Approach } from './approach.js';
import { AskedRights } from './asked-rights.js';
import { Audit } from './audit.js';
import { Accounts } from './accounts.js';
import { AuthFile } from './auth-file.js';
import { AuthUrl, type AuthUrlStats } from './auth-url.js';
import { FailedLogins } from './failed-logins.js';
import { GuessedUsers } from './guessed-users.js';
import { Jwt, type JwtConfig } from './jwt.js';
import type { Credential } from './login.js';
import { Logins, type LoginConfig, type NewLogin } from './logins.js';
import { Passwords } from './passwords.js';
import { RightsWatch, type Watched } from './rights-watch.js';
import { idOf, isAmbient, may, type Principal, type Scope } from './principal.js';
import { Shorthand, type ShorthandTokens } from './shorthand.js';
import { UserManager } from './user-manager.js';
import { UserStore } from './user-store.js';

/** Who there is, and what those may do who are nobody. */
export interface AccessConfig {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absolute path of AUTH_FILE; empty: there is none. */
  readonly authFile: string;
  /** What JSON Web Tokens are verified by. */
  readonly jwt: JwtConfig;
  /** Address of the server that is asked about tokens that are not known here; empty: there is none. */
  readonly authUrl: string;
  /** Names of all sources. */
  readonly sources: () => readonly string[];
  /** Tokens of single variables. */
  readonly tokens: ShorthandTokens;
  /** How logins of browsers are kept. */
  readonly logins: LoginConfig;
  /** What everybody may do. */
  readonly anonymous: Anonymous;
  /** Names that this server has beside addresses and localhost. */
  readonly serverNames: readonly string[];
  /** Web origins that may use the API; `*` is any, and may administer nothing. */
  readonly corsOrigins: readonly string[];
}

/** What somebody logs in with. */
export type Credentials = { readonly token: string } | { readonly user: string; readonly password: string };

/** Somebody has logged in. */
export interface LoggedIn extends NewLogin {
  /** Who that is. */
  readonly principal: Principal;
}

/** Rights that are for sources, whose names nobody learns who has none for them. */
const SHOWING: readonly Right[] = ['watch', 'data', 'playback', 'admin'];

/** What somebody asked for, as the log has it. */
interface Asked {
  readonly action: Action;
  readonly source?: string | undefined;
}

/** Longer tokens are nobody's. */
const MAX_TOKEN_CHARS = 8192;

/** Says who somebody is and what they may do. */
export class Access {
  /** Where refusals and changes are written down. */
  readonly audit: Audit;
  /** Logins of browsers. */
  readonly logins: Logins;
  /** Users, read and changed. */
  readonly users: UserManager;
  readonly #config: AccessConfig;
  readonly #shorthand: Shorthand;
  readonly #jwt: Jwt;
  readonly #authFile: AuthFile | undefined;
  readonly #authUrl: AuthUrl | undefined;
  readonly #accounts: Accounts;
  readonly #failedLogins: FailedLogins;
  readonly #guessedUsers: GuessedUsers;
  readonly #passwords = new Passwords();
  readonly #watch: RightsWatch;

  /** @throws MediaPeerError CONFIG_INVALID for an AUTH_FILE that cannot be used */
  constructor(config: AccessConfig) {
    const { clock, logger, authFile: file, authUrl: url } = config;
    this.#config = config;
    this.audit = new Audit({ clock, logger });
    this.logins = new Logins(config.logins, { clock, logger });
    this.#shorthand = new Shorthand(config.tokens);
    this.#jwt = new Jwt({ ...config.jwt, takesNoGrants: url !== '' }, { clock, logger });
    this.#failedLogins = new FailedLogins(clock);
    this.#guessedUsers = new GuessedUsers(clock);
    this.#watch = new RightsWatch(clock);
    this.#authFile = file === '' ? undefined : new AuthFile({ file, clock, logger, onChanged: () => this.#watch.check() });
    this.#authUrl = url === '' ? undefined : new AuthUrl({ url, clock, logger, onLost: () => this.#watch.check() });
    const store = new UserStore(config.logins.stateDir);
    this.#accounts = new Accounts(this.#authFile, store);
    this.users = new UserManager({
      store,
      accounts: this.#accounts,
      passwords: this.#passwords,
      hasOtherAdmin: () =>
        config.tokens.adminToken !== '' || this.#jwt.isConfigured || this.#authUrl !== undefined || config.anonymous === 'all',
      onChanged: () => this.#watch.check(),
    });
  }

  /** True where anybody is named who may use this server. */
  get hasPrincipals(): boolean {
    return this.#shorthand.isConfigured || this.#jwt.isConfigured || this.#accounts.isConfigured || this.#authUrl !== undefined;
  }

  /** What became of the questions to AUTH_URL; undefined where there is none. */
  get authUrlStats(): AuthUrlStats | undefined {
    return this.#authUrl?.stats;
  }

  /**
   * Who somebody is: by the token that they show, else by where they come from. Where nobody is named, a token says nothing. That a
   * token is nobody's is written down.
   * @param asked what it is shown for
   * @throws MediaPeerError UNAUTHORIZED for a token of nobody, TOO_MANY_REQUESTS for one such too many from this address
   */
  async identify(approach: Approach, asked: Asked = { action: 'session' }): Promise<Principal> {
    try {
      return await this.#recognise(approach);
    } catch (error) {
      if (error instanceof MediaPeerError) this.audit.refused({ who: undefined, address: approach.address, ...asked }, error.code);
      throw error;
    }
  }

  /** Who somebody is by now that was somebody before: nobody, where their token says nothing any more. Never rejects. */
  async recall(approach: Approach, before: Principal): Promise<Principal> {
    // What stands in the configuration lasts as long as the server.
    if (before.kind === 'token' && approach.token !== undefined) return before;
    return this.#find(approach, true).then(
      (principal) => principal ?? NOBODY,
      () => NOBODY,
    );
  }

  /**
   * Begins a login; one that the same browser had ends.
   * @throws MediaPeerError UNAUTHORIZED, TOO_MANY_REQUESTS for what is wrong; CAPACITY_REACHED where too many log in; ORIGIN_REFUSED for a page of
   *   another origin; BODY_INVALID for a token that is too long
   */
  async logIn(approach: Approach, credentials: Credentials): Promise<LoggedIn> {
    const { address } = approach;
    try {
      if (pageOrigin(approach) !== 'own')
        throw new MediaPeerError('ORIGIN_REFUSED', 'pages of other origins do not log in here: they send Authorization: Bearer <token>');
      if (!this.hasPrincipals)
        throw new MediaPeerError('UNAUTHORIZED', 'nobody is named who could log in: set ADMIN_TOKEN, or name users by AUTH_FILE');
      const { principal, credential } = await ('token' in credentials
        ? this.#byToken(approach, credentials.token)
        : this.#byPassword(approach, credentials));
      const login = this.logins.begin(credential);
      if (this.logins.end(approach)) this.#watch.check();
      this.audit.noted({ who: idOf(principal), address, action: 'login' });
      return { ...login, principal };
    } catch (error) {
      const named = 'user' in credentials ? this.#accounts.named(credentials.user) : undefined;
      if (error instanceof MediaPeerError)
        this.audit.refused({ who: named && idOf(named.principal), address, action: 'login' }, error.code);
      throw error;
    }
  }

  /** Ends the login of a cookie, and what goes on by it; without one nothing happens. @throws MediaPeerError ORIGIN_REFUSED for a page of another origin */
  async logOut(approach: Approach): Promise<void> {
    const principal = await this.#find({ ...approach, token: undefined });
    if (principal?.unheeded?.code === 'ORIGIN_REFUSED') throw new MediaPeerError('ORIGIN_REFUSED', principal.unheeded.why);
    if (!this.logins.end(approach)) return;
    this.audit.noted({ who: principal && idOf(principal), address: approach.address, action: 'logout' });
    this.#watch.check();
  }

  /** Watches until the returned function is called that somebody still has a right. */
  watchRights(watched: Watched): () => void {
    return this.#watch.add(watched);
  }

  /** Looks at no file and asks nobody any more; resolves when all is written. Idempotent. */
  async close(): Promise<void> {
    this.#authUrl?.close();
    await Promise.all([this.#authFile?.close(), this.logins.close()]);
  }

  /** Whether somebody may do that. @param scope default: for every source @throws MediaPeerError TOO_MANY_REQUESTS for guesses that AUTH_URL is asked about */
  async may(principal: Principal, action: Action, scope: Scope = 'every'): Promise<boolean> {
    return principal.decider ? (await principal.decider.decide(action, scope)) === 'allowed' : may(principal, action, scope);
  }

  /**
   * Lets somebody do that; that they are refused is written down.
   * @param address by which their client is counted
   * @throws MediaPeerError UNAUTHORIZED where somebody else may, FORBIDDEN where this one may not, SOURCE_NOT_FOUND for a
   *   source that this one must not know of, whether or not there is one; TOO_MANY_REQUESTS for guesses that AUTH_URL is asked about.
   */
  async demand(principal: Principal, action: Action, scope: Scope = 'every', address = ''): Promise<void> {
    try {
      const { decider } = principal;
      const decided = decider ? await decider.decide(action, scope) : may(principal, action, scope) ? 'allowed' : 'denied';
      if (decided === 'allowed') return;
      if (decided === 'unknown') throw undecided();
      throw decider?.isKnown === false ? ofNobody() : await this.#refusal(principal, action as Right, scope);
    } catch (error) {
      const who = principal.decider?.isKnown === false ? undefined : idOf(principal);
      const source = typeof scope === 'object' ? scope.source : undefined;
      if (error instanceof MediaPeerError) this.audit.refused({ who, address, action, source }, error.code);
      throw error;
    }
  }

  /** As `identify` and `demand`. @param identified who it is, where that was asked before @throws MediaPeerError as those */
  async admit(approach: Approach, action: Action, scope?: Scope, identified?: Promise<Principal>): Promise<Principal> {
    const source = typeof scope === 'object' ? scope.source : undefined;
    const principal = await (identified ?? this.identify(approach, { action, source }));
    await this.demand(principal, action, scope, approach.address);
    return principal;
  }

  /** The rights that somebody has. @param scope default: for any source @throws MediaPeerError as `may` */
  async rightsOf(principal: Principal, scope: Scope = 'some'): Promise<Right[]> {
    if (principal.decider && scope === 'some') return principal.decider.rights();
    const hasRight = await Promise.all(GRANTABLE.map((right) => this.may(principal, right, scope)));
    return GRANTABLE.filter((_right, i) => hasRight[i]);
  }

  /** Those of some sources for which somebody has a right. @throws MediaPeerError as `may` */
  async permitted(principal: Principal, action: Right, sources: readonly string[]): Promise<string[]> {
    const { decider } = principal;
    return decider ? decider.permitted(action, sources) : sources.filter((source) => may(principal, action, { source }));
  }

  /** An error as somebody may read it: without the names of sources that they may not watch. */
  async readable(principal: Principal, error: MediaPeerError): Promise<MediaPeerError> {
    const { sourceId, available } = error.details;
    if (error.code === 'ROOM_TAKEN' && typeof sourceId === 'string') return this.#readableTaken(principal, error, sourceId);
    if (error.code !== 'SOURCE_NOT_FOUND' || typeof sourceId !== 'string' || !isList(available)) return error;
    const known = await this.permitted(principal, 'watch', available);
    return known.length === available.length ? error : sourceNotFound(sourceId, known);
  }

  /** Whoever may publish under any name must not find out by trying which sources there are, and of what kind. */
  async #readableTaken(principal: Principal, error: MediaPeerError, source: string): Promise<MediaPeerError> {
    const mayKnow = await Promise.all(SHOWING.map((right) => this.may(principal, right, { source })));
    if (mayKnow.includes(true)) return error;
    return new MediaPeerError('ROOM_TAKEN', `room '${source}' is taken; choose another name, or wait until it is free`, {
      retryAfterS: TAKEN_RETRY_S,
    });
  }

  async #refusal(principal: Principal, action: Right, scope: Scope): Promise<MediaPeerError> {
    if (typeof scope === 'object' && action !== 'publish' && (await this.may(principal, action, 'some'))) {
      const { source } = scope;
      const mayKnow = await Promise.all(SHOWING.map((right) => this.may(principal, right, scope)));
      if (!mayKnow.includes(true)) return sourceNotFound(source);
    }
    if (principal.unheeded) return new MediaPeerError(principal.unheeded.code, principal.unheeded.why);
    if (isAmbient(principal))
      return new MediaPeerError(
        'UNAUTHORIZED',
        `a token is needed to ${MEANING[action]}: send 'Authorization: Bearer <token>', or "token" in the message join of /ws; browsers log in (POST /login)`,
      );
    if (principal.decider)
      return new MediaPeerError(
        'FORBIDDEN',
        `this token does not give the right ${action}${nameOf(scope)}: the server of AUTH_URL says no`,
      );
    const held = await this.rightsOf(principal);
    const where = nameOf(scope) || (may(principal, action, 'some') ? ' for all sources' : '');
    return new MediaPeerError('FORBIDDEN', `this token does not give the right ${action}${where}; it gives ${held.join(', ') || 'none'}`);
  }

  /** @throws MediaPeerError as `identify` */
  async #recognise(approach: Approach): Promise<Principal> {
    const { address } = approach;
    const principal = await this.#find(approach).catch((error: unknown) => {
      if (error instanceof MediaPeerError && error.details['isGuess'] !== false) this.#failedLogins.count(address);
      throw error;
    });
    if (principal) return principal;
    this.#failedLogins.count(address);
    throw ofNobody();
  }

  /** Undefined for a token of nobody. @param isKept true for what was let in before */
  async #find(approach: Approach, isKept = false): Promise<Principal | undefined> {
    const { token } = approach;
    const { hasPrincipals } = this;
    const ambient = (): Principal => ambientPrincipal(approach, { ...this.#config, hasPrincipals });
    if (!hasPrincipals) return ambient();
    if (token !== undefined) return this.#ofToken(approach, token);
    const shown = this.logins.shownBy(approach, isKept);
    if (!shown) return ambient();
    if ('unheeded' in shown) return { ...ambient(), unheeded: shown.unheeded };
    const { credential } = shown;
    const principal =
      'token' in credential ? await this.#ofToken(approach, credential.token).catch(none) : this.#ofStamp(approach, credential);
    return (
      principal ?? { ...ambient(), unheeded: { code: 'UNAUTHORIZED', why: 'what this login was made with counts no more: log in again' } }
    );
  }

  async #ofToken(approach: Approach, token: string): Promise<Principal | undefined> {
    if (token === '') return undefined;
    const user = this.#accounts.withToken(token);
    const known = this.#shorthand.find(token) ?? (user?.isAllowedFrom(approach.ip) === true ? user.principal : undefined);
    if (known) return this.#asSeenFrom(approach, known);
    const holder = await this.#jwt.verify(token);
    if (holder?.hasGrants === true) return this.#asSeenFrom(approach, holder.principal);
    return this.#askedAbout({ ...approach, token }, holder?.principal);
  }

  /** Whoever is not known here is asked about. @param holder of a token that holds, but says nothing of rights */
  #askedAbout(approach: Approach & { readonly token: string }, holder: Principal | undefined): Principal | undefined {
    const { token } = approach;
    if (!this.#authUrl || token.length > MAX_TOKEN_CHARS) return undefined;
    const decider = new AskedRights({
      server: this.#authUrl,
      failedLogins: this.#failedLogins,
      sources: this.#config.sources,
      approach,
      user: holder?.name ?? null,
      mayAdminister: this.#mayAdminister(approach),
    });
    return { ...(holder ?? { name: fingerprint(token), kind: 'asked', grants: [] }), decider };
  }

  #ofStamp(approach: Approach, { user, stamp }: { readonly user: string; readonly stamp: string }): Principal | undefined {
    const known = this.#accounts.named(user);
    if (known?.passwordStamp !== stamp || !known.isAllowedFrom(approach.ip)) return undefined;
    return this.#asSeenFrom(approach, known.principal);
  }

  async #byToken(approach: Approach, token: string): Promise<{ readonly principal: Principal; readonly credential: Credential }> {
    const principal = await this.#recognise({ ...approach, token });
    // Whoever else decides takes no token that is good for nothing.
    if (principal.decider && (await this.rightsOf(principal)).length === 0)
      throw this.authUrlStats?.fault === undefined ? ofNobody() : undecided();
    return { principal, credential: { token } };
  }

  async #byPassword(
    { address, ip }: Approach,
    { user, password }: { readonly user: string; readonly password: string },
  ): Promise<{ readonly principal: Principal; readonly credential: Credential }> {
    const takeBack = this.#beginPassword(user, address);
    const known = this.#accounts.named(user);
    const hash = known?.entry.password;
    const checked = { hash, decoy: hash === undefined ? this.#accounts.decoyFor(user) : undefined, owner: address };
    const isRight = await this.#passwords.isRight(password, checked).catch((error: unknown) => {
      takeBack();
      throw error;
    });
    if (!isRight || known?.passwordStamp === undefined || !known.isAllowedFrom(ip))
      throw new MediaPeerError('UNAUTHORIZED', 'user and password do not fit, or do not count from here');
    takeBack();
    this.#guessedUsers.wasRight(user, address);
    return { principal: known.principal, credential: { user, stamp: known.passwordStamp } };
  }

  /** Counts a password before it is looked at. @returns takes it back @throws MediaPeerError TOO_MANY_REQUESTS */
  #beginPassword(user: string, address: string): () => void {
    const ofAddress = this.#failedLogins.begin(address);
    try {
      const ofUser = this.#guessedUsers.begin(user, address);
      return () => {
        ofAddress();
        ofUser();
      };
    } catch (error) {
      ofAddress();
      throw error;
    }
  }

  #asSeenFrom(approach: Approach, principal: Principal): Principal {
    if (this.#mayAdminister(approach)) return principal;
    return { ...principal, grants: principal.grants.filter(({ action }) => action !== 'admin') };
  }

  /** A page of another origin administers this server only if that origin is named. */
  #mayAdminister(approach: Approach): boolean {
    return pageOrigin(approach) === 'own' || this.#config.corsOrigins.includes(approach.origin ?? '');
  }
}

/** How soon a room that is taken may be free. */
const TAKEN_RETRY_S = 2;
/** How soon a server that did not answer may do so again. */
const UNDECIDED_RETRY_S = 5;

function undecided(): MediaPeerError {
  return new MediaPeerError('FORBIDDEN', 'the server that says who may do what cannot be asked at the moment; try again in a few seconds', {
    retryAfterS: UNDECIDED_RETRY_S,
  });
}

function ofNobody(): MediaPeerError {
  return new MediaPeerError('UNAUTHORIZED', 'the token is not one of this server; ask whoever runs it for another one');
}

function nameOf(scope: Scope): string {
  return typeof scope === 'object' ? ` '${scope.source.slice(0, 80)}'` : '';
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** A token that holds no more is one of nobody. */
function none(error: unknown): undefined {
  if (!(error instanceof MediaPeerError)) throw error;
}
