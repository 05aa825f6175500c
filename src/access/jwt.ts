/**
 * JSON Web Tokens (RFC 7519) that somebody else signs: with a shared secret (HS256), or with keys that are published as a JWK set.
 * The algorithms are those of the configured key, whatever a token says. What was verified is remembered for some minutes, so that
 * a request costs one look-up, and a key that is withdrawn counts no more thereafter.
 */
import { createHash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { GRANTABLE, type Right } from './action.js';
import { PublishedKeys } from './jwks.js';
import type { Grant, Principal } from './principal.js';

/** What tokens are verified by. */
export interface JwtConfig {
  /** Shared secret; empty: none. */
  readonly secret: string;
  /** Where the public keys are; empty: nowhere. */
  readonly jwksUrl: string;
  /** What `aud` must name; empty: anything. */
  readonly audience: string;
  /** What `iss` must be; empty: anything. */
  readonly issuer: string;
  /** Takes tokens without the claim `grants` as well: somebody else says what their holders may do. Default false. */
  readonly takesNoGrants?: boolean;
}

/** Longer than tokens with some hundred grants; HTTP headers hold no more. */
const MAX_TOKEN_CHARS = 8192;
const MAX_REMEMBERED = 2000;
/** After that a token is verified again: its key may have been withdrawn. */
const REMEMBERED_MS = 600_000;
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];

const Source = Type.String({ minLength: 1, maxLength: 255 });
/** Rights that are about no single source. */
const WITHOUT_SOURCE = ['ice', 'metrics'] as const;
const Grants = Type.Array(
  Type.Union([
    Type.Object({ action: Type.Enum([...GRANTABLE]), source: Source }, { additionalProperties: false }),
    Type.Object({ action: Type.Enum([...WITHOUT_SOURCE]) }, { additionalProperties: false }),
  ]),
  { maxItems: 1000 },
);

/** Whose token it is. */
export interface JwtHolder {
  /** As its claims say. */
  readonly principal: Principal;
  /** False where the token has no claim `grants`. */
  readonly hasGrants: boolean;
}

interface Remembered {
  readonly holder: JwtHolder;
  /** Unix seconds. */
  readonly expiresAtS: number;
  /** Until when it needs no look at its signature, in the clock's time. */
  readonly untilMs: number;
}

/** Verifies tokens. */
export class Jwt {
  readonly #config: JwtConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #secret: Uint8Array;
  readonly #keys: PublishedKeys | undefined;
  readonly #remembered = new Map<string, Remembered>();
  #saidFault: string | undefined;

  constructor(config: JwtConfig, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#config = config;
    this.#clock = clock;
    this.#logger = logger;
    this.#secret = new TextEncoder().encode(config.secret);
    this.#keys =
      config.jwksUrl === ''
        ? undefined
        : new PublishedKeys({
            url: config.jwksUrl,
            clock,
            onFault: (error) => this.#sayOnce(messageOf(error)),
            onLoaded: () => (this.#saidFault = undefined),
          });
  }

  /** False where nothing is configured. */
  get isConfigured(): boolean {
    return this.#config.secret !== '' || this.#keys !== undefined;
  }

  /** Whose token that is; undefined for what is no JWT. @throws MediaPeerError UNAUTHORIZED for one that does not hold, with the reason */
  async verify(token: string): Promise<JwtHolder | undefined> {
    if (!this.isConfigured || token.length > MAX_TOKEN_CHARS || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(key);
    if (known) {
      this.#remembered.delete(key);
      if (known.expiresAtS <= this.#clock.wallClock() / 1000) throw refused('it has expired', { isGuess: false });
      if (known.untilMs > this.#clock.now()) {
        this.#remember(key, known);
        return known.holder;
      }
    }
    const payload = await this.#payload(token);
    const hasGrants = payload['grants'] !== undefined || this.#config.takesNoGrants !== true;
    const principal = { name: nameOfClaims(payload), kind: 'jwt' as const, grants: hasGrants ? grantsOfClaims(payload) : [] };
    const holder = { principal, hasGrants };
    this.#remember(key, { holder, expiresAtS: payload.exp ?? 0, untilMs: this.#clock.now() + REMEMBERED_MS });
    return holder;
  }

  async #payload(token: string): Promise<JWTPayload> {
    const { audience, issuer } = this.#config;
    const options = {
      requiredClaims: ['exp'],
      currentDate: new Date(this.#clock.wallClock()),
      ...(audience !== '' && { audience }),
      ...(issuer !== '' && { issuer }),
    };
    try {
      if (this.#keys && !isOfSecret(token)) {
        return (await jwtVerify(token, this.#keys.find, { ...options, algorithms: PUBLIC_KEY_ALGORITHMS })).payload;
      }
      if (this.#config.secret === '') throw refused('it is signed with a secret, and JWT_SECRET is not set');
      return (await jwtVerify(token, this.#secret, { ...options, algorithms: ['HS256'] })).payload;
    } catch (error) {
      if (error instanceof MediaPeerError) throw error;
      throw refused(reasonOf(error), { cause: error, isGuess: !(error instanceof errors.JWTExpired) });
    }
  }

  #remember(key: string, remembered: Remembered): void {
    this.#remembered.set(key, remembered);
    for (const [oldest] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
  }

  #sayOnce(fault: string): void {
    if (fault !== this.#saidFault)
      this.#logger.error(
        { fault },
        'the keys of JWT_JWKS_URL cannot be had: those that are known go on, and tokens that need others are refused',
      );
    this.#saidFault = fault;
  }
}

/** Only chooses among the configured keys; each of them takes its own algorithms alone. */
function isOfSecret(token: string): boolean {
  try {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { readonly alg?: unknown };
    return typeof header.alg === 'string' && header.alg.startsWith('HS');
  } catch {
    return false; // whichever key it is, the token does not hold
  }
}

function nameOfClaims({ sub }: { readonly sub?: unknown }): string {
  if (sub !== undefined && typeof sub !== 'string') throw refused('its claim sub is not a string');
  return sub === undefined || sub === '' ? 'jwt' : sub.slice(0, 64);
}

function grantsOfClaims({ grants }: JWTPayload): Grant[] {
  if (!Check(Grants, grants))
    throw refused(
      `its claim grants is not a list of { action, source }, with action one of ${GRANTABLE.join(', ')}, source a name or glob ("*": all; ${WITHOUT_SOURCE.join(' and ')} need none), and nothing else`,
    );
  const list = grants as readonly { readonly action: Right; readonly source?: string }[];
  return list.map(({ action, source = '*' }) => ({ action, sources: [source] }));
}

/** False where the keys are lacking, which is no fault of the token. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    error.code !== 'ERR_JOSE_GENERIC' &&
    !(error instanceof errors.JWKSInvalid)
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} is missing or not the one that is expected`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not that of a key of this server';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is not that of a key of this server';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'it is signed with a key that JWT_JWKS_URL does not have';
  return isOfToken(error) ? 'it is malformed' : 'the keys to verify it with cannot be had at the moment';
}

/** @param isGuess false for one that held once. Default true */
function refused(reason: string, { cause, isGuess = true }: { readonly cause?: unknown; readonly isGuess?: boolean } = {}): MediaPeerError {
  return new MediaPeerError('UNAUTHORIZED', `the token is a JWT that does not hold: ${reason}`, { cause, details: { isGuess } });
}
