/** A WHIP endpoint of another server (RFC 9725), as its client: an offer goes there, and what came of it is ended there. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { IceServer } from '../webrtc/index.js';
import { exchange, type Answer } from './exchange.js';
import { isNearServer } from './hops.js';
import { iceServersOf } from './links.js';
import type { Target } from './target.js';
import { Trouble } from './trouble.js';

/** Which endpoint, and how long it may take. */
export interface WhipEndpointInit {
  /** Where it is, and what gets in. */
  readonly target: Target;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An offer was taken. */
export interface Published {
  /** The answer. */
  readonly sdp: string;
  /** Undefined where the server names none that can be used. */
  readonly sessionUrl: URL | undefined;
  /** STUN and TURN servers that it names. */
  readonly iceServers: readonly IceServer[];
}

/** Of an offer; a camera behind the other side may take seconds. */
const OFFER_TIMEOUT_MS = 15_000;
const TIMEOUT_MS = 3_000;
/** Whoever asks for more patience than that is asked again all the same. */
const MAX_RETRY_AFTER_MS = 60_000;
const SDP_TYPE = 'application/sdp';
const HEADERS = { 'user-agent': 'Sightline' } as const;
/** Of what a server says of itself. */
const MAX_QUOTED_CHARS = 200;
/** These may be otherwise soon; the rest of 4xx is about what is asked. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** One endpoint. */
export class WhipEndpoint {
  readonly #init: WhipEndpointInit;
  #hasToldOfLocation = false;

  constructor(init: WhipEndpointInit) {
    this.#init = init;
  }

  /** The ICE servers that it names before an offer (RFC 9725 §4.6); many servers name none. Empty, too, where it does not answer: the offer finds out why. */
  async iceServers(signal: AbortSignal): Promise<readonly IceServer[]> {
    try {
      const { status, headers } = await this.#ask('OPTIONS', this.#init.target.url, signal);
      return status < 300 ? this.#iceServersIn(headers) : [];
    } catch (error) {
      signal.throwIfAborted();
      this.#init.logger.debug({ err: error }, 'the WHIP server names no ICE servers');
      return [];
    }
  }

  /**
   * @param before session URL of the connection that this one takes the place of; undefined: there is none
   * @throws Trouble in words; the signal's reason where it was aborted
   */
  async publish(offer: string, before: URL | undefined, signal: AbortSignal): Promise<Published> {
    const { target, clock } = this.#init;
    // A server of this kind, which has not noticed yet that the connection is lost, does not take its room for taken then.
    const replaces = before?.origin === target.url.origin && { 'sightline-replaces': before.pathname };
    const answer = await exchange({
      method: 'POST',
      url: target.url,
      home: target.url,
      headers: { ...HEADERS, 'content-type': SDP_TYPE, accept: SDP_TYPE },
      ownHeaders: { ...this.#credentials, ...replaces },
      body: offer,
      timeoutMs: OFFER_TIMEOUT_MS,
      clock,
      signal,
    });
    if (answer.status < 200 || answer.status >= 300) throw this.#refused(answer);
    return {
      sdp: answer.text,
      sessionUrl: this.#sessionUrl(answer),
      iceServers: this.#iceServersIn(answer.headers),
    };
  }

  /** Ends a session. Never rejects: one that is gone is as good. */
  async end(sessionUrl: URL): Promise<void> {
    const { logger } = this.#init;
    try {
      const { status } = await this.#ask('DELETE', sessionUrl, new AbortController().signal);
      if (status >= 400 && status !== 404) logger.debug({ status }, 'the WHIP server did not end the session');
    } catch (error) {
      logger.debug({ err: error }, 'the WHIP server could not be told of the end of the session');
    }
  }

  /** A text without what is secret. */
  redacted(text: string): string {
    return this.#init.target.secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text);
  }

  #ask(method: 'DELETE' | 'OPTIONS', url: URL, signal: AbortSignal): Promise<Answer> {
    const { target, clock } = this.#init;
    return exchange({
      method,
      url,
      home: target.url,
      headers: HEADERS,
      ownHeaders: this.#credentials,
      timeoutMs: TIMEOUT_MS,
      clock,
      signal,
    });
  }

  #iceServersIn(headers: Headers): IceServer[] {
    const named = iceServersOf(headers.get('link'));
    return named.filter(({ urls }) => [urls].flat().every((uri) => !isNearServer(uri, this.#init.target.url)));
  }

  get #credentials(): Record<string, string> {
    const { authorization } = this.#init.target;
    return authorization === undefined ? {} : { authorization };
  }

  /** Without one the server learns of the end by what it does not hear any more. */
  #sessionUrl({ headers, url }: Answer): URL | undefined {
    const location = headers.get('location');
    const sessionUrl = location !== null && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    // Whoever answers names what is its own: of another server nothing is removed in its name.
    const isUsable = sessionUrl?.origin === url.origin;
    if (!isUsable && !this.#hasToldOfLocation) {
      this.#hasToldOfLocation = true;
      this.#init.logger.warn(
        { hasLocation: location !== null },
        'the WHIP server names no session URL of its own origin; it cannot be told when the session ends',
      );
    }
    if (!isUsable) return undefined;
    sessionUrl.username = '';
    sessionUrl.password = '';
    return sessionUrl;
  }

  #refused({ status, headers, text, url: { host } }: Answer): Trouble {
    const { target } = this.#init;
    const said = this.redacted(saidIn(text));
    const isAway = status === 401 && host !== target.url.host && target.authorization !== undefined;
    const meaning = isAway ? `the token is for ${target.url.host} alone, which redirects here; name this address` : MEANING[status];
    const what = `${host} answered ${status}${meaning === undefined ? '' : `: ${meaning}`}${said === '' ? '' : ` ('${said}')`}`;
    const retryAfterS = Number(headers.get('retry-after') ?? 0);
    return new Trouble(what, {
      needsPerson: status < 500 && !PASSING.has(status),
      retryAfterMs: retryAfterS > 0 ? Math.min(MAX_RETRY_AFTER_MS, retryAfterS * 1000) : 0,
    });
  }
}

/** What a status means here. */
const MEANING: Readonly<Record<number, string>> = {
  301: 'a redirect that WHIP does not allow for an offer (RFC 9725 §4.5); name its target',
  302: 'a redirect that WHIP does not allow for an offer (RFC 9725 §4.5); name its target',
  400: 'the offer was refused',
  401: 'it wants a token, or another one',
  403: 'the token gives no right to publish there',
  404: 'there is no WHIP endpoint at this address',
  405: 'this address takes no offers; it is no WHIP endpoint',
  406: 'it makes counter-offers, which are not taken',
  409: 'somebody publishes there already, or it is not ready',
  415: 'it does not take application/sdp; it is no WHIP endpoint',
  422: 'it cannot take what is offered',
  429: 'too many requests',
  503: 'it has no place left, or is shutting down',
};

/** What an error says: `message` or `detail` of JSON (RFC 9457), else its text; printable, in short. */
function saidIn(text: string): string {
  return messageIn(text.slice(0, 4096))
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MAX_QUOTED_CHARS);
}

function messageIn(text: string): string {
  if (/^\s*</.test(text)) return '';
  try {
    const json = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const said = json?.['message'] ?? json?.['detail'] ?? json?.['error'] ?? json?.['title'];
    return typeof said === 'string' ? said : '';
  } catch {
    return text;
  }
}
