/**
 * Life signs on the data channel `commands`: the server asks (`\x00PING`), the client answers (`\x00PONG`). ICE
 * consent tells that a machine is there; this tells that the program on it still runs. Pure timing: whoever owns it
 * calls `tick` while the connection stands, so that a network that is away counts against nobody.
 */
import type { Clock } from '../../base/clock.js';

/** What the server sends. */
export const PING = Buffer.from('\0PING', 'latin1');
/** What the client answers. */
export const PONG = Buffer.from('\0PONG', 'latin1');

/** Between two questions. */
const INTERVAL_MS = 5000;
/** Questions in a row that nothing came after: so the last sign of life was 15 to 20 s ago. */
const MAX_UNANSWERED = 3;
/** Time between two ticks beyond which the connection was away in between. */
const MAX_TICK_GAP_MS = 3000;

/** How a client is asked, and what follows when it does not answer. */
export interface KeepaliveInit {
  readonly clock: Clock;
  /** Sends a question; false where it could not be handed over, which then does not count as unanswered. */
  readonly ask: () => boolean;
  /** The client answered once and is silent now. Called once. */
  readonly onSilent: () => void;
}

/** Life signs of one client. */
export class Keepalive {
  readonly #init: KeepaliveInit;
  #lastAskedMs: number;
  #lastTickMs: number;
  #unanswered = 0;
  /** A client that opens the channel and does not know the question is not asked for its life. */
  #knowsTheAnswer = false;
  #isOver = false;

  constructor(init: KeepaliveInit) {
    this.#init = init;
    this.#lastAskedMs = this.#lastTickMs = init.clock.now();
  }

  /** The client sent something, whatever it was. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** The client answered a question. */
  answered(): void {
    this.#knowsTheAnswer = true;
    this.heard();
  }

  /** About once a second while the connection stands. */
  tick(): void {
    const now = this.#init.clock.now();
    const wasAway = now - this.#lastTickMs > MAX_TICK_GAP_MS;
    this.#lastTickMs = now;
    if (wasAway) this.#unanswered = 0;
    if (this.#isOver || (!wasAway && now - this.#lastAskedMs < INTERVAL_MS)) return;
    if (this.#knowsTheAnswer && this.#unanswered >= MAX_UNANSWERED) {
      this.#isOver = true;
      this.#init.onSilent();
      return;
    }
    this.#lastAskedMs = now;
    if (this.#init.ask()) this.#unanswered++;
  }
}
