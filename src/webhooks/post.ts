/** One try to deliver, and what its end means. */
import type { Clock } from '../base/clock.js';
import { fetchFailure } from '../base/fetch-failure.js';

/** How a try ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver does not want it: trying again would change nothing. */
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }
  /** May heal by itself. */
  | { readonly kind: 'failed'; readonly status: number | undefined; readonly why: string; readonly retryAfterMs: number };

/** One HTTP POST. */
export interface PostRequest {
  /** Where to; redirects are not followed. */
  readonly url: string;
  /** Signature, id and content type. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  readonly clock: Clock;
  /** What the whole exchange may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the try; it counts as failed. */
  readonly signal: AbortSignal;
}

/** A receiver may ask for patience, but not for more than this. */
const MAX_RETRY_AFTER_MS = 900_000;

/** How much of an answer is read, and for how long. */
const MAX_ANSWER_BYTES = 64 * 1024;
const DRAIN_MS = 1000;

/** Posts JSON. Redirects are not followed: they would carry events, and what signs them, to somebody else. Never rejects. */
export async function post({ url, headers, body, clock, timeoutMs, signal }: PostRequest): Promise<Outcome> {
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
    const patience = clock.after(DRAIN_MS, abort);
    // Whatever becomes of the rest, the status holds.
    await drain(response).catch(() => undefined);
    patience.cancel();
    return judge(response, clock);
  } catch (error) {
    return { kind: 'failed', status: undefined, why: fetchFailure(error), retryAfterMs: 0 };
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The answer is its status. The rest is read all the same: a connection whose answer was not read to its end is kept
 * by Node's fetch for 4 s, in which the next request waits for it where the receiver closes it (HTTP/1.0).
 */
async function drain(response: Response): Promise<void> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) return;
  }
}

function judge(response: Response, clock: Clock): Outcome {
  const { status } = response;
  if (response.ok) return { kind: 'delivered', status };
  if (status >= 300 && status < 400)
    return {
      kind: 'refused',
      status,
      why: `a redirect to ${response.headers.get('location') ?? 'nowhere'}, which is not followed; name its target in WEBHOOK_URL`,
    };
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'refused', status, why: `HTTP ${status}` };
  return { kind: 'failed', status, why: `HTTP ${status}`, retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock) };
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(value: string | null, clock: Clock): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - clock.wallClock();
  return Number.isFinite(ms) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms)) : 0;
}
