/**
 * Logins of browsers: a cookie, or an address that is signed for a minute, holds how somebody has shown who they are, sealed. What
 * they may do is looked up each time, so rights and users that go are gone at once, and any server with the same secret knows them.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { isOfOwnPage, type Approach } from './approach.js';
import { asLogin, asSigned, type Credential, type Login, type Signed } from './login.js';
import { loginSecret } from './login-secret.js';
import { Logouts } from './logouts.js';
import type { UnheededLogin } from './principal.js';
import { MAX_SEALED_CHARS, Seal, type Purpose } from './seal.js';

const ID_BYTES = 16;
/** How long a signed address may be opened. */
const URL_TTL_S = 60;
/** By how much the clocks of two servers may differ. */
const SKEW_S = 300;

/** How logins are kept. */
export interface LoginConfig {
  /** LOGIN_SECRET; empty: a random one in STATE_DIR. */
  readonly secret: string;
  /** How long a login lasts, in seconds. */
  readonly ttlS: number;
  /** Absolute path of STATE_DIR. */
  readonly stateDir: string;
}

/** A login that begins. */
export interface NewLogin {
  /** For the cookie. */
  readonly sealed: string;
  /** How long it lasts, in seconds. */
  readonly lifeS: number;
  /** When it ends, in seconds of Unix time. */
  readonly untilS: number;
}

/** What was shown: a credential, or one that does not count, with the reason. */
export type Shown = { readonly credential: Credential } | { readonly unheeded: UnheededLogin };

const OVER: Shown = { unheeded: { code: 'UNAUTHORIZED', why: 'the login has ended: log in again (POST /login)' } };
const OF_OTHERS: Shown = {
  unheeded: {
    code: 'ORIGIN_REFUSED',
    why: 'a login by cookie counts only for pages of this server: what changes something, and /ws, needs the header Origin of such a page; others send Authorization: Bearer <token>',
  },
};
const URL_OVER: Shown = {
  unheeded: {
    code: 'UNAUTHORIZED',
    why: `the signature of this address does not hold: it lasts ${URL_TTL_S} s, for its own path, as long as its login does`,
  },
};

/** Makes, reads and ends logins. */
export class Logins {
  readonly #config: LoginConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #logouts: Logouts;
  #kept: Seal | undefined;

  constructor(config: LoginConfig, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#config = config;
    this.#clock = clock;
    this.#logger = logger;
    this.#logouts = new Logouts({ stateDir: config.stateDir, clock, logger });
  }

  /** Name of the cookie. Browsers give cookies of one host to all its ports: servers with other secrets have other names. @param isSecure over https */
  cookieName(isSecure: boolean): string {
    // A cookie with this prefix is set by no neighbour with a name of the same domain, and by nobody over http.
    return `${isSecure ? '__Host-' : ''}sightline_${this.#seal.name}`;
  }

  /** What was shown by a cookie or a signed address; undefined where neither was. @param isKept true for what was opened before: a signed address may have ended since */
  shownBy(approach: Approach, isKept = false): Shown | undefined {
    const { signature, login } = approach;
    if (signature !== undefined) return this.#signed(approach, signature, isKept);
    if (login === undefined) return undefined;
    if (!isOfOwnPage(approach)) return OF_OTHERS;
    const opened = this.#open(login);
    return opened ? { credential: opened.credential } : OVER;
  }

  /** Begins a login. @throws MediaPeerError BODY_INVALID where a token is too long to be kept in a cookie */
  begin(credential: Credential): NewLogin {
    const fromS = Math.floor(this.#clock.wallClock() / 1000);
    const untilS = fromS + this.#config.ttlS;
    const login: Login = { id: randomBytes(ID_BYTES).toString('base64url'), from_s: fromS, until_s: untilS, credential };
    return { sealed: this.#sealed('login', login), lifeS: this.#config.ttlS, untilS };
  }

  /** Ends the login of a cookie. False where there is none. */
  end({ login }: Pick<Approach, 'login'>): boolean {
    const opened = login === undefined ? undefined : this.#open(login);
    if (opened) this.#logouts.add(opened.id, { fromMs: opened.from_s * 1000, untilMs: opened.until_s * 1000 });
    return opened !== undefined;
  }

  /** When the login of a cookie ends, in seconds of Unix time; undefined where none is what counts. */
  endOf(approach: Approach): number | undefined {
    if (approach.login === undefined || approach.token !== undefined || !isOfOwnPage(approach)) return undefined;
    const login = this.#open(approach.login);
    return login && this.#endOf(login);
  }

  /**
   * Signs paths for whoever has shown a token or a login; without either they stay as they are.
   * @param paths of this server, such as `/snapshot/demo.jpg?width=480` @throws MediaPeerError BODY_INVALID where a token is too long
   */
  sign(approach: Approach, paths: readonly string[]): { readonly urls: string[]; readonly untilS: number } {
    const untilS = Math.floor(this.#clock.wallClock() / 1000) + URL_TTL_S;
    const login = approach.token === undefined && isOfOwnPage(approach) ? this.#open(approach.login ?? '') : undefined;
    const credential = approach.token === undefined ? login?.credential : { token: approach.token };
    if (!credential) return { urls: [...paths], untilS };
    const urls = paths.map((path) => {
      const signed: Signed = { path: pathOf(path), until_s: untilS, credential, ...(login && { login: withoutCredential(login) }) };
      return `${path}${path.includes('?') ? '&' : '?'}signature=${this.#sealed('url', signed)}`;
    });
    return { urls, untilS };
  }

  /** Resolves when what has ended is written down. */
  close(): Promise<void> {
    return this.#logouts.close();
  }

  /** Read when it is needed: many servers have no logins. */
  get #seal(): Seal {
    this.#kept ??= new Seal(loginSecret({ ...this.#config, logger: this.#logger }));
    return this.#kept;
  }

  #sealed(purpose: Purpose, value: object): string {
    const sealed = this.#seal.seal(purpose, value);
    if (sealed.length <= MAX_SEALED_CHARS) return sealed;
    throw new MediaPeerError('BODY_INVALID', 'this token is too long for a cookie or an address: send it as Authorization: Bearer <token>');
  }

  #open(sealed: string): Login | undefined {
    const login = asLogin(this.#seal.open('login', sealed));
    return login && this.#counts(login) ? login : undefined;
  }

  #signed({ path = '' }: Approach, signature: string, isKept: boolean): Shown {
    const signed = asSigned(this.#seal.open('url', signature));
    if (signed?.path !== pathOf(path)) return URL_OVER;
    const isOpen = isKept || this.#clock.wallClock() < signed.until_s * 1000;
    return isOpen && (!signed.login || this.#counts(signed.login)) ? { credential: signed.credential } : URL_OVER;
  }

  #counts(login: Omit<Login, 'credential'>): boolean {
    const { id, from_s: fromS } = login;
    const nowS = this.#clock.wallClock() / 1000;
    return nowS < this.#endOf(login) && fromS <= nowS + SKEW_S && !this.#logouts.has(id, fromS * 1000);
  }

  /** A shorter lifetime counts for logins that there are. */
  #endOf({ from_s: fromS, until_s: untilS }: Omit<Login, 'credential'>): number {
    return Math.min(untilS, fromS + this.#config.ttlS);
  }
}

function withoutCredential({ id, from_s, until_s }: Login): NonNullable<Signed['login']> {
  return { id, from_s, until_s };
}

/** As a URL has it, whichever way it was written. */
function pathOf(path: string): string {
  return URL.canParse(path, 'http://sightline') ? new URL(path, 'http://sightline').pathname : '';
}
