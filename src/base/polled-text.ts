/**
 * A text file of the operator's, read again while the server runs. It is looked at again and again: bind mounts and editors that
 * rename miss the events of watching. A text counts when a second look finds the same one: half of a file is not what anybody meant.
 */
import { readBoundedText } from './bounded-text.js';
import type { Clock, Timer } from './clock.js';
import { messageOf } from './errors.js';

/** Which file, and who reads it. */
export interface PolledTextInit {
  /** Absolute path. */
  readonly file: string;
  /** A file that is larger is a fault. */
  readonly maxBytes: number;
  /** As it was read at the start. */
  readonly text: string;
  readonly clock: Clock;
  /** Takes each text that counts. What it throws is the fault. */
  readonly onText: (text: string) => Promise<void>;
  /** Called with each other fault, and with undefined when there is none any more. */
  readonly onFault: (fault: string | undefined) => void;
  /** Time between looks. Default 2000 ms. */
  readonly periodMs?: number;
}

const PERIOD_MS = 2000;
/** Between the two looks at a new text. */
const SETTLE_MS = 400;

/** What a look found. */
interface Found {
  readonly text?: string;
  readonly fault?: string;
}

/** One file that is looked at. */
export class PolledText {
  readonly #init: PolledTextInit;
  readonly #timer: Timer;
  /** What counts. */
  #settled: Found;
  /** What was found once. */
  #unsettled: Found | undefined;
  #settling: Timer | undefined;
  #fault: string | undefined;
  /** The last of the looks, one after the other. Never rejects. */
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(init: PolledTextInit) {
    this.#init = init;
    this.#settled = { text: init.text };
    this.#timer = init.clock.every(init.periodMs ?? PERIOD_MS, () => {
      if (!this.#settling) void this.#look(false);
    });
  }

  /** What is wrong with the file, in words; undefined where it is well. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Reads it now, as it is, and hands it on although nothing of it has changed. Resolves when it was taken; never rejects. */
  readNow(): Promise<void> {
    return this.#look(true);
  }

  /** Looks no more; resolves when nothing is being read. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#settling?.cancel();
    await this.#looking;
  }

  #look(isForced: boolean): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#isClosed) return;
      const found = await this.#read();
      if (!isForced && isSame(found, this.#settled)) this.#unsettled = undefined;
      else if (!isForced && !isSame(found, this.#unsettled)) this.#settle(found);
      else await this.#take(found);
    });
    return this.#looking;
  }

  async #read(): Promise<Found> {
    const { file, maxBytes } = this.#init;
    try {
      return { text: await readBoundedText(file, maxBytes) };
    } catch (error) {
      return { fault: messageOf(error) };
    }
  }

  #settle(found: Found): void {
    this.#unsettled = found;
    this.#settling = this.#init.clock.after(SETTLE_MS, () => {
      this.#settling = undefined;
      void this.#look(false);
    });
  }

  async #take(found: Found): Promise<void> {
    this.#settled = found;
    this.#unsettled = undefined;
    this.#tell(found.text === undefined ? found.fault : await this.#faultOf(found.text));
  }

  async #faultOf(text: string): Promise<string | undefined> {
    try {
      await this.#init.onText(text);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #tell(fault: string | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#init.onFault(fault);
  }
}

function isSame(a: Found, b: Found | undefined): boolean {
  return a.text === b?.text && a.fault === b?.fault;
}
