/**
 * The space that recordings leave to everything else. Below it nothing is recorded; it begins again when there is a tenth more, so
 * that it does not come and go.
 */
import type { Clock, Timer } from '../base/clock.js';

/** What is watched. */
export interface FreeSpaceInit {
  /** Bytes that are to stay free. */
  readonly minFreeBytes: number;
  /** Bytes that are free now; undefined where nobody can say. Never rejects. */
  readonly freeBytes: () => Promise<number | undefined>;
  readonly clock: Clock;
  /** Told when it becomes too little (true), and when there is enough again. */
  readonly onChange: (isShort: boolean) => void;
}

const LOOK_MS = 5_000;
/** So much more than the least lets recordings begin again. */
const MORE = 0.1;
/** After a disk was full although enough seemed to be free: quotas say so only by refusing. */
const REFUSED_MS = 60_000;
/** A disk with less was full indeed, and is again what it says once it has more than a little. */
const FULL_BYTES = 1 << 20;
const ROOM_BYTES = 8 << 20;

/** Watches the disk of recordings until it is closed. */
export class FreeSpace {
  readonly #init: FreeSpaceInit;
  #timer: Timer | undefined;
  #isShort = false;
  #refusedUntilMs = -Infinity;
  /** It was seen to be full, after it refused. */
  #isFull = false;
  #freeBytes: number | undefined;
  /** The look that is under way. */
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(init: FreeSpaceInit) {
    this.#init = init;
  }

  /** Looks now and from now on. Never rejects. */
  async begin(): Promise<void> {
    this.#timer ??= this.#init.clock.every(LOOK_MS, () => void this.look());
    await this.look();
  }

  /** True while nothing is to be recorded. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** As it was looked at last; undefined: not known. */
  get freeBytes(): number | undefined {
    return this.#freeBytes;
  }

  /** The disk took no more, whatever it says that is free. */
  refused(): void {
    this.#refusedUntilMs = this.#init.clock.now() + REFUSED_MS;
    this.#isFull = false;
    this.#set(true);
    void this.look();
  }

  /** Looks now, or waits for the look that is under way: a disk that hangs takes one thread of the system's calls, not all. Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#read().finally(() => (this.#looking = undefined)));
  }

  async #read(): Promise<void> {
    const { freeBytes: read, minFreeBytes, clock } = this.#init;
    const freeBytes = await read();
    this.#freeBytes = freeBytes;
    if (freeBytes === undefined) return;
    const isRefused = clock.now() < this.#refusedUntilMs;
    this.#isFull ||= isRefused && freeBytes < FULL_BYTES;
    if (this.#isFull ? freeBytes < ROOM_BYTES : isRefused) return;
    this.#isFull = false;
    this.#refusedUntilMs = -Infinity;
    this.#set(freeBytes < minFreeBytes * (this.#isShort ? 1 + MORE : 1));
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #set(isShort: boolean): void {
    if (isShort === this.#isShort || this.#isClosed) return;
    this.#isShort = isShort;
    this.#init.onChange(isShort);
  }
}
