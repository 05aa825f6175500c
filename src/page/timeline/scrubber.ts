/** Pictures while somebody drags through time: the newest wish counts, one is on its way at a time, and the last one is always shown. */

/** Between two wishes: a server takes 20 commands a second, and a frame wants to be decoded. */
const PAUSE_MS = 80;

/** One drag through time. */
export class Scrubber {
  readonly #seek: (atS: number) => Promise<void>;
  #wanted: number | undefined;
  #running: Promise<void> | undefined;

  /** @param seek shows the frame of a time, Unix seconds; it may reject */
  constructor(seek: (atS: number) => Promise<void>) {
    this.#seek = seek;
  }

  /** That frame is wanted now, and none that was wanted before. */
  want(atS: number): void {
    this.#wanted = atS;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Resolves once the frame that was wanted last has been asked for. @throws what its seek throws */
  async settle(atS: number): Promise<void> {
    this.#wanted = undefined;
    await this.#running;
    await this.#seek(atS);
  }

  async #run(): Promise<void> {
    for (let atS = this.#wanted; atS !== undefined; atS = this.#wanted) {
      this.#wanted = undefined;
      // On the way nobody needs to know: where the drag ends counts.
      await this.#seek(atS).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
