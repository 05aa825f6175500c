/** Readers that tell when a file turns out to be otherwise than the index has it, so that the index is put right. */
import { stat } from 'node:fs/promises';
import type { GroupPlace, RecordedFrame, RecordedSegment, SegmentReader } from './recorded.js';
import { openSegmentReader } from './segment-reader.js';

/** Opens a segment. @param onWrong called once where its file is not what the index has; must not throw @throws MediaPeerError RECORDING_DAMAGED */
export async function openCheckedReader(segment: RecordedSegment, onWrong: () => void): Promise<SegmentReader> {
  let hasTold = false;
  const tell = (): void => {
    // Of one that is being written, whoever writes it knows.
    if (!hasTold && !segment.isOpen) onWrong();
    hasTold = true;
  };
  try {
    const reader = await openSegmentReader(segment.file, segment);
    if ((await stat(segment.file)).size < segment.bytes) tell();
    return new CheckedReader(reader, tell);
  } catch (error) {
    tell();
    throw error;
  }
}

class CheckedReader implements SegmentReader {
  readonly #reader: SegmentReader;
  readonly #tell: () => void;

  constructor(reader: SegmentReader, tell: () => void) {
    this.#reader = reader;
    this.#tell = tell;
  }

  get format(): SegmentReader['format'] {
    return this.#reader.format;
  }

  async *frames(fromMs: number, signal?: AbortSignal, begin?: Pick<GroupPlace, 'atMs' | 'offset'>): AsyncIterable<RecordedFrame> {
    try {
      yield* this.#reader.frames(fromMs, signal, begin);
    } catch (error) {
      this.#tell();
      throw error;
    }
  }

  async groups(): ReturnType<SegmentReader['groups']> {
    try {
      return await this.#reader.groups();
    } catch (error) {
      this.#tell();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
