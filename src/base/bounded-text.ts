/** Text files of the operator's, of which no more is read than is taken: what a path leads to may have no end. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** A pipe that nobody writes to is not waited for. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
const CHUNK_BYTES = 64 * 1024;

/** @throws Error of the system; one that says so where the file is larger */
export async function readBoundedText(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, FLAGS);
  try {
    const pieces = new Pieces(maxBytes);
    while (pieces.add((await handle.read(pieces.next)).bytesRead));
    return pieces.text;
  } finally {
    await handle.close();
  }
}

/** As `readBoundedText`, for the start of a server. */
export function readBoundedTextSync(file: string, maxBytes: number): string {
  const handle = openSync(file, FLAGS);
  try {
    const pieces = new Pieces(maxBytes);
    while (pieces.add(readSync(handle, pieces.next)));
    return pieces.text;
  } finally {
    closeSync(handle);
  }
}

/** What was read so far. */
class Pieces {
  next = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #maxBytes: number;
  readonly #all: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get text(): string {
    return Buffer.concat(this.#all).toString('utf8');
  }

  /** Takes what is in `next`; false at the end. @throws Error where it is too much */
  add(bytesRead: number): boolean {
    if (bytesRead === 0) return false;
    this.#all.push(this.next.subarray(0, bytesRead));
    this.#bytes += bytesRead;
    if (this.#bytes > this.#maxBytes) throw new Error(`it is larger than ${this.#maxBytes} bytes`);
    this.next = Buffer.allocUnsafe(CHUNK_BYTES);
    return true;
  }
}
