/** Reads a segment: its frames as they were recorded, from the keyframe that a time needs. Also one that grows while it is read. */
import { open, type FileHandle } from 'node:fs/promises';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { MAX_INITIALIZATION_BYTES, readInitialization, readSample, type Provenance, type ReadInitialization } from '../media/index.js';
import { nextFragment, readAt, type LocatedFragment } from './fragment-scan.js';
import type { CodedPicture } from './stream-motion.js';
import type { GroupPlace, RecordedFrame, RecordedSegment, SegmentFormat, SegmentReader } from './recorded.js';

/** Clocks of an index and of a file differ by what is rounded. */
const SAME_MS = 2;

interface IndexedFragment {
  readonly offset: number;
  readonly keyframes: readonly { readonly atMs: number; readonly bytes: number }[];
}

/** Opens a segment; close the reader. @param expected what the index says is there @throws MediaPeerError RECORDING_DAMAGED */
export async function openSegmentReader(file: string, expected?: Pick<RecordedSegment, 'sourceId' | 'fromMs'>): Promise<FileSegmentReader> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw damaged(file, isMissing(error) ? 'it is not there any more' : messageOf(error), error);
  });
  try {
    const { size } = await handle.stat();
    const initialization = readInitialization(await readAt(handle, 0, Math.min(size, MAX_INITIALIZATION_BYTES)));
    if (!initialization) throw damaged(file, size === 0 ? 'it is empty' : 'it is no segment of a recording, or its beginning is damaged');
    const first = await nextFragment(handle, initialization.bytes, size);
    if (!first) throw damaged(file, 'nothing in it is whole');
    const reader = new FileSegmentReader({ file, handle, initialization, anchorMs: first.head.anchorMs });
    if (expected) checkIsExpected(reader, expected);
    return reader;
  } catch (error) {
    await handle.close();
    throw error instanceof MediaPeerError ? error : damaged(file, messageOf(error), error);
  }
}

/** RECORDING_DAMAGED. @param why it cannot be used */
export function damaged(file: string, why: string, cause?: unknown): MediaPeerError {
  return new MediaPeerError('RECORDING_DAMAGED', `${file} cannot be played: ${why}`, { cause });
}

function checkIsExpected(
  { file, provenance, anchorMs }: FileSegmentReader,
  { sourceId, fromMs }: Pick<RecordedSegment, 'sourceId' | 'fromMs'>,
): void {
  const isOther = provenance !== undefined && provenance.sourceId !== sourceId;
  if (!isOther && Math.abs(anchorMs - fromMs) <= SAME_MS) return;
  const what = `${isOther ? `'${provenance.sourceId}' ` : 'the time '}from ${new Date(anchorMs).toISOString()}`;
  throw damaged(file, `it was replaced by another recording: it holds ${what}, not '${sourceId}' from ${new Date(fromMs).toISOString()}`);
}

/** What a reader is made of. */
interface FileSegmentReaderInit {
  readonly file: string;
  /** Belongs to the reader. */
  readonly handle: FileHandle;
  readonly initialization: ReadInitialization;
  readonly anchorMs: number;
}

/** A segment's file. */
export class FileSegmentReader implements SegmentReader {
  /** Absolute path. */
  readonly file: string;
  /** What is in it. */
  readonly format: SegmentFormat;
  /** UTC of its first frame, as the file itself says. */
  readonly anchorMs: number;
  readonly #handle: FileHandle;
  readonly #initialization: ReadInitialization;
  readonly #fragments: IndexedFragment[] = [];
  /** Where the next fragment is expected: everything before is known. */
  #end: number;
  #endMs = 0;
  #closing: Promise<void> | undefined;

  constructor({ file, handle, initialization, anchorMs }: FileSegmentReaderInit) {
    const { video, hasSound } = initialization;
    this.file = file;
    this.format = {
      video: video && { codec: video.codec, widthPx: video.widthPx, heightPx: video.heightPx, codecs: video.codecs },
      hasSound,
    };
    this.anchorMs = anchorMs;
    this.#handle = handle;
    this.#initialization = initialization;
    this.#end = initialization.bytes;
  }

  /** Where it comes from; undefined: it does not say. */
  get provenance(): Provenance | undefined {
    return this.#initialization.provenance;
  }

  /** What stands before the first fragment. */
  get initialization(): ReadInitialization {
    return this.#initialization;
  }

  /** UTC of its end and the bytes up to there, as far as it is whole now. @throws MediaPeerError RECORDING_DAMAGED */
  async extent(): Promise<{ readonly toMs: number; readonly bytes: number }> {
    await this.#scan();
    return { toMs: this.anchorMs + this.#endMs, bytes: this.#end };
  }

  /** See `SegmentReader`. */
  async groups(): Promise<GroupPlace[]> {
    await this.#scan();
    return this.#fragments.flatMap(({ offset, keyframes }) =>
      keyframes.map(({ atMs, bytes }) => ({ atMs: this.anchorMs + atMs, offset, bytes })),
    );
  }

