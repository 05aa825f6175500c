/** Who may ask for a snapshot: a few at a time, and nobody while a viewing is on its way. Knows no DOM. */

/** Browsers open six connections to a server: what a viewing asks for finds one that is free. */
const AT_ONCE = 2;

/** Turns are taken in the order in which they are asked for. */
export class StillQueue {
  #running = 0;
  #isHeld = false;
  #waiting: (() => void)[] = [];

  /** @param isHeld true: those that run end, none begins */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#next();
  }

  /** Calls `begin` when it is its turn, with what ends the turn. The returned function gives up, or ends it, too. */
  ask(begin: (done: () => void) => void): () => void {
    let state: 'waiting' | 'running' | 'done' = 'waiting';
    const done = (): void => {
      if (state === 'waiting') this.#waiting = this.#waiting.filter((each) => each !== start);
      if (state === 'running') this.#running--;
      state = 'done';
      this.#next();
    };
    const start = (): void => {
      state = 'running';
      this.#running++;
      begin(done);
    };
    this.#waiting.push(start);
    this.#next();
    return done;
  }

  #next(): void {
    while (!this.#isHeld && this.#running < AT_ONCE) {
      const start = this.#waiting.shift();
      if (!start) return;
      start();
    }
  }
}

/** Of this page. */
export const stills = new StillQueue();
