/** The address of a viewer who looks at the past: a link leads to what they see. Knows no DOM. */
import type { PlayerPosition } from '../timeline/player-control.js';

/** How far the time that is shown may be from where it would have come by itself, seconds. */
const JUMP_S = 3;

/** Follows a position, and tells where the address has to change. */
export class PlaceInTime {
  #told: { readonly position: PlayerPosition; readonly nowMs: number } | undefined;

  /**
   * The time that the address should name; undefined for the present, `same` where it leads to what is shown already.
   * @param position as the server says @param nowMs of a clock that only goes forward
   */
  look(position: PlayerPosition, nowMs: number): number | undefined | 'same' {
    const before = this.#told;
    this.#told = { position, nowMs };
    const { atS, state } = position;
    if (state === 'live' || state === 'held' || atS === undefined) return isPresent(before?.position) ? 'same' : undefined;
    const at = Math.round(atS * 1000) / 1000;
    if (isPresent(before?.position) || before?.position.atS === undefined) return at;
    const { position: was, nowMs: thenMs } = before;
    const expectedS = (was.atS ?? 0) + (was.state === 'playing' ? ((nowMs - thenMs) / 1000) * was.speed : 0);
    return Math.abs(atS - expectedS) > JUMP_S || state !== was.state ? at : 'same';
  }
}

/** Before anything is told, it is the present. */
function isPresent(position: PlayerPosition | undefined): boolean {
  return position === undefined || position.state === 'live' || position.state === 'held';
}
