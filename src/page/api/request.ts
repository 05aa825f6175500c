/** Requests to the server's HTTP API, with its errors as they are documented (docs/errors.md). */
import { addressOf } from './address.js';
import { serverClock } from './server-clock.js';

/** What a request may carry beside its path. */
export interface RequestOptions {
  /** Default: `GET`, with a body `POST`. */
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Only where the resource is still of this version, by its ETag; `*`: only where there is one. */
  readonly ifMatch?: string;
  /** `*`: only where there is none yet. */
  readonly ifNoneMatch?: '*';
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What the server said. */
export interface Answer<Body> {
  /** Parsed JSON; undefined where there is none. */
  readonly body: Body;
  /** The version of the resource; undefined where the server names none. */
  readonly etag: string | undefined;
}

/** A fault of one member of what was sent. */
export interface Fault {
  /** JSON pointer into the body. */
  readonly path: string;
  /** Stable. */
  readonly code: string;
  /** In the server's words. */
  readonly message?: string;
}

/** The server is there and refuses, or it cannot be reached. */
export class RequestError extends Error {
  constructor(
    /** HTTP status; 0 where there was no answer. */
    readonly status: number,
    /** Of the server, or `UNREACHABLE`. */
    readonly code: string,
    message: string,
    /** Named facts of the error. */
    readonly details: { readonly faults?: readonly Fault[] } & Readonly<Record<string, unknown>> = {},
    /** What came, where it was JSON: `/health` says what holds with 503, too. */
    readonly body?: unknown,
  ) {
    super(message);
  }
}

/** Asks the server. @param path from its root, such as `/events?limit=20` @throws RequestError; an AbortError where it was given up */
export async function request<Body>(
  path: string,
  { method, body, ifMatch, ifNoneMatch, signal }: RequestOptions = {},
): Promise<Answer<Body>> {
  let response: Response;
  const askedMs = Date.now();
  try {
    response = await fetch(addressOf(path), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      cache: 'no-store',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(0, 'UNREACHABLE', 'the server cannot be reached');
  }
  serverClock.learn(response.headers.get('date'), askedMs, Date.now());
  const json: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, json);
  return { body: json as Body, etag: response.headers.get('etag') ?? undefined };
}

/** The JSON of a route. @throws as `request` */
export async function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  return (await request<Body>(path, signal ? { signal } : {})).body;
}

/** What the server says where it refuses. @param json its answer, parsed */
export function refusal(status: number, json: unknown): RequestError {
  const { code, message, details } = (typeof json === 'object' && json !== null ? json : {}) as {
    readonly code?: string;
    readonly message?: string;
    readonly details?: RequestError['details'];
  };
  return new RequestError(status, code ?? `HTTP_${status}`, message ?? `HTTP status ${status}`, details, json);
}
