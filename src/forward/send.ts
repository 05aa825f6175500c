/**
 * One HTTP request by Node's own client, which connects to the address that a look-up of ours has found, and to no other one.
 * A redirect is an answer like any other.
 */
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

/** What is sent. */
interface PlainRequest {
  /** HTTP method. */
  readonly method: string;
  /** By name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly body: string | undefined;
  /** Finds the address of its host; called once, and not for an address. */
  readonly lookup: LookupFunction;
  /** Ends it, and what is still to come of the answer. */
  readonly signal: AbortSignal;
}

/** What came back. Its body has to be read, or destroyed. */
interface PlainAnswer {
  /** HTTP status. */
  readonly status: number;
  /** By name. */
  readonly headers: Headers;
  /** As it comes. */
  readonly body: http.IncomingMessage;
}

/** Sends it on a connection of its own. Rejects with what the system, or `lookup`, says. @param url http or https */
export function send(url: URL, { method, headers, body, lookup, signal }: PlainRequest): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const asking = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      headers: { ...headers, ...length },
      agent: false,
      lookup,
      signal,
    });
    asking.on('error', reject);
    asking.once('response', (answer) => resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), body: answer }));
    asking.end(body);
  });
}

function headersOf({ rawHeaders }: http.IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  return headers;
}
