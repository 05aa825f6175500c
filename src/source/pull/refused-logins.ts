/**
 * User names and passwords that cameras have refused. Cameras lock accounts after a few wrong ones, for everybody who uses them, so
 * one that was refused is shown again after minutes, and then ever more seldom. All streams with the same account at the same host
 * share that; another password is another account.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { fingerprint } from '../../base/secret.js';
import { saysLoginRefused, type LiveInput } from '../../ffmpeg/index.js';

/** The first wait, and the longest. */
const [FIRST_MS, MAX_MS] = [5 * 60_000, 60 * 60_000];
/** As many cameras as there may be. */
const MAX_ACCOUNTS = 2_000;

interface Refused {
  readonly waitMs: number;
  readonly untilMs: number;
}

/** The accounts of one server. */
export class RefusedLogins {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #refused = new Map<string, Refused>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Until it may be called, in ms; 0: now. */
  waitMs(input: LiveInput): number {
    const { untilMs = -Infinity } = this.#refused.get(accountOf(input)) ?? {};
    return Math.max(0, untilMs - this.#clock.now());
  }

  /** @throws MediaPeerError FFMPEG_FAILED where it may not be called yet */
  throwIfRefused(input: LiveInput): void {
    if (this.waitMs(input) > 0) throw new MediaPeerError('FFMPEG_FAILED', `this user name and password were refused; ${WHY}`);
  }

  /** It has let us in. */
  accepted(input: LiveInput): void {
    this.#refused.delete(accountOf(input));
  }

  /** It was called, and has failed. @param said in words @returns the same, with what becomes of it where it is a refused login */
  failed(input: LiveInput, said: string): string {
    if (!saysLoginRefused(said)) return said;
    const account = accountOf(input);
    // Of several calls that went out together one counts.
    const waitMs = this.waitMs(input) > 0 ? (this.#refused.get(account)?.waitMs ?? FIRST_MS) : this.#nextWaitMs(account);
    this.#refused.delete(account);
    this.#refused.set(account, { waitMs, untilMs: this.#clock.now() + waitMs });
    for (const [oldest] of this.#refused) {
      if (this.#refused.size <= MAX_ACCOUNTS) break;
      this.#refused.delete(oldest);
    }
    return `${said}; tried again after ${Math.round(waitMs / 60_000)} min: ${WHY}`;
  }

  #nextWaitMs(account: string): number {
    const before = this.#refused.get(account);
    return before ? Math.min(MAX_MS, 2 * before.waitMs) : FIRST_MS;
  }
}

const WHY = 'cameras lock accounts after a few wrong passwords';

/** Whom the camera takes it for, whatever the stream. */
function accountOf({ address, options }: LiveInput): string {
  const asHttp = address.replace(/^[a-z]+:\/\//i, 'http://');
  const { hostname, username, password } = URL.canParse(asHttp) ? new URL(asHttp) : { hostname: address, username: '', password: '' };
  return fingerprint(JSON.stringify([hostname.replace(/\.$/, ''), username, password, options['headers'] ?? '']));
}
