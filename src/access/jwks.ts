/**
 * The keys of JWT_JWKS_URL. Its host is asked by one request at a time and seldom, whatever tokens come: who shows forged ones
 * must not make this server flood it. While it cannot be reached the keys that are known go on.
 */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../base/clock.js';

/** How long keys are used before they are asked for again. */
const MAX_AGE_MS = 600_000;
/** Between two requests, and after a failure where no key is known. */
const PERIOD_MS = 30_000;
const RETRY_MS = 5000;
const TIMEOUT_MS = 5000;

/** What published keys need. */
export interface PublishedKeysInit {
  /** Where the JWK set is. */
  readonly url: string;
  readonly clock: Clock;
  /** Called after each request that brought no keys. */
  readonly onFault: (error: unknown) => void;
  /** Called after each request that brought keys. */
  readonly onLoaded: () => void;
}

/** Keys by the header of a token. */
export class PublishedKeys {
  /** The key of a token. Rejects with JWKSNoMatchingKey where there is none, and with the fault where no keys could be had. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#init.clock.now() - this.#loadedMs >= MAX_AGE_MS) await this.#load();
    if (!this.#remote.jwks()) throw this.#fault;
    return Promise.resolve(this.#remote(header, token)).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#load();
      return this.#remote(header, token);
    });
  };
  readonly #init: PublishedKeysInit;
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  #loadedMs = -Infinity;
  #askedMs = -Infinity;
  #loading: Promise<void> | undefined;
  #fault: unknown;

  constructor(init: PublishedKeysInit) {
    this.#init = init;
    // When it asks again is decided here.
    this.#remote = createRemoteJWKSet(new URL(init.url), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: Infinity,
      cacheMaxAge: Infinity,
    });
  }

  /** Asks for the keys, unless that was done a moment ago. Never rejects. */
  async #load(): Promise<void> {
    const { clock } = this.#init;
    const waitMs = this.#remote.jwks() ? PERIOD_MS : RETRY_MS;
    if (!this.#loading && clock.now() - this.#askedMs < waitMs) return;
    this.#loading ??= this.#ask().finally(() => {
      this.#askedMs = clock.now();
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #ask(): Promise<void> {
    const { clock, onFault, onLoaded } = this.#init;
    try {
      await this.#remote.reload();
      this.#loadedMs = clock.now();
      onLoaded();
    } catch (error) {
      this.#fault = error;
      onFault(error);
    }
  }
}
