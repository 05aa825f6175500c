/**
 * One HTTP request to a server that nobody here has written: it may hang, answer without end, or send elsewhere. A redirect is
 * followed by the codes that keep the request (RFC 9725 §4.5), a few times, and never to another scheme: nothing but HTTP is spoken
 * to whatever an answer names. What gets in goes to the configured server alone, and the end of a session to no other one.
 */
import type { Clock } from '../base/clock.js';
import { fetchFailure } from '../base/fetch-failure.js';
import { lookupFor, refuseNear } from './hops.js';
import { send } from './send.js';
import { Trouble } from './trouble.js';

/** One request. */
export interface ExchangeRequest {
  /** HTTP method. */
  readonly method: 'POST' | 'DELETE' | 'OPTIONS';
  /** http or https. */
  readonly url: URL;
  /** The configured address, which decides how far a redirect may lead. */
  readonly home: URL;
  /** By name. */
  readonly headers: Readonly<Record<string, string>>;
  /** By name; sent to the origin of `home` alone, and not any more once a redirect has led away from it. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly body?: string;
  /** Of the whole exchange, redirects included, in ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** What came back. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** By name. */
  readonly headers: Headers;
  /** At most `MAX_ANSWER_BYTES`. */
  readonly text: string;
  /** Who answered, after redirects. */
  readonly url: URL;
}

const MAX_REDIRECTS = 3;
/** As much as an offer may have. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** @throws Trouble in words; the signal's reason where it was aborted */
export async function exchange(request: ExchangeRequest): Promise<Answer> {
  const { clock, timeoutMs, signal } = request;
  const ending = new AbortController();
  const abort = (): void => ending.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const late = new Trouble(`${request.url.host} did not answer within ${timeoutMs / 1000} s`);
  const timer = clock.after(timeoutMs, () => ending.abort(late));
  try {
    return await follow(request, ending.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (ending.signal.aborted) throw late;
    throw error instanceof Trouble ? error : new Trouble(`${request.url.host} cannot be reached: ${fetchFailure(error)}`, { cause: error });
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

async function follow({ method, url, home, headers, ownHeaders, body }: ExchangeRequest, signal: AbortSignal): Promise<Answer> {
  let target = url;
  let isAtHome = true;
  for (let redirects = 0; ; redirects++) {
    refuseNear(target, home);
    isAtHome &&= target.origin === home.origin;
    const answer = await send(target, {
      method,
      headers: { ...headers, ...(isAtHome && ownHeaders) },
      body,
      lookup: lookupFor(target, home),
      signal,
    });
    const { status } = answer;
    if (status !== 307 && status !== 308) return { status, headers: answer.headers, text: await textOf(answer.body, target), url: target };
    answer.body.destroy();
    target = redirected(target, answer.headers.get('location'));
    if (method === 'DELETE' && target.origin !== url.origin)
      throw new Trouble(`${url.host} redirects the end of a session to ${target.host}, which is not followed`);
    if (redirects === MAX_REDIRECTS) throw new Trouble(`${url.host} redirects more than ${MAX_REDIRECTS} times`, { needsPerson: true });
  }
}

function redirected(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href))
    throw new Trouble(`${from.host} redirects to ${location === null ? 'nowhere' : 'no address'}`, { needsPerson: true });
  const to = new URL(location, from);
  if (to.protocol !== from.protocol)
    throw new Trouble(`${from.host} redirects to another scheme (${to.protocol}), which is not followed`, { needsPerson: true });
  to.username = '';
  to.password = '';
  return to;
}

async function textOf(body: AsyncIterable<Buffer>, { host }: URL): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the rest.
    if (bytes > MAX_ANSWER_BYTES) throw new Trouble(`${host} answers with more than ${MAX_ANSWER_BYTES / 1024} KiB`, { needsPerson: true });
  }
  return Buffer.concat(chunks).toString();
}
