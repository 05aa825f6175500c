/**
 * Brings what was written to the disk itself, for all files together: at most every two seconds, and outside the event loop. So a
 * failure of power costs a few seconds of each recording, and recording costs the disk few waits.
 */
import type { Clock, Timer } from '../base/clock.js';

const PERIOD_MS = 2000;

/** A file that was written to. */
export interface SyncedFile {
  /** Resolves when all that was written is on the disk; never rejects. */
  sync(): Promise<void>;
}

/** One for all files of a disk. */
export class DiskSync {
  readonly #clock: Clock;
  readonly #written = new Set<SyncedFile>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was written to the file; it is on the disk within two seconds and what the disk takes. */
  written(file: SyncedFile): void {
    this.#written.add(file);
    this.#timer ??= this.#clock.after(PERIOD_MS, () => void this.#sync());
  }

  /** The file is closed, or about to be. */
  forget(file: SyncedFile): void {
    this.#written.delete(file);
    if (this.#written.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #sync(): Promise<void> {
    this.#timer = undefined;
    const files = [...this.#written];
    this.#written.clear();
    await Promise.all(files.map((file) => file.sync()));
  }
}
