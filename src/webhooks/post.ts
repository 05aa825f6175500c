/** One try to deliver, and what its end means. */
import type { Clock } from '../base/clock.js';
import { fetchFailure } from '../base/fetch-failure.js';
import { answerText, postJson, type JsonPost } from '../base/post-json.js';

/** How a try ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver does not want it: trying again would change nothing. */
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }
  /** May heal by itself. */
  | { readonly kind: 'failed'; readonly status: number | undefined; readonly why: string; readonly retryAfterMs: number };

/** A receiver may ask for patience, but not for more than this. */
const MAX_RETRY_AFTER_MS = 900_000;

/** For how long the rest of an answer is read. */
const DRAIN_MS = 1000;

/** Posts JSON. Never rejects. */
export async function post(request: JsonPost): Promise<Outcome> {
  const { clock } = request;
  try {
    return await postJson(request, async (response, giveUp) => {
      const patience = clock.after(DRAIN_MS, giveUp);
      // Whatever becomes of the rest, the status holds.
      await answerText(response).catch(() => undefined);
      patience.cancel();
      return judge(response, clock);
    });
  } catch (error) {
    return { kind: 'failed', status: undefined, why: fetchFailure(error), retryAfterMs: 0 };
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
