import { messageOf } from '../base/errors.js';

/** What has to be given back, in the order in which it was taken. */
export class Closers {
  readonly #closers: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  /** `close` runs before those that were added earlier. */
  add(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Ends everything, the newest first; whoever calls waits for the one run. @throws AggregateError */
  closeAll(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        // What one cannot give back does not keep the others from ending: no ffmpeg may be left.
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `the server did not close cleanly: ${errors.map(messageOf).join('; ')}`);
  }
}
