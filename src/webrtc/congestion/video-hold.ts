/**
 * While a queue drains only sound is sent. How far it has drained is known before feedback tells it: what waited when the
 * newest acknowledged packet was sent, and what was sent since, less what the way carries meanwhile.
 */

/** Video is held while more waits. */
const HELD_QUEUE_MS = 50;
/** Whoever looks now and then sees it. */
const MIN_HOLD_MS = 100;
/** A queue that has not drained by then is none: the way became longer. */
const MAX_HOLD_MS = 2_000;

/** What is known of a queue. */
export interface DrainingQueue {
  /** When the newest packet was sent of which feedback told, ms; undefined without feedback. */
  readonly acknowledgedMs: number | undefined;
  /** What waited then, ms. */
  readonly queueMs: number;
  /** Sent since. */
  readonly bytesSince: number;
  /** What the way carries, bits a second. */
  readonly rateBps: number;
}

/** Whether video is held. */
export class VideoHold {
  #sinceMs: number | undefined;
  #queueMs = 0;

  /** Nothing but sound is to be sent. */
  get isHeld(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** Begins where the queue is long enough. @param queueMs what waits on the way */
  begin(queueMs: number, nowMs: number): void {
    if (queueMs < HELD_QUEUE_MS) return;
    this.#sinceMs ??= nowMs;
    this.#queueMs = queueMs;
  }

  /** Ends when the queue has drained, or has not for `maxMs`. @returns `stuck`: it does not drain though nothing is sent */
  update(queueMs: number, nowMs: number, maxMs = MAX_HOLD_MS): 'stuck' | undefined {
    if (this.#sinceMs === undefined) return undefined;
    const isOver = nowMs - this.#sinceMs > maxMs;
    if ((queueMs >= HELD_QUEUE_MS || nowMs - this.#sinceMs < MIN_HOLD_MS) && !isOver) return undefined;
    this.#sinceMs = undefined;
    return isOver && queueMs > this.#queueMs / 2 ? 'stuck' : undefined;
  }

  /** What waits by now, ms. */
  drainingMs(queue: DrainingQueue, nowMs: number): number {
    if (queue.acknowledgedMs === undefined) return Math.max(0, this.#queueMs - (nowMs - (this.#sinceMs ?? nowMs)));
    return Math.max(0, queue.queueMs + (queue.bytesSince * 8_000) / queue.rateBps - (nowMs - queue.acknowledgedMs));
  }
}
