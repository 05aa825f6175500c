/** The bytes of an upload on their way to the disk: one piece at a time, so no more of them is in memory than the network hands over at once. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { MediaPeerError } from '../../base/errors.js';
import type { Part } from './parts.js';

/** What is written where. */
export interface Reception {
  /** Written from its end on. */
  readonly part: Part;
  /** The bytes; undefined: none. */
  readonly body: Readable | undefined;
  /** Most bytes that may come. */
  readonly maxBytes: number;
  /** What is said where more come. */
  readonly tooMany: () => MediaPeerError;
  /** Called before anything is written: what the part takes the place of is gone from then on. */
  readonly onBegun: () => void;
  /** Told of each piece, in bytes, once it is written. */
  readonly onWritten: (bytes: number) => void;
  /** Ends it: the upload was deleted, or the server closes. */
  readonly signal: AbortSignal;
}

/**
 * Appends the body to the part, and waits until all of it is on the disk.
 * @returns what has come, in bytes
 * @throws what `tooMany` gives; whatever ended the body or the write: what had come until then stays
 */
export async function receive({ part, body, maxBytes, tooMany, onBegun, onWritten, signal }: Reception): Promise<number> {
  let handle: FileHandle | undefined;
  const end = (): void => void body?.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    let bytes = 0;
    for await (const piece of (body ?? []) as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooMany();
      handle ??= await begin(part, onBegun);
      await handle.writeFile(piece);
      onWritten(piece.length);
    }
    handle ??= await begin(part, onBegun);
    await handle.sync();
    return bytes;
  } finally {
    signal.removeEventListener('abort', end);
    await handle?.close();
  }
}

async function begin(part: Part, onBegun: () => void): Promise<FileHandle> {
  onBegun();
  for (const file of part.replaced) await rm(file, { force: true });
  return open(part.file, part.receivedBytes === 0 ? 'w' : 'a', 0o644);
}
