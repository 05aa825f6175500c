/** The smallest of the values of a sliding window of time, in constant memory. */

/** Parts of the window: it slides by one of them at a time. */
const PARTS = 16;

/** A sliding minimum. */
export class MinimumWindow {
  readonly #partMs: number;
  #parts: { readonly index: number; minimum: number }[] = [];

  /** @param windowMs how far back it looks */
  constructor(windowMs: number) {
    this.#partMs = windowMs / PARTS;
  }

  /** Undefined before the first value. */
  get minimum(): number | undefined {
    return this.#parts.length === 0 ? undefined : Math.min(...this.#parts.map((part) => part.minimum));
  }

  /** @param nowMs does not run backwards */
  add(value: number, nowMs: number): void {
    const index = Math.floor(nowMs / this.#partMs);
    const newest = this.#parts.at(-1);
    if (newest?.index === index) newest.minimum = Math.min(newest.minimum, value);
    else this.#parts.push({ index, minimum: value });
    while ((this.#parts[0]?.index ?? index) <= index - PARTS) this.#parts.shift();
  }

  /** Forgets all. */
  clear(): void {
    this.#parts = [];
  }
}
