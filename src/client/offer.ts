/** `POST /offer`: hands an offer in, and gets the answer and the session that it has opened. */
import type { Environment } from './environment.js';
import { SightlineError } from './errors.js';
import type { IceServers } from './ice-servers.js';
import type { Exchange } from './peer-link.js';
import { addressAt } from './server-address.js';
import { ServerSession, linkedIceServers, request } from './server-session.js';

/** Whom to ask, and what every request carries. */
export interface OfferInit {
  /** What it takes from the browser. */
  readonly env: Environment;
  /** Address of the server; ends with a slash. */
  readonly server: string;
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** STUN and TURN servers to use; they learn those that the server names. */
  readonly iceServers: IceServers;
}

/** What the server gives. */
export interface OfferAnswer {
  /** Of the answer. */
  readonly sdp: string;
  /** The id that holds. */
  readonly client_id: string;
  /** The session's own source. */
  readonly source: string;
  /** What the video m-lines carry. */
  readonly tracks?: readonly unknown[];
  /** Path of the session. */
  readonly session_url: string;
}

/** Long enough for a source that has to be looked into first. */
const OFFER_TIMEOUT_MS = 6_000;

/** @param members of the body beside the offer itself @throws SightlineError */
export async function postOffer(
  { env, server, headers, iceServers }: OfferInit,
  { sdp, signal, ...members }: { readonly sdp: string; readonly signal: AbortSignal },
): Promise<{ readonly answer: OfferAnswer; readonly exchange: Exchange }> {
  const response = await request(env, new URL('offer', server).href, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ sdp, type: 'offer', ...members }),
    signal,
    timeoutMs: OFFER_TIMEOUT_MS,
  });
  const answer = (await response.json().catch(() => undefined)) as OfferAnswer | undefined;
  if (typeof answer?.sdp !== 'string' || typeof answer.session_url !== 'string') throw new SightlineError('ANSWER_INVALID');
  iceServers.learn(linkedIceServers(response.headers.get('link')));
  const tag = response.headers.get('etag');
  // A server below a path of its own does not know of it; one without a name for its ICE generation learns candidates from the checks.
  const session = new ServerSession({ env, url: addressAt(server, answer.session_url), tag, headers, takesCandidates: tag !== null });
  return { answer, exchange: { sdp: answer.sdp, session } };
}
