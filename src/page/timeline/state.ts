/** What a timeline of one source holds, from when it is shown until `close`. */
import { computed, effect, signal } from '@preact/signals';
import { serverNowS } from '../api/server-clock.js';
import { History } from './history.js';
import { Looking } from './looking.js';
import { Moves } from './moves.js';
import type { PlayerControl, PlayerPosition } from './player-control.js';
import { Playhead } from './playhead.js';
import type { Span } from './scale.js';

const LIVE: PlayerPosition = { atS: undefined, state: 'live', speed: 1 };
/** A record of which nothing is known yet. */
const UNKNOWN_S = 3600;

/** Of one source. */
export class TimelineState {
  /** Moves the player; undefined while nothing plays. */
  readonly control = signal<PlayerControl | undefined>(undefined);
  /** What the server said last of where the player is. */
  readonly position = computed(() => this.control.value?.position.value ?? LIVE);
  /** Where the pointer is, Unix seconds; undefined where it is elsewhere. */
  readonly pointerS = signal<number | undefined>(undefined);
  /** Time that is told to screen readers: while it plays, not each second. */
  readonly spokenS = signal(serverNowS());
  readonly history: History;
  readonly looking: Looking;
  readonly moves: Moves;
  readonly #head = new Playhead(serverNowS);
  readonly #stop: () => void;

  constructor(readonly source: string) {
    this.history = new History(source, serverNowS);
    this.moves = new Moves({ control: () => this.control.peek(), head: this.#head, whole: () => this.whole });
    this.looking = new Looking(serverNowS(), () => this.whole);
    this.#stop = effect(() => {
      this.#head.tell(this.position.value, performance.now());
      this.spokenS.value = this.headS;
      this.follow();
    });
  }

  /** What is shown, Unix seconds. */
  get headS(): number {
    return this.moves.headS;
  }

  /** From the first recorded moment to the present. */
  get whole(): Span {
    const toS = serverNowS();
    return { fromS: this.history.recorded.peek()?.fromS ?? toS - UNKNOWN_S, toS };
  }

  /** The stretch that is seen goes with what plays; not with a hand that drags in it. */
  follow(): void {
    if (this.moves.draggedTo.peek() === undefined) this.looking.follow(this.headS);
  }

  /** Idempotent. */
  close(): void {
    this.#stop();
    this.history.close();
  }
}
