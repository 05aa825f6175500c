/** Small pictures of one segment and when they were, in one file beside it: a line of JSON, then the JPEGs one after the other. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** A picture of a strip. */
export interface StripPicture {
  /** When it was captured, Unix milliseconds. */
  readonly atMs: number;
  /** A whole JPEG. */
  readonly jpeg: Buffer;
}

/** The pictures of one segment, in order; at least one. */
export type PictureStrip = readonly StripPicture[];

interface Head {
  readonly version: number;
  readonly pictures: readonly (readonly [atMs: number, bytes: number])[];
}

const VERSION = 1;
const MAX_HEAD_BYTES = 64 << 10;

/** Where the strip of a segment's file is. */
export function stripFile(segmentFile: string): string {
  return segmentFile.replace(/\.mp4$/, '') + '.thumbs';
}

/** Writes it whole or not at all, for its owner alone to read, as the recording. @throws Error of the system */
export async function writeStrip(file: string, strip: PictureStrip): Promise<void> {
  const head: Head = { version: VERSION, pictures: strip.map(({ atMs, jpeg }) => [atMs, jpeg.length]) };
  const scratch = `${file}.tmp`;
  try {
    await writeFile(scratch, [Buffer.from(`${JSON.stringify(head)}\n`), ...strip.map(({ jpeg }) => jpeg)], { mode: 0o600 });
    await rename(scratch, file);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}

/** Undefined where there is none, or none that can be read: it is made again then. */
export async function readStrip(file: string): Promise<PictureStrip | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  const headEnd = bytes?.subarray(0, MAX_HEAD_BYTES).indexOf('\n') ?? -1;
  const head = bytes && headEnd > 0 ? readHead(bytes.toString('utf8', 0, headEnd)) : undefined;
  if (!bytes || !head) return undefined;
  let at = headEnd + 1;
  const strip = head.pictures.map(([atMs, length]) => ({ atMs, jpeg: bytes.subarray(at, (at += length)) }));
  return strip.length > 0 && at === bytes.length ? strip : undefined;
}

/** The picture that was to be seen at a time: the last one that was captured by then, else the first. */
export function pictureAt(strip: PictureStrip, atMs: number): StripPicture {
  return strip.findLast((picture) => picture.atMs <= atMs) ?? (strip[0] as StripPicture);
}

function readHead(text: string): Head | undefined {
  try {
    const head = JSON.parse(text) as Partial<Head> | null;
    const isPicture = (each: unknown): boolean =>
      Array.isArray(each) && each.length === 2 && each.every((n) => Number.isSafeInteger(n) && n >= 0);
    return head?.version === VERSION && Array.isArray(head.pictures) && head.pictures.every(isPicture) ? (head as Head) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
