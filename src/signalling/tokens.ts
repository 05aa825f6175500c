/** Bearer tokens (RFC 6750) of publishers and viewers, for every door. Compared in constant time, never logged. */
import type { FastifyInstance } from 'fastify';
import { MediaPeerError } from '../errors.js';
import { isSameSecret } from './secret.js';

export interface TokensConfig {
  /** What viewers must show; empty: nothing. */
  readonly viewerToken: string;
  /** By room, `*` for all others; a room without one is open unless there is a `*`. */
  readonly publishTokens: ReadonlyMap<string, string>;
}

/** Who may watch and who may publish. */
export class Tokens {
  readonly #config: TokensConfig;

  constructor(config: TokensConfig) {
    this.#config = config;
  }

  /** @throws MediaPeerError UNAUTHORIZED */
  checkViewer(shown: string | undefined): void {
    if (this.#config.viewerToken !== '') check(this.#config.viewerToken, shown, 'watch');
  }

  /** For what viewers and publishers alike may have. @throws MediaPeerError UNAUTHORIZED */
  checkAnybody(shown: string | undefined): void {
    if (this.#config.viewerToken === '') return;
    const known = [this.#config.viewerToken, ...this.#config.publishTokens.values()];
    if (shown !== undefined && known.some((token) => isSameSecret(token, shown))) return;
    check(this.#config.viewerToken, shown, 'watch or publish');
  }

  /** Whether the token of the room was shown: false where none is needed. @throws MediaPeerError UNAUTHORIZED */
  checkPublisher(room: string, shown: string | undefined): boolean {
    const expected = this.#config.publishTokens.get(room) ?? this.#config.publishTokens.get('*');
    if (expected === undefined) return false;
    check(expected, shown, 'publish to this room');
    return true;
  }
}

/**
 * Lets only those see a scope's routes who show the viewers' token: in the header `Authorization`, or as the query's
 * `token` where a browser sends no headers (`<img>`, EventSource).
 */
export function guardViewers(scope: FastifyInstance, tokens: Tokens): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    const { token } = request.query as { token?: unknown };
    tokens.checkViewer(bearerToken(request.headers.authorization) ?? (typeof token === 'string' ? token : undefined));
    done();
  });
}

/** An address without the token in its query: for logs. */
export function withoutToken(url: string): string {
  return url.replace(/([?&]token=)[^&]*/g, '$1...');
}

/** The token in an `Authorization` header (RFC 6750 §2.1); undefined where there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

function check(expected: string, shown: string | undefined, what: string): void {
  if (shown === undefined) throw new MediaPeerError('UNAUTHORIZED', `a token is needed to ${what}: send 'Authorization: Bearer <token>', or "token" in the message join of /ws`);
  if (!isSameSecret(expected, shown)) throw new MediaPeerError('UNAUTHORIZED', `the token is not the one that is needed to ${what}`);
}
