/** The rights that a session goes on with after it was opened: asked again whenever it turns to something else, and while it lasts. */
import type { MediaPeerError } from '../base/errors.js';
import type { Access } from './access.js';
import type { Right } from './action.js';
import type { Approach } from './approach.js';
import { idOf, isAmbient, may, type Principal, type Scope } from './principal.js';

/** Sources of whose detections one client may be told, where somebody else decides; of the others it is told nothing. */
const MAX_DATA_SOURCES = 256;

/** What ends where the right for it ends. */
export interface Guarded {
  /** The right. */
  readonly action: Right;
  /** The sources that it is for now, each of which it needs the right for; they may change. Empty: it is enough to have it for any. `every`: it needs it for all that there are and will be. */
  readonly sources: () => readonly string[] | 'every';
  /** Id of the session that it is; undefined where there is none at the moment. Default: none. */
  readonly session?: () => string | undefined;
  /** Called once, when the right is lost. */
  readonly onLost: () => void;
}

/** What the client of one session may do. */
export class HeldRights {
  readonly #access: Access;
  #approach: Approach;
  #principal: Principal;
  #guarded: Guarded | undefined;
  /** Of whom somebody else decides on: of which sources it may be told what is detected, as it was last said. `*`: all. */
  readonly #data = new Map<string, boolean>();

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
  async mayWatch(source: string): Promise<boolean> {
    const [mayWatch] = await Promise.all([this.#access.may(this.#asking(), 'watch', { source }), this.lookAtData([source])]);
    if (!mayWatch)
      this.#access.audit.refused(
        { who: idOf(this.#principal), address: this.#approach.address, action: 'watch', source },
        'SOURCE_NOT_FOUND',
      );
    return mayWatch;
  }

  /** Whether it may be sent what was recorded of a source. */
  async mayPlayBack(source: string): Promise<boolean> {
    const mayPlayBack = await this.#access.may(this.#asking(), 'playback', { source });
    if (!mayPlayBack)
      this.#access.audit.refused({ who: idOf(this.#principal), address: this.#approach.address, action: 'playback', source }, 'FORBIDDEN');
    return mayPlayBack;
  }

  /** Whether it may be told what is detected in a source; undefined: in all that there are and will be. Where somebody else decides, once that was looked at. */
  mayHaveData(source: string | undefined): boolean {
    if (!this.#principal.decider) return may(this.#principal, 'data', source === undefined ? 'every' : { source });
    if (this.#data.get('*') === true) return true;
    const answer = this.#data.get(source ?? '*');
    if (answer === undefined) void this.lookAtData([source ?? '*']);
    return answer === true;
  }

  /** Where somebody else decides: asks of which sources it may be told what is detected, now and as long as it lasts. Never rejects. @param sources `*`: all */
  async lookAtData(sources: readonly string[]): Promise<void> {
    if (!this.#principal.decider) return;
    for (const source of sources) if (this.#data.size < MAX_DATA_SOURCES && !this.#data.has(source)) this.#data.set(source, false);
    await this.#askForData(sources.filter((source) => this.#data.has(source)));
  }

  /** An error as it may read it. */
  readable(error: MediaPeerError): Promise<MediaPeerError> {
    return this.#access.readable(this.#principal, error);
  }

  /** Watches that the right does not end, until the returned function is called. */
  guard(guarded: Guarded): () => void {
    this.#guarded = guarded;
    const sources = guarded.sources();
    if (guarded.action !== 'publish' && sources !== 'every') void this.lookAtData(sources);
    const onLost = (): void => {
      this.#data.clear();
      guarded.onLost();
    };
    return this.#access.watchRights({ stillHas: () => this.#stillHas(guarded), onLost });
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
    if (action && sources) for (const scope of scopesOf(sources())) await this.#access.demand(principal, action, scope, approach.address);
    this.#approach = approach;
    this.#principal = principal;
  }

  async #stillHas({ action, sources }: Guarded): Promise<boolean> {
    const approach = this.#approach;
    const principal = await this.#access.recall(approach, this.#principal);
    // It has shown something else meanwhile, which holds.
    if (approach !== this.#approach) return true;
    this.#principal = principal;
    if (!principal.decider) return scopesOf(sources()).every((scope) => may(principal, action, scope));
    void this.#askForData([...this.#data.keys()]);
    const answers = await Promise.all(
      scopesOf(sources()).map((scope) => this.#access.may(this.#asking(), action, scope).catch(() => false)),
    );
    return approach !== this.#approach || !answers.includes(false);
  }

  /** As whom it asks: one that goes on with its session. */
  #asking(): Principal {
    const { decider } = this.#principal;
    return decider ? { ...this.#principal, decider: decider.inSession(this.#guarded?.session?.()) } : this.#principal;
  }

  async #askForData(sources: readonly string[]): Promise<void> {
    const named = sources.filter((source) => source !== '*');
    // Whoever is asked about too often is told nothing.
    const [mayHaveAll, permitted] = await Promise.all([
      sources.includes('*') && this.#access.may(this.#asking(), 'data', 'every').catch(() => false),
      this.#access.permitted(this.#asking(), 'data', named).catch((): string[] => []),
    ]);
    const answers = [['*', mayHaveAll] as const, ...named.map((source) => [source, permitted.includes(source)] as const)];
    // What was forgotten meanwhile is lost.
    for (const [source, answer] of answers) if (this.#data.has(source)) this.#data.set(source, answer);
  }
}

function scopesOf(sources: readonly string[] | 'every'): Scope[] {
  if (sources === 'every') return [sources];
  return sources.length === 0 ? ['some'] : sources.map((source) => ({ source }));
}
