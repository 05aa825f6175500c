/**
 * What was seen, beside a segment: a line a frame while it is written, compressed when it is finished. A reader takes either, and
 * ends where a file was torn off.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import { readDetectionsLine, wallMsOfLine, writeDetectionsLine } from './detections-json.js';
import { sidecarFiles } from './layout.js';
import type { RecordedDetections } from './recorded.js';
import { SegmentFile, type SegmentFileInit } from './segment-file.js';

/** Compresses a minute in some 50 ms, outside the event loop, nearly as small as it gets. */
const BROTLI_QUALITY = 5;
/** Longest line that is read; the longest that is written has some 1000 objects. */
const MAX_LINE_LENGTH = 4 << 20;

/** Where the segment lies, and what it is written with. */
export interface DetectionsLogInit extends Omit<SegmentFileInit, 'place'> {
  /** Absolute path of the segment; asked when something is written. */
  readonly segmentFile: () => string;
}

/** Writes what was seen in one segment. */
export class DetectionsLog {
  readonly #init: DetectionsLogInit;
  #file: SegmentFile | undefined;
  #lines: string[] = [];

  constructor(init: DetectionsLogInit) {
    this.#init = init;
  }

  /** Takes a line; it is written by `flush`. */
  add(recorded: RecordedDetections): void {
    this.#lines.push(`${writeDetectionsLine(recorded)}\n`);
  }

  /** Writes what was added. @throws Error of the system; nothing is written any more then */
  async flush(): Promise<void> {
    const lines = this.#lines.splice(0);
    if (lines.length === 0) return;
    const { segmentFile, disk, openFile } = this.#init;
    this.#file ??= new SegmentFile({ place: () => sidecarFiles(segmentFile()).open, disk, openFile });
    await this.#file.append(Buffer.from(lines.join('')));
  }

  /** Nothing follows: it is on the disk, compressed, when this resolves. @throws Error of the system; what was written stays then */
  async finish(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file?.close();
    }
    if (this.#file) await compressDetections(this.#init.segmentFile());
  }
}

/** Compresses what lies beside a segment, where that is not done yet. @throws Error of the system; what was written stays then */
export async function compressDetections(segmentFile: string): Promise<void> {
  const { open, finished } = sidecarFiles(segmentFile);
  const size = (await stat(open).catch(() => undefined))?.size;
  if (size === undefined) return;
  const scratch = `${finished}.tmp`;
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
  try {
    const packer = createBrotliCompress({ params: { [BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [BROTLI_PARAM_SIZE_HINT]: size } });
    await pipeline(createReadStream(open), packer, createWriteStream(scratch, { mode: 0o600, flush: true }));
    await rename(scratch, finished);
    await rm(open, { force: true });
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}

/** What was seen in a segment, in the order in which it was written; nothing where there is none. Ends where a file is torn, and leaves out lines that are none. @param fromMs what is older is passed over. Default: nothing is */
export async function* readDetectionsLog(segmentFile: string, fromMs = -Infinity): AsyncGenerator<RecordedDetections> {
  for await (const line of readLines(segmentFile)) {
    // Most of a minute lies before the time that somebody goes to: parsing it would take longer than all the rest.
    if ((wallMsOfLine(line) ?? fromMs) < fromMs) continue;
    const read = readDetectionsLine(line);
    if (read) yield read;
  }
}

async function* readLines(segmentFile: string): AsyncGenerator<string> {
  const { open, finished } = sidecarFiles(segmentFile);
  const isFinished = (await stat(finished).catch(() => undefined)) !== undefined;
  const file = createReadStream(isFinished ? finished : open);
  const bytes: Readable = isFinished ? file.pipe(createBrotliDecompress()) : file;
  file.on('error', (error) => bytes.destroy(error));
  try {
    yield* splitLines(bytes);
  } catch (error) {
    // Not there, or torn: what came before counts.
    if (!isEnd(error)) throw error;
  } finally {
    file.destroy();
    bytes.destroy();
  }
}

/** Lines of a text, also one that nothing ends; one that is longer than any that is written is the last. @throws Error of the stream */
export async function* splitLines(bytes: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE_LENGTH) break;
  }
  if (rest !== '') yield rest;
}

/** There is no such file, or the decompressor found that it does not go on. */
function isEnd(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ENOENT' || /^(Z_|ERR_)/.test(code ?? '');
}
