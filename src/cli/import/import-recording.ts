/** One run: what export wrote becomes segments again, at the UTC at which it was recorded. */
import { access, stat } from 'node:fs/promises';
import type { Clock } from '../../base/clock.js';
import {
  DiskSync,
  examineSegment,
  listSegments,
  openSegmentReader,
  removeSegmentFiles,
  segmentTime,
  SegmentWriter,
  sourceFolder,
  type SegmentFailure,
  type WrittenSegment,
} from '../../recording/index.js';
import { CommandError, diskTrouble } from '../errors.js';
import { timeText } from '../time.js';
import type { ImportOptions } from './options.js';
import { SeenLines } from './seen-lines.js';

/** What a run is built on. */
export interface ImportDeps {
  /** Absolute path. */
  readonly recordDir: string;
  readonly clock: Clock;
  /** Stops the run; nothing of the file that is being read is left then. */
  readonly signal: AbortSignal;
}

/** Frames that may wait to be written. */
const FRAMES_AT_ONCE = 300;
/** As long without a frame, and nothing was recorded: export lets the time of a gap pass. */
const GAP_MS = 1000;
/** What was seen in a frame bears its time, rounded. */
const SAME_FRAME_MS = 2;

/** Returns what was imported, in words. @throws CommandError, MediaPeerError RECORDING_DAMAGED; the signal's reason. Files before the one that fails stay imported */
export async function importRecording({ sourceId, inputs, detections }: ImportOptions, deps: ImportDeps): Promise<string> {
  const lines: string[] = [];
  for (const input of inputs) lines.push(await importFile(sourceId, input, detections ?? (await beside(input)), deps));
  return lines.join('\n');
}

async function importFile(sourceId: string, input: string, seenFile: string | undefined, deps: ImportDeps): Promise<string> {
  const { recordDir, clock, signal } = deps;
  const folder = sourceFolder(recordDir, sourceId);
  const { fromMs, toMs, isTranscoded, format, bytes } = await examineSegment(input);
  const tornBytes = (await stat(input)).size - bytes;
  await checkIsFree(folder, sourceId, fromMs, toMs);
  const reader = await openSegmentReader(input);
  const seen = seenFile === undefined ? undefined : new SeenLines(seenFile);
  const finished: WrittenSegment[] = [];
  let failure: SegmentFailure | undefined;
  const writer = new SegmentWriter({
    ...{ sourceId, folder, clock, disk: new DiskSync(clock), hasSound: format.hasSound, hasVideo: format.video !== undefined },
    isTranscoded: () => isTranscoded,
    placeOf: (mediaTimeMs) => ({ run: Math.round(fromMs * 1000), wallMs: fromMs + mediaTimeMs }),
    onBegun: (segment) => void finished.push(segment),
    onGrown: () => undefined,
    onFinished: () => undefined,
    onFailed: (failed) => (failure ??= failed),
  });
  let [pictures, seenCount] = [0, 0];
  let isDone = false;
  try {
    let [count, lastMs] = [0, fromMs];
    for await (const { kind, frame, wallMs } of reader.frames(-Infinity, signal)) {
      // What follows a gap begins with a keyframe: anything else is a picture that was held for long.
      if (wallMs - lastMs > GAP_MS && frame.keyframe && (kind === 'video' || !format.video)) await writer.cut();
      lastMs = Math.max(lastMs, wallMs);
      writer.write(kind, frame, kind === 'audio' ? 'opus' : (format.video?.codec ?? 'h264'));
      if (kind === 'video') pictures++;
      if (kind === 'video' || !format.video)
        for await (const each of seen?.upTo(wallMs + SAME_FRAME_MS) ?? []) {
          const isOfFrame = Math.abs(each.wallMs - wallMs) <= SAME_FRAME_MS;
          writer.writeDetections({ ...each.detections, sourceId }, isOfFrame ? frame.mediaTimeMs : each.wallMs - fromMs);
          seenCount++;
        }
      if (++count % FRAMES_AT_ONCE === 0) await writer.drained();
      if (failure) throw diskTrouble(Object.assign(new Error(failure.message), { code: failure.code }), failure.segment?.file ?? folder);
    }
    signal.throwIfAborted();
    isDone = true;
  } finally {
    await writer.close();
    await reader.close();
    await seen?.close();
    if (!isDone) for (const { file } of finished) await removeSegmentFiles(file);
  }
  if (failure) throw diskTrouble(Object.assign(new Error(failure.message), { code: failure.code }), failure.segment?.file ?? folder);
  const unreadable = seen && seen.unreadable > 0 ? `; ${seen.unreadable} lines of ${seenFile} are none that export writes` : '';
  const torn = tornBytes > 0 ? `; the file is torn: ${tornBytes} bytes at its end cannot be read` : '';
  return `${input}: ${pictures} pictures in ${finished.length} segments of '${sourceId}', ${timeText(fromMs)} to ${timeText(toMs)}; ${seenCount} with what was seen${unreadable}${torn}`;
}

/** @throws CommandError where something is recorded then already */
async function checkIsFree(folder: string, sourceId: string, fromMs: number, toMs: number): Promise<void> {
  const files = await listSegments(folder).catch(() => []); // the folder is made later
  for (const file of files) {
    const beginMs = segmentTime(file) ?? Infinity;
    if (beginMs >= toMs) break;
    const there = await examineSegment(file).catch(() => undefined);
    if (there && there.fromMs < toMs && there.toMs > fromMs)
      throw new CommandError(
        `something is recorded of '${sourceId}' from ${timeText(there.fromMs)} to ${timeText(there.toMs)} already: delete that, or name another source`,
      );
  }
}

async function beside(input: string): Promise<string | undefined> {
  const file = input.replace(/\.mp4$/i, '.jsonl');
  if (file === input) return undefined;
  return access(file).then(
    () => file,
    () => undefined,
  );
}
