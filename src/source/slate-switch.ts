/** Shows a slate for as long as no picture comes from a camera. */
import type { Clock, Timer } from '../base/clock.js';

const LOOK_PERIOD_MS = 250;

/** When a slate begins and ends. */
export interface SlateSwitchInit<T extends { close(): Promise<void> }> {
  readonly clock: Clock;
  /** For how long pictures may be missing before the slate is shown, ms. */
  readonly silentAfterMs: () => number;
  /** Begins a slate. Its `close` never rejects. */
  readonly open: () => T;
}

/** Decides when a slate is shown. */
export class SlateSwitch<T extends { close(): Promise<void> }> {
  readonly #init: SlateSwitchInit<T>;
  readonly #look: Timer;
  /** Looks are counted, not time: what did not come while this process stood still may be there in the next moment. */
  #silentLooks = 0;
  #shown: T | undefined;
  /** Slates that end and still hold processes. */
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(init: SlateSwitchInit<T>) {
    this.#init = init;
    this.#look = init.clock.every(LOOK_PERIOD_MS, () => {
      if (++this.#silentLooks > init.silentAfterMs() / LOOK_PERIOD_MS) this.show();
    });
  }

  /** The slate that is shown. */
  get shown(): T | undefined {
    return this.#shown;
  }

  /** Something came. */
  heard(): void {
    this.#silentLooks = 0;
  }

  /** Shows it where it is not shown. */
  show(): void {
    if (!this.#shown && !this.#isClosed) this.#shown = this.#init.open();
  }

  /** No frame of it comes after the call. False where none was shown. */
  hide(): boolean {
    const ended = this.#shown?.close();
    this.#shown = undefined;
    if (!ended) return false;
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
    return true;
  }

  /** Ends it for good. Resolves when nothing of it is left; never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#look.cancel();
    this.hide();
    await Promise.all(this.#ending);
  }
}