  /** Its pictures without what is in them, in order: heads of fragments alone are read. @throws MediaPeerError RECORDING_DAMAGED */
  async *pictures(): AsyncGenerator<CodedPicture> {
    for (let at = this.#initialization.bytes; ;) {
      const fragment = await this.#next(at);
      if (!fragment) return;
      at = fragment.offset + fragment.head.bytes;
      for (const { kind, mediaTimeMs, bytes, keyframe } of fragment.head.samples)
        if (kind === 'video') yield { wallMs: this.anchorMs + mediaTimeMs, bytes, keyframe };
    }
  }

  /** See `SegmentReader`. */
  async *frames(fromMs: number, signal?: AbortSignal, begin?: Pick<GroupPlace, 'atMs' | 'offset'>): AsyncGenerator<RecordedFrame> {
    const start = (begin && (await this.#startAt(begin))) ?? (await this.#find(fromMs - this.anchorMs));
    let at = start.offset;
    while (!signal?.aborted) {
      const fragment = await this.#next(at);
      if (!fragment) return;
      at = fragment.offset + fragment.head.bytes;
      yield* this.#framesOf(fragment, await this.#read(fragment.offset, fragment.head.bytes), start.atMs, signal);
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  async #find(mediaTimeMs: number): Promise<{ readonly offset: number; readonly atMs: number }> {
    await this.#scan();
    return this.#startOf(mediaTimeMs);
  }

  /** Undefined where that keyframe is not there: an index may be of another file. */
  async #startAt({
    atMs,
    offset,
  }: Pick<GroupPlace, 'atMs' | 'offset'>): Promise<{ readonly offset: number; readonly atMs: number } | undefined> {
    if (offset < this.#initialization.bytes) return undefined;
    const fragment = await this.#next(offset).catch(() => undefined);
    const isIt = (mediaTimeMs: number): boolean => Math.abs(this.anchorMs + mediaTimeMs - atMs) <= SAME_MS;
    const keyframe = fragment?.head.samples.find((each) => each.kind === 'video' && each.keyframe && isIt(each.mediaTimeMs));
    return fragment?.offset === offset && keyframe ? { offset, atMs: keyframe.mediaTimeMs } : undefined;
  }

  /** The last keyframe at or before that, from the file's first frame; the first one, or the file's beginning, where there is none. */
  #startOf(mediaTimeMs: number): { readonly offset: number; readonly atMs: number } {
    const all = this.#fragments.flatMap(({ offset, keyframes }) => keyframes.map(({ atMs }) => ({ offset, atMs })));
    const before = all.findLast(({ atMs }) => atMs <= mediaTimeMs + SAME_MS / 4) ?? all[0];
    if (this.format.video) return before ?? { offset: this.#end, atMs: 0 };
    // Of sound every frame will do.
    const fragments = this.#fragments.map(({ offset, keyframes }) => ({ offset, atMs: keyframes[0]?.atMs ?? 0 }));
    return fragments.findLast(({ atMs }) => atMs <= mediaTimeMs) ?? { offset: this.#initialization.bytes, atMs: 0 };
  }

  *#framesOf({ head }: LocatedFragment, data: Buffer, fromMs: number, signal: AbortSignal | undefined): Generator<RecordedFrame> {
    if (data.length < head.bytes) return;
    // Each track is in order; of two of the same time the picture comes first.
    const samples = [...head.samples].sort((a, b) => a.mediaTimeMs - b.mediaTimeMs);
    for (const sample of samples) {
      if (sample.mediaTimeMs < fromMs || signal?.aborted) continue;
      yield {
        kind: sample.kind,
        frame: readSample(data, sample, this.#initialization),
        wallMs: this.anchorMs + sample.mediaTimeMs,
      };
    }
  }

  /** Looks at what has come since it was last looked at. */
  async #scan(): Promise<void> {
    for (;;) {
      const found = await this.#next(this.#end);
      if (!found) return;
      const { offset, head } = found;
      // Another reader of the same file may have looked meanwhile.
      if (offset < this.#end) continue;
      const first = head.samples[0];
      const keyframes = head.samples
        .filter(({ kind, keyframe }) => keyframe && kind === 'video')
        .map(({ mediaTimeMs, bytes }) => ({ atMs: mediaTimeMs, bytes: bytes + this.#initialization.parameterSets.length }));
      const soundAlone = this.format.video || !first ? [] : [{ atMs: first.mediaTimeMs, bytes: 0 }];
      this.#fragments.push({ offset, keyframes: [...keyframes, ...soundAlone] });
      this.#end = offset + head.bytes;
      this.#endMs = head.samples.reduce((end, each) => Math.max(end, each.mediaTimeMs + each.durationMs), this.#endMs);
    }
  }

  async #next(from: number): Promise<LocatedFragment | undefined> {
    try {
      const { size } = await this.#handle.stat();
      return await nextFragment(this.#handle, from, size);
    } catch (error) {
      throw damaged(this.file, messageOf(error), error);
    }
  }

  async #read(offset: number, bytes: number): Promise<Buffer> {
    try {
      return await readAt(this.#handle, offset, bytes);
    } catch (error) {
      throw damaged(this.file, messageOf(error), error);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT';
}
