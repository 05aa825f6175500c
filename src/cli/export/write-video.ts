/** The video of one file of an export: the frames of its segments on one timeline, copied as they were recorded. */
import { open, type FileHandle } from 'node:fs/promises';
import { MediaPeerError } from '../../base/errors.js';
import { FragmentWriter } from '../../media/index.js';
import { openSegmentReader, type FileSegmentReader, type RecordedFrame } from '../../recording/index.js';
import { diskTrouble } from '../errors.js';
import type { OutputFile } from '../output-files.js';
import { FrameTimes } from './frame-times.js';
import type { ExportOptions } from './options.js';
import type { PlannedPart } from './plan.js';

/** What was written. */
export interface WrittenVideo {
  /** UTC in ms of the pictures in the file. */
  readonly wallTimes: FrameTimes;
  /** UTC in ms at which the file begins. */
  readonly anchorMs: number;
  /** In ms. */
  readonly lengthMs: number;
}

/** What is written, and where. */
export interface WriteVideoInit {
  /** What goes into the file. */
  readonly part: PlannedPart;
  /** Of which source, from when to when. */
  readonly options: Pick<ExportOptions, 'sourceId' | 'fromMs' | 'toMs'>;
  /** The file. */
  readonly output: OutputFile;
  /** Told, in words, of a segment that cannot be read, or not to its end: it may have been removed meanwhile. */
  readonly onDamaged: (why: string) => void;
  /** Stops it. */
  readonly signal: AbortSignal;
}

const FRAGMENT_MS = 500;
/** How far a frame is moved that a corrected clock put before the one ahead of it. */
const STEP_MS = 1;

/** Undefined where the range holds no frame that can be read. @throws CommandError; the signal's reason */
export async function writeVideo({ part, options, output, onDamaged, signal }: WriteVideoInit): Promise<WrittenVideo | undefined> {
  const { sourceId, fromMs = -Infinity, toMs = Infinity } = options;
  const handle = await open(output.scratch, 'w').catch((error: unknown) => {
    throw diskTrouble(error, output.file);
  });
  const video = new VideoFile({ handle, output, sourceId, hasSound: part.some(({ format }) => format.hasSound) });
  try {
    for (const { file } of part) {
      try {
        await copySegment(file, { fromMs, toMs }, video, signal);
      } catch (error) {
        if (!(error instanceof MediaPeerError) || error.code !== 'RECORDING_DAMAGED') throw error;
        onDamaged(error.message);
      }
      signal.throwIfAborted();
    }
    return await video.finish();
  } finally {
    await handle.close();
  }
}

async function copySegment(
  file: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  video: VideoFile,
  signal: AbortSignal,
): Promise<void> {
  const reader = await openSegmentReader(file);
  try {
    for await (const each of reader.frames(fromMs, signal)) if (each.wallMs < toMs) await video.add(each, reader);
  } finally {
    await reader.close();
  }
}

interface VideoFileInit {
  readonly handle: FileHandle;
  readonly output: OutputFile;
  readonly sourceId: string;
  /** Of one of the segments at least. */
  readonly hasSound: boolean;
}

/** The file while it is written. */
class VideoFile {
  readonly #init: VideoFileInit;
  readonly #wallTimes = new FrameTimes();
  readonly #last = { video: -Infinity, audio: -Infinity };
  #writer: FragmentWriter | undefined;
  #anchorMs = NaN;

  constructor(init: VideoFileInit) {
    this.#init = init;
  }

  /** The next frame of the segment that is read. @throws CommandError */
  async add({ kind, frame, wallMs }: RecordedFrame, { initialization }: FileSegmentReader): Promise<void> {
    // Sound before the first picture has none to go with.
    if (!this.#writer && initialization.video && kind === 'audio') return;
    this.#writer ??= await this.#begin(wallMs, initialization);
    if (wallMs < this.#anchorMs) return;
    const mediaTimeMs = Math.max(wallMs - this.#anchorMs, this.#last[kind] + STEP_MS);
    if (this.#writer.wouldExceed(FRAGMENT_MS, mediaTimeMs)) await this.#flush(kind === 'video' ? mediaTimeMs : undefined);
    if (!this.#writer.add(kind, { ...frame, mediaTimeMs })) return;
    this.#last[kind] = mediaTimeMs;
    if (kind === 'video') this.#wallTimes.add(wallMs);
  }

  /** Undefined where nothing was added. @throws CommandError */
  async finish(): Promise<WrittenVideo | undefined> {
    const writer = this.#writer;
    if (!writer) return undefined;
    await this.#flush();
    await this.#put(writer.initialization(true), 0);
    await this.#init.handle.datasync();
    return { wallTimes: this.#wallTimes, anchorMs: this.#anchorMs, lengthMs: writer.endMs };
  }

  async #begin(anchorMs: number, { video, provenance }: FileSegmentReader['initialization']): Promise<FragmentWriter> {
    const { sourceId, hasSound } = this.#init;
    this.#anchorMs = anchorMs;
    const writer = new FragmentWriter({
      ...{ video, hasSound, startMs: 0, anchorMs },
      provenance: { sourceId, run: provenance?.run ?? 0, isTranscoded: provenance?.isTranscoded ?? false },
    });
    await this.#put(writer.initialization());
    return writer;
  }

  async #flush(nextVideoMs?: number): Promise<void> {
    const fragment = this.#writer?.take(nextVideoMs);
    if (fragment) await this.#put(fragment.data);
  }

  async #put(data: Buffer, at?: number): Promise<void> {
    const { handle, output } = this.#init;
    try {
      if (at === undefined) await handle.appendFile(data);
      else await handle.write(data, 0, data.length, at);
    } catch (error) {
      throw diskTrouble(error, output.file);
    }
  }
}
