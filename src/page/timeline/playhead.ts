/** Where a player is now: between two words of the server, time goes on. */
import type { PlayerPosition } from './player-control.js';

/** Follows one player. */
export class Playhead {
  readonly #nowS: () => number;
  #position: PlayerPosition = { atS: undefined, state: 'live', speed: 1 };
  #toldMs = 0;

  /** @param nowS Unix seconds by the server's clock */
  constructor(nowS: () => number) {
    this.#nowS = nowS;
  }

  /** @param nowMs of a clock that only goes forward */
  tell(position: PlayerPosition, nowMs: number): void {
    this.#position = position;
    this.#toldMs = nowMs;
  }

  /** Unix seconds of the frame that is shown. @param nowMs as in `tell` */
  at(nowMs: number): number {
    const { atS, state, speed } = this.#position;
    if (atS === undefined) return this.#nowS();
    // A server tells each second; one that is silent is lost.
    const sinceS = Math.min(2, Math.max(0, (nowMs - this.#toldMs) / 1000));
    return state === 'playing' ? Math.min(atS + sinceS * speed, this.#nowS()) : atS;
  }
}
