/** Times of the pictures of a file, by which what was seen finds its own. */

const FIRST_COUNT = 4096;

/** Ascending times; of a day at 30 a second 20 MB. */
export class FrameTimes {
  #times = new Float64Array(FIRST_COUNT);
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The next one, in ms. */
  add(timeMs: number): void {
    if (this.#count === this.#times.length) {
      const larger = new Float64Array(this.#times.length * 2);
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#times[this.#count++] = timeMs;
  }

  /** Number of the picture nearest to that time, from 0; undefined where none is within `toleranceMs`. */
  nearest(timeMs: number, toleranceMs: number): number | undefined {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? Infinity) < timeMs) low = middle + 1;
      else high = middle;
    }
    const distance = (at: number): number => Math.abs((this.#times[at] ?? Infinity) - timeMs);
    const best = low > 0 && distance(low - 1) <= distance(Math.min(low, this.#count - 1)) ? low - 1 : Math.min(low, this.#count - 1);
    return best >= 0 && distance(best) <= toleranceMs ? best : undefined;
  }

  /** Time of a picture, in ms. */
  at(number: number): number {
    return this.#times[number] ?? NaN;
  }
}
