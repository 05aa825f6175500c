/**
 * Lets the replays of one viewer leave beside each other. Many of them at once, as where a wall begins, would be a burst of megabytes
 * that no receiver's socket holds: they take turns, a slice each, so that every picture is there before the rest of any group.
 */
import type { Clock, Timer } from '../base/clock.js';

/** Together they take three times what one takes alone, 262 Mbit/s: a receiver reads its socket faster, once it knows that something comes. */
const BYTES_PER_MS = 32 * 1024;
/** Two slices may leave at once: a receiver's socket holds about 90 packets by default. */
const SLACK_MS = 2;

/** Between two slices of one, which takes 85 Mbit/s by that: a burst of several hundred packets overflows all but the fastest receivers. */
const SLICE_MS = 3;

/** A group of pictures that is sent again, slice by slice. */
export interface Replay {
  /** Nothing of it is left. */
  readonly isOver: boolean;
  /** Sends the next slice. @returns its bytes */
  sendSlice(): number;
}

interface Waiting {
  /** Its next slice may leave. */
  readonly notBeforeMs: number;
  /** That have left. */
  readonly slices: number;
}

/** The replays of one viewer. */
export class ReplayPace {
  readonly #clock: Clock;
  /** Those that have not ended; who waits longest first. */
  readonly #waiting = new Map<Replay, Waiting>();
  #timer: Timer | undefined;
  #isSending = false;
  /** Whose slice was the last. */
  #last: Replay | undefined;
  #busyUntilMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends a replay, its first slice at once where no others do. @returns how to end it early */
  begin(replay: Replay): Timer {
    this.#waiting.set(replay, { notBeforeMs: this.#clock.now(), slices: 0 });
    this.#run();
    return {
      cancel: () => {
        if (this.#waiting.delete(replay)) this.#run();
      },
    };
  }

  #run(): void {
    if (this.#isSending) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let next = this.#due(now); next; next = this.#due(now)) this.#send(...next, now);
    if (this.#waiting.size === 0) return;
    const nextMs = Math.min(...[...this.#waiting].map(([replay, { notBeforeMs }]) => this.#earliestMs(replay, notBeforeMs)));
    this.#timer = this.#clock.after(nextMs - now, () => this.#run());
  }

  #send(replay: Replay, { slices }: Waiting, now: number): void {
    this.#waiting.delete(replay);
    this.#last = replay;
    this.#isSending = true;
    try {
      this.#busyUntilMs = Math.max(now, this.#busyUntilMs) + replay.sendSlice() / BYTES_PER_MS;
    } finally {
      this.#isSending = false;
    }
    if (!replay.isOver) this.#waiting.set(replay, { notBeforeMs: now + SLICE_MS, slices: slices + 1 });
  }

  /** The one that has sent least. */
  #due(nowMs: number): [Replay, Waiting] | undefined {
    const due = [...this.#waiting].filter(([replay, { notBeforeMs }]) => this.#earliestMs(replay, notBeforeMs) <= nowMs);
    return due.reduce<[Replay, Waiting] | undefined>(
      (least, each) => (least && least[1].slices <= each[1].slices ? least : each),
      undefined,
    );
  }

  /** Alone, it waits for nobody. */
  #earliestMs(replay: Replay, notBeforeMs: number): number {
    const isAlone = replay === this.#last && this.#waiting.size === 1;
    return isAlone ? notBeforeMs : Math.max(notBeforeMs, this.#busyUntilMs - SLACK_MS);
  }
}
