/**
 * JSON that is posted to a server of the operator's, which may hang or answer without end. Redirects are not followed: they would
 * carry what is secret to somebody else.
 */
import type { Clock } from './clock.js';

/** One HTTP POST. */
export interface JsonPost {
  /** http or https. */
  readonly url: string;
  /** Beside content type and user agent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  readonly clock: Clock;
  /** What the whole exchange may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** More of an answer is not read. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Posts it, and reads the answer within its time.
 * @param read `giveUp` ends what is still to come @throws what `fetch` and `read` throw
 */
export async function postJson<T>(
  { url, headers, body, clock, timeoutMs, signal }: JsonPost,
  read: (response: Response, giveUp: () => void) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const abort = (): void => ending.abort(new Error('the server is shutting down'));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const timer = clock.after(timeoutMs, () => ending.abort(new Error(`no answer within ${timeoutMs / 1000} s`)));
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': 'Sightline', ...headers },
      body,
      signal: ending.signal,
    });
    return await read(response, abort);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The text of an answer; undefined where it is too long. One that was not read to its end keeps its connection for 4 s (Node's
 * fetch), in which the next request waits for it where the server closes it (HTTP/1.0).
 */
export async function answerText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString();
}
