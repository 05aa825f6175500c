/** The rights that a session goes on with after it was opened: asked again whenever it turns to something else, and while it lasts. */
import type { MediaPeerError } from '../base/errors.js';
import type { Access } from './access.js';
import type { Right } from './action.js';
import type { Approach } from './approach.js';
import { isAmbient, may, type Principal, type Scope } from './principal.js';

/** What ends where the right for it ends. */
export interface Guarded {
  /** The right. */
  readonly action: Right;
  /** The sources that it is for now, each of which it needs the right for; they may change. Empty: it is enough to have it for any. */
  readonly sources: () => readonly string[];
  /** Called once, when the right is lost. */
  readonly onLost: () => void;
}

/** What the client of one session may do. */
export class HeldRights {
  readonly #access: Access;
  #approach: Approach;
  #principal: Principal;
  #guarded: Guarded | undefined;

  constructor(access: Access, approach: Approach, principal: Principal) {
    this.#access = access;
    this.#approach = approach;
    this.#principal = principal;
  }

  /** Who the client is. */
  get principal(): Principal {
    return this.#principal;
  }

  /** True where its client has shown who it is; false where it may what it may by where it comes from. */
  get wasShown(): boolean {
    return !isAmbient(this.#principal);
  }

  /** Whether it may be sent a source. */
  mayWatch(source: string): Promise<boolean> {
    return this.#access.may(this.#principal, 'watch', { source });
  }

  /** Whether it may be told what is detected in a source; undefined: in all that there are and will be. */
  mayHaveData(source: string | undefined): boolean {
    return may(this.#principal, 'data', source === undefined ? 'every' : { source });
  }

  /** An error as it may read it. */
  readable(error: MediaPeerError): Promise<MediaPeerError> {
    return this.#access.readable(this.#principal, error);
  }

  /** Watches that the right does not end, until the returned function is called. */
  guard(guarded: Guarded): () => void {
    this.#guarded = guarded;
    return this.#access.watchRights({ stillHas: () => this.#stillHas(guarded), onLost: guarded.onLost });
  }

  /**
   * The client shows another token before the one that it has expires.
   * @throws MediaPeerError UNAUTHORIZED, TOO_MANY_REQUESTS; FORBIDDEN, SOURCE_NOT_FOUND where that does not give the right; then nothing has changed
   */
  async renew(token: string): Promise<void> {
    const approach = { ...this.#approach, token };
    await this.#move(approach);
  }

  /**
   * The client came back, maybe from elsewhere, and maybe with another token.
   * @throws MediaPeerError as `renew`, where what it has shown does not hold there
   */
  async resume(approach: Approach): Promise<void> {
    const { token, login } = this.#approach;
    await this.#move({ ...approach, token: approach.token ?? token, login: approach.login ?? login });
  }

  async #move(approach: Approach): Promise<void> {
    const principal = await this.#access.identify(approach);
    const { action, sources } = this.#guarded ?? {};
    if (action && sources) for (const scope of scopesOf(sources())) await this.#access.demand(principal, action, scope);
    this.#approach = approach;
    this.#principal = principal;
  }

  async #stillHas({ action, sources }: Guarded): Promise<boolean> {
    const approach = this.#approach;
    const principal = await this.#access.recall(approach, this.#principal);
    // It has shown something else meanwhile, which holds.
    if (approach !== this.#approach) return true;
    this.#principal = principal;
    for (const scope of scopesOf(sources())) if (!(await this.#access.may(this.#principal, action, scope))) return false;
    return true;
  }
}

function scopesOf(sources: readonly string[]): Scope[] {
  return sources.length === 0 ? ['some'] : sources.map((source) => ({ source }));
}
