/**
 * Looks into files that were interrupted: by a busy machine, a lack of memory, somebody's signal. That says nothing of the file, so
 * it is looked into again, later each time and with more time, but not without end.
 */
import type { Clock } from '../../base/clock.js';
import { NOT_EXAMINED, type ProbeResult } from '../../ffmpeg/index.js';
import type { FoundFile } from './upload-folder.js';

/** After so many the file is left as it is until it changes. */
const MAX_LOOKS = 8;
const [FIRST_DELAY_MS, LAST_DELAY_MS] = [2_000, 60_000];
const [FIRST_TIMEOUT_MS, LAST_TIMEOUT_MS] = [10_000, 30_000];

interface Repetition {
  readonly identity: string;
  readonly looks: number;
  readonly atMs: number;
}

/** Examinations that have to be made again. */
export class RepeatedLooks {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Repetition>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when the file is to be looked into again now. */
  isDue({ name, identity }: FoundFile): boolean {
    const waiting = this.#waiting.get(name);
    return waiting?.identity === identity && waiting.looks < MAX_LOOKS && waiting.atMs <= this.#clock.now();
  }

  /** How long each run of the next look may take. */
  timeoutMs(file: FoundFile): number {
    return Math.min(LAST_TIMEOUT_MS, FIRST_TIMEOUT_MS * 2 ** this.#looksOf(file));
  }

  /** Takes note of a look; gives what is to be said of the file. */
  settle(file: FoundFile, found: ProbeResult): ProbeResult {
    if (!found.isUnsettled) {
      this.#waiting.delete(file.name);
      return found;
    }
    const looks = this.#looksOf(file) + 1;
    const atMs = this.#clock.now() + Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (looks - 1));
    this.#waiting.set(file.name, { identity: file.identity, looks, atMs });
    if (found.problem === undefined) return found;
    const what = looks < MAX_LOOKS ? 'it is tried again' : `given up after ${MAX_LOOKS} times, touch the file to have it tried again`;
    return { ...found, problem: `${NOT_EXAMINED}; ${what}` };
  }

  /** The file is gone. */
  forget(name: string): void {
    this.#waiting.delete(name);
  }

  #looksOf({ name, identity }: FoundFile): number {
    const waiting = this.#waiting.get(name);
    return waiting?.identity === identity ? waiting.looks : 0;
  }
}
