/**
 * How often one address may show a wrong token or password, at all doors together. Over the limit a wrong token is answered 429
 * instead of 401, and a right one is still taken: others behind the same NAT are not locked out by whoever guesses. A password,
 * which can be guessed and costs time, is not even looked at then.
 */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { RETRY_AFTER_S } from '../base/refusals.js';

/** Wrong tokens a minute and address. */
const MAX_FAILURES = 10;
const PERIOD_MS = 60_000;
/** Of addresses over the limit, tokens that somebody else has to be asked about, a second. */
const MAX_BEYOND = 10;
const BEYOND_PERIOD_MS = 1000;
/** Tokens of one address that wait for what becomes of those before. */
const MAX_WAITING = 100;
/** Addresses that are remembered; the ones that failed longest ago are forgotten first. */
const MAX_ADDRESSES = 10_000;

/** A token that somebody else is asked about. */
interface Trial {
  /** Requests that showed it. */
  users: number;
  /** As far as is known. */
  isGuess: boolean;
}

/** Of one address. */
interface Trials {
  readonly byToken: Map<string, Trial>;
  readonly waiting: (() => void)[];
}

/** Counts wrong tokens by address, over a sliding window. */
export class FailedLogins {
  readonly #clock: Clock;
  /** When each address failed, the oldest first; addresses in the order of their last failure. */
  readonly #failures = new Map<string, number[]>();

  readonly #trials = new Map<string, Trials>();
  #beyondSinceMs = -Infinity;
  #beyond = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Lets somebody be asked about a token that was never good for anything. It is counted before: of one address no more are under
   * way than may be wrong, the others wait for what becomes of those. Of addresses that have shown too many wrong ones only a few
   * are asked about, all of them together: the right one among them gets through, and who is asked is not flooded.
   * @returns to be called at the end, with whether it was good for nothing; that throws TOO_MANY_REQUESTS where that is one too many
   * @throws MediaPeerError TOO_MANY_REQUESTS
   */
  async beginTrial(address: string, token: string): Promise<(isGuess: boolean) => void> {
    while (this.#isToWait(address, token)) await this.#whenOneEnds(address);
    const trials = this.#trials.get(address) ?? { byToken: new Map<string, Trial>(), waiting: [] };
    const trial = trials.byToken.get(token) ?? { users: 0, isGuess: true };
    trial.users++;
    trials.byToken.set(token, trial);
    this.#trials.set(address, trials);
    return (isGuess) => {
      trial.users--;
      // One that is good for something is no guess.
      trial.isGuess &&= isGuess;
      if (trial.users > 0) return;
      trials.byToken.delete(token);
      if (trials.byToken.size === 0) this.#trials.delete(address);
      for (const wake of trials.waiting.splice(0)) wake();
      if (trial.isGuess) this.#add(address, wrongTokens);
    };
  }

  /** Counts a wrong token. @throws MediaPeerError TOO_MANY_REQUESTS where the address has shown too many */
  count(address: string): void {
    this.#add(address, wrongTokens);
  }

  /**
   * Counts a password before it is looked at, so that no more are looked at together than may be wrong.
   * @returns takes it back: it was right, or was not looked at
   * @throws MediaPeerError TOO_MANY_REQUESTS where the address has shown too many that were wrong
   */
  begin(address: string): () => void {
    const atMs = this.#clock.now();
    this.#add(address, (waitS) => `more than ${MAX_FAILURES} logins from this address failed within a minute; try again in ${waitS} s`);
    return () => {
      const failures = this.#failures.get(address) ?? [];
      const at = failures.lastIndexOf(atMs);
      if (at >= 0) this.#failures.set(address, failures.toSpliced(at, 1));
    };
  }

  /** @throws MediaPeerError TOO_MANY_REQUESTS */
  #isToWait(address: string, token: string): boolean {
    const underWay = this.#trials.get(address)?.byToken;
    if (underWay?.has(token) === true) return false;
    const recent = this.#recent(address);
    if (recent.length < MAX_FAILURES) return recent.length + (underWay?.size ?? 0) >= MAX_FAILURES;
    const nowMs = this.#clock.now();
    if (nowMs - this.#beyondSinceMs >= BEYOND_PERIOD_MS) {
      this.#beyondSinceMs = nowMs;
      this.#beyond = 0;
    }
    if (++this.#beyond > MAX_BEYOND) throw this.#tooMany(recent, wrongTokens);
    return false;
  }

  /** @throws MediaPeerError TOO_MANY_REQUESTS where too many wait */
  #whenOneEnds(address: string): Promise<void> {
    const waiting = this.#trials.get(address)?.waiting ?? [];
    if (waiting.length >= MAX_WAITING)
      throw new MediaPeerError(
        'TOO_MANY_REQUESTS',
        `more than ${MAX_WAITING} tokens that are not known yet came from this address at once; try again in ${RETRY_AFTER_S.token} s`,
        { retryAfterS: RETRY_AFTER_S.token },
      );
    return new Promise((resolve) => void waiting.push(resolve));
  }

  #add(address: string, refusal: (waitS: number) => string): void {
    const nowMs = this.#clock.now();
    const recent = this.#recent(address);
    if (recent.length >= MAX_FAILURES) throw this.#tooMany(recent, refusal);
    this.#failures.delete(address);
    this.#failures.set(address, [...recent, nowMs]);
    for (const [oldest] of this.#failures) {
      if (this.#failures.size <= MAX_ADDRESSES) break;
      this.#failures.delete(oldest);
    }
  }

  #recent(address: string): number[] {
    const nowMs = this.#clock.now();
    return (this.#failures.get(address) ?? []).filter((atMs) => nowMs - atMs < PERIOD_MS);
  }

  #tooMany([oldestMs = this.#clock.now()]: readonly number[], refusal: (waitS: number) => string): MediaPeerError {
    const waitS = Math.max(1, Math.ceil((oldestMs + PERIOD_MS - this.#clock.now()) / 1000));
    return new MediaPeerError('TOO_MANY_REQUESTS', refusal(waitS), { retryAfterS: waitS });
  }
}

function wrongTokens(waitS: number): string {
  return `more than ${MAX_FAILURES} wrong tokens came from this address within a minute; the right one is accepted at any time, another wrong one is checked in ${waitS} s`;
}
