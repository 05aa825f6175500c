/**
 * STUN and TURN servers: those that clients are told of, with credentials that expire, and those that a client hands
 * in for its own next connection. Only hosts that the operator names can be handed in, so that nobody aims this
 * server at others.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { IceServer } from '../webrtc/index.js';

/** STUN and TURN servers as they are configured. */
export interface IceServersInit {
  /** `stun:` URLs (RFC 7064). */
  readonly stunUrls: readonly string[];
  /** `turn:` and `turns:` URLs (RFC 7065). */
  readonly turnUrls: readonly string[];
  /** Where there is no `turnSecret`. */
  readonly turnUsername: string;
  /** Password that goes with `turnUsername`; empty where `turnSecret` makes credentials. */
  readonly turnCredential: string;
  /** Shared with the TURN servers (coturn: `static-auth-secret`); empty: none. */
  readonly turnSecret: string;
  /** How long credentials made from the secret are good for. */
  readonly ttlS: number;
  /** Hosts that clients may hand in, as they write them; empty: none. */
  readonly allowedHosts: readonly string[];
  readonly clock: Clock;
}

/** How long the servers of a client wait for its connection. */
export const KEPT_MS = 60_000;
/** Of the credentials that leave this server for the TURN server alone. */
const OWN_TTL_S = 30 * 86_400;
/** Clients whose servers are kept; the oldest give way. */
const MAX_KEPT = 1000;

/** STUN and TURN servers of this server and of its clients. */
export class IceServers {
  readonly #init: IceServersInit;
  readonly #kept = new Map<string, { readonly servers: readonly IceServer[]; readonly untilMs: number }>();

  constructor(init: IceServersInit) {
    this.#init = init;
  }

  /** Seconds for which credentials hold. */
  get ttlS(): number {
    return this.#init.ttlS;
  }

  /**
   * What a client is told. Credentials from the secret are those of the TURN REST API: `<unix expiry>:<client id>`, or a user's
   * name in its place, and its HMAC-SHA1. TURN servers without credentials are left out: browsers refuse them.
   */
  iceServers(clientId = guestId()): IceServer[] {
    return this.#servers(this.#credentials(clientId, this.#init.ttlS));
  }

  /** What this server uses itself: its credentials outlive any session. */
  own(): IceServer[] {
    return this.#servers(this.#credentials('sightline', OWN_TTL_S));
  }

  #servers(credentials: { readonly username: string; readonly credential: string } | undefined): IceServer[] {
    const { stunUrls, turnUrls } = this.#init;
    return [
      ...(stunUrls.length > 0 ? [{ urls: stunUrls }] : []),
      ...(turnUrls.length > 0 && credentials ? [{ urls: turnUrls, ...credentials }] : []),
    ];
  }

  /**
   * Keeps the servers that a client handed in for its next connection, for 60 s. They replace what it handed in before.
   * @throws MediaPeerError ICE_SERVERS_INVALID, ICE_SERVERS_REFUSED naming the URI.
   */
  keep(clientId: string, servers: readonly IceServer[]): void {
    for (const server of servers) for (const uri of server.urls) this.#throwIfRefused(uri, server);
    const now = this.#init.clock.now();
    for (const [id, { untilMs }] of this.#kept) if (untilMs <= now) this.#kept.delete(id);
    this.#kept.delete(clientId);
    this.#kept.set(clientId, { servers, untilMs: now + KEPT_MS });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** What a client handed in; once. Empty where it handed in nothing, or too long ago. */
  take(clientId: string): readonly IceServer[] {
    const entry = this.#kept.get(clientId);
    this.#kept.delete(clientId);
    return entry && entry.untilMs > this.#init.clock.now() ? entry.servers : [];
  }

  #credentials(clientId: string, ttlS: number): { username: string; credential: string } | undefined {
    const { turnSecret, turnUsername, turnCredential, clock } = this.#init;
    if (turnSecret === '')
      return turnUsername === '' || turnCredential === '' ? undefined : { username: turnUsername, credential: turnCredential };
    const username = `${Math.floor(clock.wallClock() / 1000) + ttlS}:${clientId}`;
    return { username, credential: createHmac('sha1', turnSecret).update(username).digest('base64') };
  }

  #throwIfRefused(uri: string, { username, credential }: IceServer): void {
    const shown = `'${uri.slice(0, 100)}'`;
    const match = /^(stun|turn|turns):(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?(\?transport=(?:udp|tcp))?$/i.exec(
      uri,
    );
    const [, scheme, host, port, transport] = match ?? [];
    if (
      scheme === undefined ||
      host === undefined ||
      Number(port ?? 1) < 1 ||
      Number(port ?? 1) > 65_535 ||
      (scheme === 'stun' && transport)
    ) {
      throw new MediaPeerError(
        'ICE_SERVERS_INVALID',
        `${shown} is no ICE server URI; expected stun:host[:port] or turn:host[:port][?transport=udp|tcp] (RFC 7064, RFC 7065)`,
      );
    }
    if (scheme.toLowerCase() !== 'stun' && (!username || !credential))
      throw new MediaPeerError('ICE_SERVERS_INVALID', `${shown} needs a username and a credential`);
    const name = host.replace(/^\[|\]$/g, '').toLowerCase();
    if (!this.#init.allowedHosts.some((allowed) => allowed.toLowerCase() === name)) {
      throw new MediaPeerError(
        'ICE_SERVERS_REFUSED',
        `${shown} names a host that this server may not contact; its operator can allow '${name}' with ICE_SERVER_HOSTS`,
      );
    }
  }
}

/** For a client that does not name itself. */
export function guestId(): string {
  return `guest-${randomBytes(6).toString('hex')}`;
}
