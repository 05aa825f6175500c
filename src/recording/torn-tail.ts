/** Makes a segment whole that nobody finished: what is torn at its end is cut off, and its length is entered. No whole fragment is lost. */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { messageOf } from '../base/errors.js';
import { readBoxHeader, writeInitialization } from '../media/index.js';
import { compressDetections } from './detections-log.js';
import { sidecarFiles } from './layout.js';
import type { GroupPlace, SegmentFormat, TimeRange } from './recorded.js';
import { damaged, openSegmentReader, type FileSegmentReader } from './segment-reader.js';

/** Of the beginning and the first fragment together; a larger file holds something that somebody may want to look at. */
const MAX_FIRST_WRITE_BYTES = 8 << 20;

/** What a segment's file turned out to be. */
export interface ExaminedSegment extends TimeRange {
  /** Of the file. */
  readonly bytes: number;
  /** What is in it. */
  readonly format: SegmentFormat;
  /** Its keyframes. */
  readonly groups: readonly GroupPlace[];
  /** The source that it was recorded from; undefined: it does not say. */
  readonly sourceId: string | undefined;
  /** The run that it belongs to; undefined: it does not say. */
  readonly run: number | undefined;
  /** It was encoded for viewers. */
  readonly isTranscoded: boolean;
}

/** What is in a segment, as its file says. Nothing is changed. @throws MediaPeerError RECORDING_DAMAGED */
export async function examineSegment(file: string): Promise<ExaminedSegment> {
  const reader = await openSegmentReader(file);
  try {
    return await examine(reader);
  } finally {
    await reader.close();
  }
}

/**
 * Cuts off what is torn, and compresses what lies beside. Resolves with what is in the file then; undefined where that is nothing,
 * and it was removed: it is empty, or ends before its first fragment does. @throws MediaPeerError RECORDING_DAMAGED where it is no
 * segment of ours; it is left as it is
 */
export async function mendSegment(file: string): Promise<ExaminedSegment | undefined> {
  const { size } = await stat(file).catch((error: unknown) => {
    throw damaged(file, messageOf(error), error);
  });
  if (size === 0) return remove(file);
  const reader = await openSegmentReader(file).catch(async (error: unknown) => {
    if (isOfSystem(error) || !(await isFirstWrite(file))) throw error;
    return undefined;
  });
  if (!reader) return remove(file);
  try {
    const examined = await examine(reader);
    await finish(reader, examined, size);
    await compressDetections(file);
    return examined;
  } catch (error) {
    throw damaged(file, messageOf(error), error);
  } finally {
    await reader.close();
  }
}

async function examine(reader: FileSegmentReader): Promise<ExaminedSegment> {
  const groups = await reader.groups();
  const { toMs, bytes } = await reader.extent();
  const { provenance, format, anchorMs } = reader;
  return {
    ...{ fromMs: anchorMs, toMs, bytes, format, groups },
    ...{ sourceId: provenance?.sourceId, run: provenance?.run, isTranscoded: provenance?.isTranscoded ?? false },
  };
}

async function finish(
  { file, initialization, anchorMs }: FileSegmentReader,
  { toMs, bytes }: ExaminedSegment,
  size: number,
): Promise<void> {
  const { video, hasSound, provenance } = initialization;
  const beginning = writeInitialization({ video, hasSound, anchorMs, provenance }, toMs - anchorMs);
  const handle = await open(file, 'r+');
  try {
    if (size > bytes) await handle.truncate(bytes);
    if (beginning.length === initialization.bytes) await handle.write(beginning, 0, beginning.length, 0);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** The file could not be read: nothing is known of what is in it. */
function isOfSystem(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return (cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
}

/** The beginning of a segment, and nothing whole behind it: whoever wrote it was ended in its first write. */
async function isFirstWrite(file: string): Promise<boolean> {
  const { size } = await stat(file);
  if (size > MAX_FIRST_WRITE_BYTES) return false;
  const data = await readFile(file);
  const begin = writeInitialization({ video: undefined, hasSound: true, anchorMs: 0, provenance: undefined }).subarray(0, 16);
  return data.subarray(0, 16).equals(begin.subarray(0, data.length)) && !holdsFragment(data);
}

/** A fragment may be whole behind a beginning that is damaged. */
function holdsFragment(data: Buffer): boolean {
  for (let at = data.indexOf('moof'); at >= 0; at = data.indexOf('moof', at + 4)) {
    const moof = readBoxHeader(data, at - 4);
    const end = at - 4 + (moof?.bytes ?? 0);
    const samples = moof && readBoxHeader(data, end);
    if (samples?.type === 'mdat' && end + samples.bytes <= data.length) return true;
  }
  return false;
}

async function remove(file: string): Promise<undefined> {
  const { open: detections, finished } = sidecarFiles(file);
  for (const each of [file, detections, finished]) await rm(each, { force: true });
}
