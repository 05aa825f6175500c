/**
 * How often one address may show a wrong token or password, at all doors together. Over the limit a wrong token is answered 429
 * instead of 401, and a right one is still taken: others behind the same NAT are not locked out by whoever guesses. A password,
 * which can be guessed and costs time, is not even looked at then.
 */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';

/** Wrong tokens a minute and address. */
const MAX_FAILURES = 10;
const PERIOD_MS = 60_000;
/** Of addresses over the limit, tokens that somebody else has to be asked about, a second. */
const MAX_TRIALS = 10;
const TRIAL_PERIOD_MS = 1000;
/** Addresses that are remembered; the ones that failed longest ago are forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Counts wrong tokens by address, over a sliding window. */
export class FailedLogins {
  readonly #clock: Clock;
  /** When each address failed, the oldest first; addresses in the order of their last failure. */
  readonly #failures = new Map<string, number[]>();

  #trialsSinceMs = -Infinity;
  #trials = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Lets somebody be asked about a token that was never good for anything. Of addresses that have shown too many wrong ones only a
   * few are, all of them together: the right one among them gets through, and who is asked is not flooded.
   * @throws MediaPeerError TOO_MANY_REQUESTS
   */
  throwIfGuessing(address: string): void {
    const nowMs = this.#clock.now();
    const recent = this.#recent(address);
    if (recent.length < MAX_FAILURES) return;
    if (nowMs - this.#trialsSinceMs >= TRIAL_PERIOD_MS) {
      this.#trialsSinceMs = nowMs;
      this.#trials = 0;
    }
    if (++this.#trials > MAX_TRIALS) throw this.#tooMany(recent, wrongTokens);
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
