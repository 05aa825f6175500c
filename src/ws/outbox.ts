/** Messages for a client that is briefly away: in order, bounded, and what is stale soonest goes first. */

/** A message as it goes out. */
export interface Outgoing {
  /** `signalling` is never lost while the client may come back; the others are of the moment. */
  readonly kind: 'signalling' | 'topic';
  /** JSON. */
  readonly text: string;
}

/** Messages that are kept at most. */
const MAX_KEPT_MESSAGES = 256;
/** Bytes of UTF-8 that are kept at most. */
export const MAX_KEPT_BYTES = 256 * 1024;

/** Messages that wait for a socket. */
export class Outbox {
  readonly #kept = new Map<Outgoing, number>();
  #bytes = 0;

  /** Keeps a message; the oldest ones of topics give way. False where signalling alone is over the bounds. */
  push(message: Outgoing): boolean {
    const bytes = Buffer.byteLength(message.text);
    this.#kept.set(message, bytes);
    this.#bytes += bytes;
    for (const [kept] of this.#kept) {
      if (!this.#isOver) return true;
      if (kept.kind === 'topic') this.#remove(kept);
    }
    return !this.#isOver;
  }

  /** Whether a message still waits. */
  has(message: Outgoing): boolean {
    return this.#kept.has(message);
  }

  /** Everything in its order; nothing is kept any more. */
  drain(): Outgoing[] {
    const messages = [...this.#kept.keys()];
    this.clear();
    return messages;
  }

  /** Forgets all. */
  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  get #isOver(): boolean {
    return this.#kept.size > MAX_KEPT_MESSAGES || this.#bytes > MAX_KEPT_BYTES;
  }

  #remove(message: Outgoing): void {
    this.#bytes -= this.#kept.get(message) ?? 0;
    this.#kept.delete(message);
  }
}
