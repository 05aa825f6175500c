/** Which frame lies so many before or behind another. */
import type { RecordedGroup, RecordedSegment, RecordingArchive, SegmentReader } from '../../recording/index.js';

/** Frames are further apart. */
const APART_MS = 1;
/** Groups that are read for one step: a group of a single frame is rare. */
const MAX_GROUPS = 400;

/** When the frame was captured that lies `frames` away from the one of that time; as many as there are, where there are not so many. */
export async function frameAway(
  recording: { readonly archive: RecordingArchive; readonly sourceId: string },
  atMs: number,
  frames: number,
): Promise<number> {
  const reading = new GroupReading(recording.archive);
  try {
    return await (frames < 0 ? before(recording, reading, atMs, -frames) : behind(recording, reading, atMs, frames));
  } finally {
    await reading.close();
  }
}

async function before(
  { archive, sourceId }: Parameters<typeof frameAway>[0],
  reading: GroupReading,
  atMs: number,
  count: number,
): Promise<number> {
  let times: number[] = [];
  let upToMs = atMs;
  for (let i = 0; i < MAX_GROUPS && times.length < count; i++) {
    const group = await archive.groupBefore(sourceId, upToMs - APART_MS);
    if (!group) break;
    const found = await reading.times(group, { fromMs: group.atMs - APART_MS, toMs: upToMs - APART_MS }, Infinity);
    times = [...found, ...times];
    upToMs = group.atMs;
  }
  return times.at(-count) ?? times[0] ?? atMs;
}

async function behind(
  { archive, sourceId }: Parameters<typeof frameAway>[0],
  reading: GroupReading,
  atMs: number,
  count: number,
): Promise<number> {
  let reachedMs = atMs;
  let missing = count;
  let group = await archive.groupBefore(sourceId, atMs);
  for (let i = 0; i < MAX_GROUPS && group && missing > 0; i++) {
    const times = await reading.times(group, { fromMs: reachedMs + APART_MS, toMs: Infinity }, missing);
    missing -= times.length;
    reachedMs = times.at(-1) ?? reachedMs;
    // A file is read to its end.
    group = await archive.groupAfter(sourceId, Math.max(reachedMs, group.segment.toMs - APART_MS));
  }
  return reachedMs;
}

/** Reads groups, often several of one file, which is opened once. */
class GroupReading {
  readonly #archive: RecordingArchive;
  #open: { readonly segment: RecordedSegment; readonly reader: SegmentReader } | undefined;

  constructor(archive: RecordingArchive) {
    this.#archive = archive;
  }

  /** Times of the frames between two, from a group on. @throws MediaPeerError RECORDING_DAMAGED */
  async times(group: RecordedGroup, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, most: number): Promise<number[]> {
    const times: number[] = [];
    const reader = await this.#readerOf(group.segment);
    for await (const { kind, wallMs } of reader.frames(group.atMs, undefined, group)) {
      if (wallMs >= toMs || times.length >= most) break;
      if (kind === 'video' && wallMs > fromMs) times.push(wallMs);
    }
    return times;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.reader.close();
  }

  async #readerOf(segment: RecordedSegment): Promise<SegmentReader> {
    if (this.#open?.segment.id === segment.id) return this.#open.reader;
    await this.close();
    const reader = await this.#archive.openSegment(segment);
    this.#open = { segment, reader };
    return reader;
  }
}
