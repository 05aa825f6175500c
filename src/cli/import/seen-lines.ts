/** What was seen, from JSON Lines that export wrote, one after the other as the video goes on. */
import { createReadStream } from 'node:fs';
import { messageOf } from '../../base/errors.js';
import { readDetectionsLine, splitLines, type RecordedDetections } from '../../recording/index.js';
import { CommandError } from '../errors.js';

/** Reads one file. */
export class SeenLines {
  readonly #file: string;
  readonly #lines: AsyncGenerator<string>;
  #next: RecordedDetections | undefined;
  #hasBegun = false;
  /** Lines that are none that export writes. */
  unreadable = 0;

  constructor(file: string) {
    this.#file = file;
    this.#lines = linesOf(file);
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

  /** Ends the reading. Idempotent. */
  async close(): Promise<void> {
    await this.#lines.return(undefined);
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
    try {
      const next = await this.#lines.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      throw new CommandError(`${this.#file} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** The file is opened by whoever reads the first line, and closed by whoever ends the reading. */
async function* linesOf(file: string): AsyncGenerator<string> {
  yield* splitLines(createReadStream(file));
}
