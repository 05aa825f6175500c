/** Moving a player in time as a person means it: never before the beginning, and where the present is reached, it is the present. */
import { signal } from '@preact/signals';
import type { PlayerControl } from './player-control.js';
import type { Playhead } from './playhead.js';
import type { Span } from './scale.js';
import { Scrubber } from './scrubber.js';

/** So near to the present a server goes on with it by itself. */
const PRESENT_S = 1;

/** What moves are made of. */
export interface MovesInit {
  /** Undefined while nothing plays. */
  readonly control: () => PlayerControl | undefined;
  /** Where it is. */
  readonly head: Playhead;
  /** From the first recorded moment to the present. */
  readonly whole: () => Span;
}

/** Of one timeline. */
export class Moves {
  /** Why the last one was refused; undefined where it was not. */
  readonly refused = signal<unknown>(undefined);
  /** Where a drag is, Unix seconds; undefined while there is none. */
  readonly draggedTo = signal<number | undefined>(undefined);
  readonly #init: MovesInit;
  #scrub: { readonly scrubber: Scrubber; readonly wasPlaying: boolean; readonly paused: Promise<void>; readonly fromS: number } | undefined;

  constructor(init: MovesInit) {
    this.#init = init;
  }

  /** What is shown, Unix seconds: while somebody drags, where they are. */
  get headS(): number {
    return this.draggedTo.peek() ?? this.#init.head.at(performance.now());
  }

  /** Whether a hand holds the time. */
  get isDragging(): boolean {
    return this.#scrub !== undefined;
  }

  /** Shows the frame of a time. */
  goTo(atS: number): Promise<void> {
    return this.#try((control) => this.#seek(control, atS));
  }

  /** So many seconds later; negative: earlier. */
  by(seconds: number): Promise<void> {
    return this.goTo(this.headS + seconds);
  }

  live(): Promise<void> {
    return this.#try((control) => control.live());
  }

  /** Plays on, or holds the frame. */
  toggle(): Promise<void> {
    return this.#try(async (control) => {
      const { state } = control.position.peek();
      if (state === 'paused' || state === 'held' || state === 'end') await control.resume();
      else await control.pause();
    });
  }

  step(frames: number): Promise<void> {
    return this.#try((control) => control.step(frames));
  }

  speed(value: number): Promise<void> {
    return this.#try((control) => control.setSpeed(value));
  }

  /** Pictures follow the hand from now on. */
  beginDrag(atS: number): void {
    const control = this.#init.control();
    if (!control) return;
    const { state } = control.position.peek();
    const wasPlaying = state === 'live' || state === 'playing' || state === 'gap';
    const paused = wasPlaying ? control.pause().catch(() => undefined) : Promise.resolve();
    const scrubber = new Scrubber((wantedS) => paused.then(() => control.seek(this.#inside(wantedS))));
    this.#scrub = { scrubber, wasPlaying, paused, fromS: this.headS };
    this.drag(atS);
  }

  /** The hand is there. */
  drag(atS: number): void {
    if (!this.#scrub) return;
    this.draggedTo.value = this.#inside(atS);
    this.#scrub.scrubber.want(atS);
  }

  /** The hand lets go: the very frame is shown, and what played goes on from there. */
  async endDrag(atS: number): Promise<void> {
    const scrub = this.#scrub;
    this.#scrub = undefined;
    if (!scrub) return;
    await this.#try(async (control) => {
      if (this.#isPresent(atS)) return control.live();
      await scrub.scrubber.settle(this.#inside(atS));
      if (scrub.wasPlaying) await control.resume();
    });
    // Unless the next drag has begun meanwhile.
    if (!this.isDragging) this.draggedTo.value = undefined;
  }

  /** It goes on where it was. */
  cancelDrag(): Promise<void> {
    return this.endDrag(this.#scrub?.fromS ?? this.headS);
  }

  async #seek(control: PlayerControl, atS: number): Promise<void> {
    if (this.#isPresent(atS)) await control.live();
    else await control.seek(this.#inside(atS));
  }

  #isPresent(atS: number): boolean {
    return atS >= this.#init.whole().toS - PRESENT_S;
  }

  #inside(atS: number): number {
    const { fromS, toS } = this.#init.whole();
    return Math.min(Math.max(atS, fromS), toS - PRESENT_S);
  }

  async #try(move: (control: PlayerControl) => Promise<void>): Promise<void> {
    const control = this.#init.control();
    if (!control) return;
    try {
      await move(control);
      this.refused.value = undefined;
    } catch (error) {
      this.refused.value = error;
    }
  }
}
