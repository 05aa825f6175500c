/** What was seen, from JSON Lines that export wrote, one after the other as the video goes on. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf } from '../../base/errors.js';
import { readDetectionsLine, type RecordedDetections } from '../../recording/index.js';
import { CommandError } from '../errors.js';

/** Reads one file. */
export class SeenLines {
  readonly #file: string;
  readonly #lines: AsyncIterator<string>;
  readonly #close: () => void;
  #next: RecordedDetections | undefined;
  #hasBegun = false;
  #error: Error | undefined;
  /** Lines that are none that export writes. */
  unreadable = 0;

  constructor(file: string) {
    this.#file = file;
    const stream = createReadStream(file);
    const lines = createInterface({ input: stream, crlfDelay: Infinity });
    // Which it hands on is up to the version of Node: it is told by whoever reads next.
    stream.once('error', (error) => {
      this.#error = error;
      lines.close();
    });
    this.#lines = lines[Symbol.asyncIterator]();
    this.#close = () => {
      lines.close();
      stream.destroy();
    };
  }

  /** What was seen up to that UTC in ms, in the order of the file. @throws CommandError */
  async *upTo(wallMs: number): AsyncGenerator<RecordedDetections> {
    if (!this.#hasBegun) this.#next = await this.#read();
    this.#hasBegun = true;
    while (this.#next && this.#next.wallMs <= wallMs) {
      yield this.#next;
      this.#next = await this.#read();
    }
  }

  /** Idempotent. */
  close(): void {
    this.#close();
  }

  async #read(): Promise<RecordedDetections | undefined> {
    for (;;) {
      const line = await this.#line();
      if (line === undefined) return undefined;
      const read = readDetectionsLine(line);
      if (read) return read;
      this.unreadable++;
    }
  }

  async #line(): Promise<string | undefined> {
    const next = await this.#lines.next().catch((error: unknown) => {
      throw this.#trouble(error);
    });
    if (this.#error) throw this.#trouble(this.#error);
    return next.done === true ? undefined : next.value;
  }

  #trouble(error: unknown): CommandError {
    return new CommandError(`${this.#file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
