/** Whether there is congestion, since when, and how often there was. */
import type { CongestionCause, CongestionState } from './packet-result.js';

/** Congestion is over when the queue was shorter for a while, ms. */
const CLEAR_QUEUE_MS = 20;
/** For so long, ms. */
export const CLEAR_FOR_MS = 300;

/** Of one transport. */
export class CongestionStatus {
  #state: CongestionState = 'clear';
  #cause: CongestionCause | undefined;
  #overuses = 0;
  #overuseMs = -Infinity;
  #clearSinceMs: number | undefined;

  /** Whether there is congestion now. */
  get state(): CongestionState {
    return this.#state;
  }

  /** What the newest congestion was seen by; undefined before any. */
  get cause(): CongestionCause | undefined {
    return this.#cause;
  }

  /** How often less had to be sent. */
  get overuses(): number {
    return this.#overuses;
  }

  /** When it had to last; -Infinity: never. */
  get overuseMs(): number {
    return this.#overuseMs;
  }

  /** Less has to be sent. */
  overuse(cause: CongestionCause, nowMs: number): void {
    this.#state = 'congested';
    this.#cause = cause;
    this.#overuses++;
    this.#overuseMs = nowMs;
    this.#clearSinceMs = undefined;
  }

  /** The receiver says nothing any more, which is no reason yet to send less for long. */
  silence(): void {
    this.#state = 'congested';
    this.#cause = 'silence';
  }

  /** Feedback tells of the queue. @param isGrowing congestion may follow */
  observe(queueMs: number, isGrowing: boolean, nowMs: number): void {
    if (isGrowing) this.warn();
    this.#clearSinceMs = queueMs < CLEAR_QUEUE_MS && !isGrowing ? (this.#clearSinceMs ?? nowMs) : undefined;
    if (this.#clearSinceMs !== undefined && nowMs - this.#clearSinceMs >= CLEAR_FOR_MS) this.#state = 'clear';
  }

  /** It may follow. */
  warn(): void {
    if (this.#state === 'clear') this.#state = 'warning';
  }

  /** It is over. */
  clear(): void {
    this.#state = 'clear';
  }
}
