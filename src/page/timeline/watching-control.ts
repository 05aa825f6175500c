/** The player of a timeline over what the client library watches. */
import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Position, Watching } from '/sightline.js';
import type { PlayerControl, PlayerPosition, PlayerState } from './player-control.js';

const LIVE: PlayerPosition = { atS: undefined, state: 'live', speed: 1 };
const RECORDED: readonly PlayerState[] = ['playing', 'paused', 'gap', 'end'];

/** What it needs of a `Watching`. */
export type Watched = Pick<Watching, 'on' | 'position' | 'isPaused' | 'seek' | 'setSpeed' | 'step' | 'pause' | 'resume' | 'live'>;

/** Moves a viewer in time; it lasts as long as what it moves. */
export class WatchingControl implements PlayerControl {
  /** As the server said last. */
  readonly position: ReadonlySignal<PlayerPosition>;
  readonly #watching: Watched;
  readonly #told: Signal<PlayerPosition>;
  /** When the person stopped the present, Unix seconds; undefined: it goes on. */
  readonly #heldAtS = signal<number | undefined>(undefined);
  readonly #nowS: () => number;

  /** @param nowS Unix seconds by the server's clock */
  constructor(watching: Watched, nowS = () => Date.now() / 1000) {
    this.#watching = watching;
    this.#nowS = nowS;
    this.#told = signal(watching.position ? positionOf(watching.position) : LIVE);
    this.position = computed(() => {
      const told = this.#told.value;
      const heldAtS = this.#heldAtS.value;
      return heldAtS === undefined || told.state !== 'live' ? told : { atS: heldAtS, state: 'held', speed: 1 };
    });
    watching.on('position', (position) => (this.#told.value = positionOf(position)));
  }

  async seek(atS: number): Promise<void> {
    await this.#watching.seek(atS);
  }

  async setSpeed(speed: number): Promise<void> {
    await this.#watching.setSpeed(speed);
  }

  async step(frames: number): Promise<void> {
    // Of the present there are no frames to step through: those of what was recorded of it are.
    if (this.#told.peek().state === 'live') await this.seek(this.#heldAtS.peek() ?? this.#nowS());
    await this.#watching.step(frames);
  }

  async pause(): Promise<void> {
    await this.#watching.pause();
    if (this.#told.peek().state === 'live') this.#heldAtS.value = this.#nowS();
  }

  async resume(): Promise<void> {
    const heldAtS = this.#heldAtS.peek();
    // Where nothing was recorded, the present is all there is.
    if (heldAtS !== undefined && this.#told.peek().state === 'live') await this.seek(heldAtS).catch(() => undefined);
    await this.#watching.resume();
    this.#heldAtS.value = undefined;
  }

  async live(): Promise<void> {
    if (this.#told.peek().state !== 'live') await this.#watching.live();
    if (this.#watching.isPaused) await this.#watching.resume();
    this.#heldAtS.value = undefined;
  }
}

function positionOf({ at, state, speed, notice }: Position): PlayerPosition {
  const known = RECORDED.find((each) => each === state);
  if (known === undefined) return LIVE;
  return { atS: at, state: known, speed, ...(notice !== undefined && { notice }) };
}
