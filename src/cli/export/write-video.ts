/** The video of one file of an export: the frames of its segments on one timeline, copied as they were recorded. */
import { open } from 'node:fs/promises';
import { FragmentWriter, type WrittenFragment } from '../../media/index.js';
import { openSegmentReader } from '../../recording/index.js';
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

const FRAGMENT_MS = 500;
/** How far a frame is moved that a corrected clock put before the one ahead of it. */
const STEP_MS = 1;

/** Undefined where the range holds no frame. @throws CommandError, MediaPeerError RECORDING_DAMAGED; the signal's reason */
export async function writeVideo(
  part: PlannedPart,
  { sourceId, fromMs = -Infinity, toMs = Infinity }: Pick<ExportOptions, 'sourceId' | 'fromMs' | 'toMs'>,
  output: OutputFile,
  signal: AbortSignal,
): Promise<WrittenVideo | undefined> {
  const handle = await open(output.scratch, 'w').catch((error: unknown) => {
    throw diskTrouble(error, output.file);
  });
  const put = async (data: Buffer, at?: number): Promise<void> => {
    await (at === undefined ? handle.appendFile(data) : handle.write(data, 0, data.length, at).then(() => undefined)).catch(
      (error: unknown) => {
        throw diskTrouble(error, output.file);
      },
    );
  };
  const wallTimes = new FrameTimes();
  const hasSound = part.some(({ format }) => format.hasSound);
  let writer: FragmentWriter | undefined;
  let anchorMs = NaN;
  const last = { video: -Infinity, audio: -Infinity };
  try {
    for (const segment of part) {
      const reader = await openSegmentReader(segment.file);
      try {
        const { video, provenance } = reader.initialization;
        for await (const { kind, frame, wallMs } of reader.frames(fromMs, signal)) {
          if (wallMs >= toMs) continue;
          if (!writer) {
            // Sound before the first picture has none to go with.
            if (video && kind === 'audio') continue;
            anchorMs = wallMs;
            writer = new FragmentWriter({
              ...{ video, hasSound, startMs: 0, anchorMs },
              provenance: { sourceId, run: provenance?.run ?? 0, isTranscoded: provenance?.isTranscoded ?? false },
            });
            await put(writer.initialization());
          }
          const mediaTimeMs = Math.max(wallMs - anchorMs, last[kind] + STEP_MS);
          if (wallMs < anchorMs) continue;
          if (writer.wouldExceed(FRAGMENT_MS, mediaTimeMs)) await putFragment(writer.take(kind === 'video' ? mediaTimeMs : undefined), put);
          if (!writer.add(kind, { ...frame, mediaTimeMs })) continue;
          last[kind] = mediaTimeMs;
          if (kind === 'video') wallTimes.add(wallMs);
        }
      } finally {
        await reader.close();
      }
      signal.throwIfAborted();
    }
    if (!writer) return undefined;
    await putFragment(writer.take(), put);
    await put(writer.initialization(true), 0);
    await handle.datasync();
    return { wallTimes, anchorMs, lengthMs: writer.endMs };
  } finally {
    await handle.close();
  }
}

async function putFragment(fragment: WrittenFragment | undefined, put: (data: Buffer) => Promise<void>): Promise<void> {
  if (fragment) await put(fragment.data);
}
