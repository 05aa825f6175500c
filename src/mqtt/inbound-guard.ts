/** Bounds on what a broker sends: we ask for next to nothing, so much of anything is a fault or an attack. */
import type { Clock } from '../base/clock.js';

/** What is too much. */
export interface InboundGuardInit {
  readonly clock: Clock;
  /** Of one packet; its length is a field of the broker's, and it is held until it is whole. */
  readonly maxBytes: number;
  /** Called with what is wrong, as long as it is. */
  readonly onTooMuch: (what: string) => void;
}

const MAX_MESSAGES = 1000;
const WINDOW_MS = 10_000;

/** Watches one connection. */
export class InboundGuard {
  readonly #init: InboundGuardInit;
  /** Since the last packet was whole. */
  #bytes = 0;
  #windowMs = -Infinity;
  #messages = 0;

  constructor(init: InboundGuardInit) {
    this.#init = init;
  }

  /** Bytes have come. */
  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#init.maxBytes) this.#init.onTooMuch(`it sends a packet of more than ${this.#init.maxBytes} bytes`);
  }

  /** A packet is whole. @param isMessage what somebody has published: acknowledgements come as fast as we publish */
  packet(isMessage: boolean): void {
    this.#bytes = 0;
    if (!isMessage) return;
    const nowMs = this.#init.clock.now();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#messages = 0;
    }
    if (++this.#messages > MAX_MESSAGES) this.#init.onTooMuch(`it sends more than ${MAX_MESSAGES} messages in ${WINDOW_MS / 1000} s`);
  }
}
