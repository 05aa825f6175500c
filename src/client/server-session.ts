/** The session on the server, as HTTP sees it: the URL that takes candidates, ICE restarts and the end (RFC 9725 §4.3). */
import { within } from './clock.js';
import type { Environment } from './environment.js';
import { SightlineError, refusalOf } from './errors.js';

/** Longer than a server needs to answer and a lossy network to repeat; a cut network swallows requests without a word. */
const REQUEST_TIMEOUT_MS = 4_000;
const FRAGMENT = 'application/trickle-ice-sdpfrag';

/** A request as the library makes them. @throws SightlineError UNREACHABLE, SERVER_SILENT, or the server's refusal */
export async function request(env: Environment, url: string, init: RequestInit & { readonly timeoutMs?: number }): Promise<Response> {
  const { timeoutMs = REQUEST_TIMEOUT_MS, signal, ...rest } = init;
  const stop = new AbortController();
  try {
    const response = await within(unlessUnreachable(env.fetch(url, { ...rest, signal: stop.signal }), stop.signal), {
      clock: env.clock,
      ms: timeoutMs,
      signal: signal ?? undefined,
      trouble: () => new SightlineError('SERVER_SILENT'),
    });
    if (!response.ok) throw await refusalOf(response);
    return response;
  } catch (error) {
    stop.abort();
    throw error;
  }
}

async function unlessUnreachable(response: Promise<Response>, signal: AbortSignal): Promise<Response> {
  try {
    return await response;
  } catch (error) {
    if (signal.aborted) throw error;
    throw new SightlineError('UNREACHABLE');
  }
}

/** What the server has said of it. */
export interface ServerSessionInit {
  /** What it takes from the browser. */
  readonly env: Environment;
  /** Absolute. */
  readonly url: string;
  /** ETag of the response that opened it. */
  readonly tag: string | null;
  /** What every request carries, such as Authorization. */
  readonly headers: Readonly<Record<string, string>>;
  /** False for a server that is known to take none. */
  readonly takesCandidates: boolean;
}

/** A session on the server. */
export class ServerSession {
  /** Absolute. */
  readonly url: string;
  readonly #env: Environment;
  readonly #headers: Readonly<Record<string, string>>;
  /** Names the ICE generation; undefined where the server names none. */
  #tag: string | undefined;
  #takesCandidates: boolean;

  constructor({ env, url, tag, headers, takesCandidates }: ServerSessionInit) {
    this.#env = env;
    this.url = url;
    this.#tag = tag ?? undefined;
    this.#headers = headers;
    this.#takesCandidates = takesCandidates;
  }

  /** Sends candidates. A server that takes none is not asked again; what it learns from the checks themselves has to do. */
  async trickle(fragment: string): Promise<void> {
    if (!this.#takesCandidates) return;
    try {
      await this.#patch(fragment, this.#tag);
    } catch (error) {
      if (error instanceof SightlineError && error.isPermanent && error.status !== 412) this.#takesCandidates = false;
    }
  }

  /** Restarts ICE; the server's fragment. @throws SightlineError what is permanent is a refusal */
  async restart(fragment: string, signal?: AbortSignal): Promise<string> {
    const response = await this.#patch(fragment, '"*"', signal);
    const answer = await response.text();
    this.#tag = response.headers.get('etag') ?? undefined;
    this.#takesCandidates = true;
    return answer;
  }

  /** Ends it. Never fails: a server that is gone has ended it by itself. Outlives the page. */
  async delete(): Promise<void> {
    await request(this.#env, this.url, { method: 'DELETE', headers: { ...this.#headers }, keepalive: true, timeoutMs: 1_000 }).catch(
      () => undefined,
    );
  }

  #patch(body: string, tag: string | undefined, signal?: AbortSignal): Promise<Response> {
    const headers = { ...this.#headers, 'content-type': FRAGMENT, ...(tag !== undefined && { 'if-match': tag }) };
    return request(this.#env, this.url, { method: 'PATCH', headers, body, ...(signal && { signal }) });
  }
}

/** ICE servers of `Link: <turn:...>; rel="ice-server"; username="..."; credential="..."` headers (RFC 9725 §4.4). */
export function linkedIceServers(header: string | null): RTCIceServer[] {
  return [...(header ?? '').matchAll(/<([^>]+)>([^<]*)/g)].flatMap(([, url = '', parameters = '']) => {
    const parameter = (name: string): string | undefined => new RegExp(`;\\s*${name}="?([^";,]*)"?`, 'i').exec(parameters)?.[1];
    if (parameter('rel') !== 'ice-server' || !/^(stun|turn)s?:/.test(url)) return [];
    const [username, credential] = [parameter('username'), parameter('credential')];
    return [{ urls: [url], ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) }];
  });
}
