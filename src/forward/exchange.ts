/**
 * One HTTP request to a server that nobody here has written: it may hang, answer without end, or send elsewhere. A redirect is
 * followed by the codes that keep the request (RFC 9725 §4.5), a few times, and never to another scheme: nothing but HTTP is spoken
 * to whatever an answer names. What gets in goes to the configured server alone, and the end of a session to no other one.
 */
import type { Clock } from '../base/clock.js';
import { fetchFailure } from '../base/fetch-failure.js';
import { refuseNear } from './hops.js';
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
    await refuseNear(target, home, signal);
    isAtHome &&= target.origin === home.origin;
    const response = await fetch(target, {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(isAtHome && ownHeaders) },
      signal,
      ...(body !== undefined && { body }),
    });
    const { status } = response;
    if (status !== 307 && status !== 308) return { status, headers: response.headers, text: await textOf(response, target), url: target };
    // A body that nobody reads would keep the connection.
    await response.body?.cancel();
    target = redirected(target, response.headers.get('location'));
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

async function textOf(response: Response, { host }: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) throw new Trouble(`${host} answers with more than ${MAX_ANSWER_BYTES / 1024} KiB`, { needsPerson: true });
  }
  return Buffer.concat(chunks).toString();
}
