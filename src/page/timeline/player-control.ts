/** What a timeline needs of a player, and a player of a timeline: where one is in time, and how one gets elsewhere. */
import type { ReadonlySignal } from '@preact/signals';

/** `held`: the present was stopped by the person. `gap`: it goes on behind a stretch of which nothing was recorded. `end`: nothing more was recorded. */
export type PlayerState = 'live' | 'held' | 'playing' | 'paused' | 'gap' | 'end';

/** Where a player is in time. */
export interface PlayerPosition {
  /** When the frame that is shown was captured, Unix seconds; undefined in the present. */
  readonly atS: number | undefined;
  /** What it does. */
  readonly state: PlayerState;
  /** How much faster than it happened; 1 in the present. */
  readonly speed: number;
  /** Of a gap: why there is nothing, where it is known. */
  readonly notice?: string;
}

/** Moves one player in time. Each rejects with a SightlineError where the server refuses, and nothing has changed then. */
export interface PlayerControl {
  /** Changes with each word of the server; between them, time goes on with `speed`. */
  readonly position: ReadonlySignal<PlayerPosition>;
  /** Shows the frame of that time; who pauses goes on pausing there. @param atS Unix seconds */
  seek(atS: number): Promise<void>;
  /** @param speed 0.25 to 8 */
  setSpeed(speed: number): Promise<void>;
  /** Pauses and shows another frame. @param frames so many later; negative: earlier */
  step(frames: number): Promise<void>;
  /** Holds the frame that is shown. */
  pause(): Promise<void>;
  /** Goes on from there: after `held` with what was recorded since, or with the present where nothing was. */
  resume(): Promise<void>;
  /** The present again, playing. */
  live(): Promise<void>;
}
