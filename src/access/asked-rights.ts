/**
 * The rights of somebody whose token is not known here: each is asked for at AUTH_URL. Lists ask few questions, whatever there is to
 * list; and whoever shows tokens that are good for nothing is braked before it is asked about, so that guesses flood nobody.
 */
import { matchesGlob } from '../base/glob.js';
import { fingerprint } from '../base/secret.js';
import { GRANTABLE, type Action, type Right } from './action.js';
import type { Approach } from './approach.js';
import type { Verdict } from './auth-url-request.js';
import type { AuthUrl } from './auth-url.js';
import type { FailedLogins } from './failed-logins.js';
import type { Decider, Scope } from './principal.js';

/** Whose rights are asked for, and where. */
export interface AskedRightsInit {
  /** Says yes or no. */
  readonly server: AuthUrl;
  /** Brakes guesses. */
  readonly failedLogins: FailedLogins;
  /** Names of all sources. */
  readonly sources: () => readonly string[];
  /** How it came. */
  readonly approach: Approach & { readonly token: string };
  /** Who it is, where that is known; null: it is not. */
  readonly user: string | null;
  /** False: it comes from a page that may administer nothing. */
  readonly mayAdminister: boolean;
}

/** Rights that are about sources. */
const OF_SOURCES: ReadonlySet<Action> = new Set<Right>(['watch', 'data', 'publish', 'playback']);
/** Sources that are tried one by one, where the server says no to a question about none. */
const MAX_TRIED = 16;
/** Sources of a list that are asked about one by one. */
const MAX_LISTED = 200;

/** What one client may do, as the server of AUTH_URL says. */
export class AskedRights implements Decider {
  readonly #init: AskedRightsInit;
  /** That it goes on with, by its hash; null: one without an id. Undefined: it only begins. */
  readonly #session: string | null | undefined;

  constructor(init: AskedRightsInit, session?: string | null) {
    this.#init = init;
    this.#session = session;
  }

  get isKnown(): boolean {
    return this.#init.user !== null || this.#init.server.isKnown(this.#init.approach.token);
  }

  inSession(id: string | undefined): AskedRights {
    const session = id === undefined ? null : fingerprint(id);
    return session === this.#session ? this : new AskedRights(this.#init, session);
  }

  async decide(action: Action, scope: Scope): Promise<Verdict['kind']> {
    if (action === 'public' || action === 'session') return 'allowed';
    if (action === 'admin' && !this.#init.mayAdminister) return 'denied';
    const { kind } = await this.#tried(
      () =>
        typeof scope === 'object' ? this.#ask(action, scope.source) : scope === 'every' ? this.#ask(action, '*') : this.#askForSome(action),
      (verdict) => verdict.kind === 'denied',
    );
    return kind;
  }

  async rights(): Promise<Right[]> {
    const asked = GRANTABLE.filter((right) => right !== 'admin' || this.#init.mayAdminister);
    const verdicts = await this.#tried(
      () => Promise.all(asked.map((right) => this.#askForSome(right))),
      (all) => all.every(({ kind }) => kind === 'denied'),
    );
    return asked.filter((_right, i) => verdicts[i]?.kind === 'allowed');
  }

  async permitted(action: Right, sources: readonly string[]): Promise<string[]> {
    if (sources.length === 0 || (action === 'admin' && !this.#init.mayAdminister)) return [];
    const { found } = await this.#tried(
      () => this.#askForList(action, sources),
      ({ isDenied }) => isDenied,
    );
    return found;
  }

  /** Asks about one that may be a guess only as often as guesses are asked about. @throws MediaPeerError TOO_MANY_REQUESTS */
  async #tried<T>(ask: () => Promise<T>, isDenied: (answer: T) => boolean): Promise<T> {
    if (this.isKnown) return ask();
    const { failedLogins, approach } = this.#init;
    const end = await failedLogins.beginTrial(approach.address, approach.token);
    const answer = await ask().catch((error: unknown) => {
      end(false);
      throw error;
    });
    end(isDenied(answer) && !this.isKnown);
    return answer;
  }

  async #askForList(action: Right, sources: readonly string[]): Promise<{ readonly found: string[]; readonly isDenied: boolean }> {
    const some = await this.#ask(action, null);
    if (some.kind === 'allowed' && some.sources) {
      const found = sources.filter((source) => some.sources?.some((glob) => matchesGlob(glob, source)));
      return { found, isDenied: false };
    }
    if (some.kind === 'unknown') return { found: [], isDenied: false };
    if (sources.length > MAX_TRIED && (await this.#ask(action, '*')).kind === 'allowed') return { found: [...sources], isDenied: false };
    const verdicts = await Promise.all(sources.slice(0, MAX_LISTED).map((source) => this.#ask(action, source)));
    const found = sources.filter((_source, i) => verdicts[i]?.kind === 'allowed');
    return { found, isDenied: found.length === 0 };
  }

  /** For any source. A server that says yes for a single one only is asked about some. */
  async #askForSome(action: Right): Promise<Verdict> {
    const verdict = await this.#ask(action, null);
    if (verdict.kind !== 'denied' || !OF_SOURCES.has(action)) return verdict;
    const tried = await Promise.all(
      this.#init
        .sources()
        .slice(0, MAX_TRIED)
        .map((source) => this.#ask(action, source)),
    );
    return tried.find(({ kind }) => kind === 'allowed') ?? verdict;
  }

  #ask(action: Right, source: string | null): Promise<Verdict> {
    const { server, user, approach } = this.#init;
    const { token, ip, protocol = 'http' } = approach;
    const question = { action, source, user, token, ip, protocol, session: this.#session ?? null };
    return server.ask(question, { isOngoing: this.#session !== undefined, owner: approach.address });
  }
}
