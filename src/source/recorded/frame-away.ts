/** Which frame lies so many before or behind another. */
import type { RecordedGroup, RecordingArchive } from '../../recording/index.js';

/** Frames are further apart. */
const APART_MS = 1;
/** Groups that are read for one step back: a group of a single frame is rare. */
const MAX_GROUPS = 400;

/** When the frame was captured that lies `frames` away from the one of that time; as many as there are, where there are not so many. */
export async function frameAway(
  recording: { readonly archive: RecordingArchive; readonly sourceId: string },
  atMs: number,
  frames: number,
): Promise<number> {
  return frames < 0 ? before(recording, atMs, -frames) : behind(recording, atMs, frames);
}

async function before({ archive, sourceId }: Parameters<typeof frameAway>[0], atMs: number, count: number): Promise<number> {
  let times: number[] = [];
  let upToMs = atMs;
  for (let i = 0; i < MAX_GROUPS && times.length < count; i++) {
    const group = await archive.groupBefore(sourceId, upToMs - APART_MS);
    if (!group) break;
    const found = await timesIn(archive, group, { fromMs: group.atMs, toMs: upToMs }, Infinity);
    times = [...found, ...times];
    upToMs = group.atMs;
  }
  return times.at(-count) ?? times[0] ?? atMs;
}

async function behind({ archive, sourceId }: Parameters<typeof frameAway>[0], atMs: number, count: number): Promise<number> {
  const group = await archive.groupBefore(sourceId, atMs);
  const times = group ? await timesIn(archive, group, { fromMs: atMs, toMs: Infinity }, count) : [];
  return times.at(-1) ?? atMs;
}

/** Times of the frames of a segment that lie inside a range, and are not its ends. */
async function timesIn(
  archive: RecordingArchive,
  { segment, atMs }: RecordedGroup,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  most: number,
): Promise<number[]> {
  const times: number[] = [];
  const reader = await archive.openSegment(segment);
  try {
    for await (const { kind, wallMs } of reader.frames(Math.max(atMs, fromMs))) {
      if (wallMs >= toMs - APART_MS || times.length >= most) break;
      if (kind === 'video' && wallMs >= (fromMs === atMs ? fromMs - APART_MS : fromMs + APART_MS)) times.push(wallMs);
    }
  } finally {
    await reader.close();
  }
  return times;
}
