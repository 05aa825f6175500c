/**
 * How often wrong passwords are shown for one user, from all addresses together: whoever has many addresses has no more guesses. Where
 * the user has logged in before, nobody else's guesses count, so that they lock nobody out.
 */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { RecentCalls } from '../base/recent-calls.js';
import { fingerprint } from '../base/secret.js';

/** Wrong passwords of one user within the period. */
const MAX_FAILURES = 30;
const PERIOD_MIN = 10;
const MAX_NAMES = 50_000;
/** Users, and addresses of each, that are remembered; those of long ago are forgotten first. */
const [MAX_USERS, MAX_ADDRESSES] = [10_000, 16];

/** Counts wrong passwords by user. */
export class GuessedUsers {
  readonly #failures: RecentCalls;
  /** Where users have logged in, by what they are called. */
  readonly #homes = new Map<string, Set<string>>();

  constructor(clock: Clock) {
    this.#failures = new RecentCalls({ clock, max: MAX_FAILURES, periodMs: PERIOD_MIN * 60_000, maxNames: MAX_NAMES });
  }

  /**
   * Counts a password before it is looked at, whether there is such a user or not.
   * @returns takes it back: it was right, or was not looked at
   * @throws MediaPeerError TOO_MANY_REQUESTS
   */
  begin(user: string, address: string): () => void {
    const name = fingerprint(user);
    if (this.#homes.get(name)?.has(address) === true) return () => undefined;
    const waitS = this.#failures.count([name]);
    if (waitS === undefined) return () => this.#failures.takeBack(name);
    const message = `more than ${MAX_FAILURES} logins as this user failed within ${PERIOD_MIN} minutes; try again in ${waitS} s, from where you have logged in before, or by a token`;
    throw new MediaPeerError('TOO_MANY_REQUESTS', message, { retryAfterS: waitS });
  }

  /** The user has shown the right password there. */
  wasRight(user: string, address: string): void {
    const name = fingerprint(user);
    const homes = this.#homes.get(name) ?? new Set<string>();
    homes.delete(address);
    homes.add(address);
    trim(homes, MAX_ADDRESSES);
    this.#homes.delete(name);
    this.#homes.set(name, homes);
    trim(this.#homes, MAX_USERS);
  }
}

function trim(kept: Pick<Set<string>, 'size' | 'keys' | 'delete'>, max: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= max) break;
    kept.delete(oldest);
  }
}
