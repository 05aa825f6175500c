/** Bearer tokens (RFC 6750) of publishers and viewers, for every door. Compared in constant time, never logged. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { FailedLogins } from './failed-logins.js';
import { isSameSecret } from '../base/secret.js';

/** Which tokens there are. */
export interface TokensConfig {
  /** What viewers must show; empty: nothing. */
  readonly viewerToken: string;
  /** By room, `*` for all others; a room without one is open unless there is a `*`. */
  readonly publishTokens: ReadonlyMap<string, string>;
  readonly clock: Clock;
}

/** Who wants in. */
export interface Login {
  /** As it was shown; undefined where none was. */
  readonly token: string | undefined;
  /** By which wrong tokens are counted. */
  readonly address: string;
}

/** Who may watch and who may publish. Every check throws MediaPeerError UNAUTHORIZED, or TOO_MANY_REQUESTS for one wrong token too many. */
export class Tokens {
  readonly #config: TokensConfig;
  readonly #failedLogins: FailedLogins;

  constructor(config: TokensConfig) {
    this.#config = config;
    this.#failedLogins = new FailedLogins(config.clock);
  }

  /** Lets a viewer in; anybody where no token is configured. @throws MediaPeerError UNAUTHORIZED, TOO_MANY_REQUESTS */
  checkViewer(login: Login): void {
    if (this.#config.viewerToken !== '') this.#check([this.#config.viewerToken], login, 'watch');
  }

  /** For what viewers and publishers alike may have. */
  checkAnybody(login: Login): void {
    const { viewerToken, publishTokens } = this.#config;
    if (viewerToken !== '') this.#check([viewerToken, ...publishTokens.values()], login, 'watch or publish');
  }

  /** Whether the token of the room was shown: false where none is needed. */
  checkPublisher(room: string, login: Login): boolean {
    const expected = this.#config.publishTokens.get(room) ?? this.#config.publishTokens.get('*');
    if (expected === undefined) return false;
    this.#check([expected], login, 'publish to this room');
    return true;
  }

  #check(expected: readonly string[], { token, address }: Login, what: string): void {
    if (token === undefined)
      throw new MediaPeerError(
        'UNAUTHORIZED',
        `a token is needed to ${what}: send 'Authorization: Bearer <token>', or "token" in the message join of /ws`,
      );
    if (expected.some((known) => isSameSecret(known, token))) return;
    this.#failedLogins.count(address);
    throw new MediaPeerError('UNAUTHORIZED', `the token is not the one that is needed to ${what}`);
  }
}

/**
 * Lets only those see a scope's routes who show the viewers' token: in the header `Authorization`, or as the query's
 * `token` where a browser sends no headers (`<img>`, EventSource).
 */
export function guardViewers(scope: FastifyInstance, tokens: Tokens): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    const { token } = request.query as { token?: unknown };
    const login = loginOf(request);
    tokens.checkViewer({ ...login, token: login.token ?? (typeof token === 'string' ? token : undefined) });
    done();
  });
}

/** What a request shows in its header. */
export function loginOf({ headers, clientAddress }: FastifyRequest): Login {
  return { token: bearerToken(headers.authorization), address: clientAddress };
}

/** An address without the token in its query: for logs. */
export function withoutToken(url: string): string {
  return url.replace(/([?&]token=)[^&]*/g, '$1...');
}

/** The token in an `Authorization` header (RFC 6750 §2.1); undefined where there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}
