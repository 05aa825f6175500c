/** Numbers of followed objects that hold for a whole export: object ids begin anew whenever a detector does. */

/** Who is out of sight for longer is another one. */
const GONE_MS = 20_000;

interface Followed {
  readonly number: number;
  lastMs: number;
}

/** Gives each object a number of its own: its id, where no object before had that. */
export class TrackNumbers {
  readonly #used = new Set<number>();
  #followed = new Map<number, Followed>();
  #run: number | undefined;
  #highest = 0;

  /** @param run of the recording @param wallMs UTC; of one run ascending */
  of(objectId: number, run: number | undefined, wallMs: number): number {
    if (run !== this.#run) this.#followed = new Map();
    this.#run = run;
    const known = this.#followed.get(objectId);
    if (known && wallMs - known.lastMs <= GONE_MS) {
      known.lastMs = wallMs;
      return known.number;
    }
    // Formats for tracks count from 1.
    const number = objectId > 0 && !this.#used.has(objectId) ? objectId : this.#highest + 1;
    this.#used.add(number);
    this.#highest = Math.max(this.#highest, number);
    this.#followed.set(objectId, { number, lastMs: wallMs });
    return number;
  }
}
