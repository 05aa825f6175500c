/** What looks at recordings without playing them: timelines, search, thumbnails and clips. */
import type { AppDeps } from '../app.js';
import { annotate, LabelRenderer, narrowJpeg } from '../detection/index.js';
import { readKeyframePictures, type FfmpegDeps } from '../ffmpeg/index.js';
import { THUMBNAIL_PX } from '../http/index.js';
import {
  Clips,
  goneWith,
  MotionLog,
  openSegmentReader,
  rebuildSeen,
  searchSeen,
  SeenObjects,
  Thumbnails,
  timelineOf,
  type CodedPicture,
  type Draw,
  type PlaybackEncodes,
  type RecordedSegment,
  type RecordingArchive,
  type TimeRange,
} from '../recording/index.js';
import type { EventStore } from '../store/index.js';
import type { Host } from './host.js';

/** Pictures of a segment, for what they tell of motion. */
async function* picturesOf(segment: RecordedSegment): AsyncGenerator<CodedPicture> {
  const reader = await openSegmentReader(segment.file, segment);
  try {
    yield* reader.pictures();
  } finally {
    await reader.close();
  }
}

/** Between pictures of a strip. */
const THUMBNAIL_EVERY_MS = 2000;

const MINUTE_MS = 60_000;

/** In the store, while what was seen is found out anew. */
const [PENDING_NOTE, PENDING] = ['seen-rebuild', 'pending'];

/** What looking is built on. */
export interface LookingParts {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** There is space for thumbnails beside it. */
  readonly hasSpace: () => boolean;
  /** Keeps what was seen. */
  readonly events: EventStore;
  /** Makes thumbnails and clips. */
  readonly ffmpeg: FfmpegDeps;
  /** Places of encodes, shared with playbacks. */
  readonly encodes: PlaybackEncodes;
}

/** Follows what is seen in sources that are recorded. */
export async function openSeen({ config, clock, closers }: Host, events: EventStore): Promise<SeenObjects> {
  const seen = new SeenObjects({
    keep: (entry) => events.keepSeen(entry),
    lastId: await events.askSeen<'last-seen-id'>({ kind: 'last-seen-id' }),
    maxAgeMs: config.RECORD_RETENTION.maxAgeMs,
    clock,
  });
  closers.add(() => seen.close());
  return seen;
}

/** Whether an earlier server began to find out anew what was seen, and did not come to its end. @throws MediaPeerError STORE_FAILED */
export async function isSeenRebuildPending(events: Pick<EventStore, 'note'>): Promise<boolean> {
  return (await events.note(PENDING_NOTE)) === PENDING;
}

/** Finds out anew what was seen in recordings that were not in the index. Never rejects: the log says what failed. */
export async function rebuildSeenRows(
  host: Pick<Host, 'clock' | 'loggers'>,
  { archive, events }: Pick<LookingParts, 'archive' | 'events'>,
  seen: SeenObjects,
  { untilMs, signal }: { readonly untilMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const logger = host.loggers.of('recording');
  events.keepNote(PENDING_NOTE, PENDING);
  try {
    const isKnown = (sourceId: string, within: TimeRange): Promise<boolean> => isSeenKnown(events, sourceId, within);
    await rebuildSeen({ archive, seen, isKnown, clock: host.clock, logger, signal }, untilMs);
    if (!signal.aborted) events.keepNote(PENDING_NOTE, '');
  } catch (error) {
    logger.error({ err: error }, 'what was seen in recordings could not be read anew');
  }
}

/**
 * By minutes that begin within: the one before may tell of the segment before alone. Of a short segment without objects nobody can say:
 * it is read again, which adds nothing.
 */
async function isSeenKnown(events: EventStore, sourceId: string, within: TimeRange): Promise<boolean> {
  const stepMs = within.toMs - within.fromMs;
  const fromMs = Math.ceil(within.fromMs / MINUTE_MS) * MINUTE_MS;
  if (fromMs < within.toMs) {
    const steps = await events.askSeen<'seen-steps'>({ kind: 'seen-steps', sourceId, fromMs, toMs: within.toMs, stepMs });
    if (steps.some(({ isLookedAt }) => isLookedAt)) return true;
  }
  return (await events.askSeen<'seen-density'>({ kind: 'seen-density', sourceId, ...rangeOf(within), stepMs })).length > 0;
}

/** Of what may have more members, which is sent to another thread. */
function rangeOf({ fromMs, toMs }: TimeRange): TimeRange {
  return { fromMs, toMs };
}

/** For the routes of timelines, search, thumbnails and clips. */
export function openLooking(host: Host, parts: LookingParts, seen: SeenObjects): AppDeps['looking'] {
  const { clock, loggers, closers } = host;
  const { archive, hasSpace, events, ffmpeg, encodes } = parts;
  const logger = loggers.of('recording');
  const stop = archive.onChange(({ kind, segment }) => {
    if (kind === 'removed') void forget(segment);
  });
  /** Never rejects: what is left goes for its age. */
  const forget = async (segment: RecordedSegment): Promise<void> => {
    try {
      for (const gone of await goneWith(archive, segment)) seen.forget(segment.sourceId, gone);
    } catch (error) {
      logger.warn({ sourceId: segment.sourceId, err: error }, 'what was seen in a recording that was removed could not be removed');
    }
  };
  const readPictures = (file: string, signal: AbortSignal): ReturnType<typeof readKeyframePictures> =>
    readKeyframePictures(ffmpeg, { file, widthPx: THUMBNAIL_PX, everyMs: THUMBNAIL_EVERY_MS, signal });
  const thumbnails = new Thumbnails({ archive, readPictures, mayKeep: hasSpace, clock, logger });
  const clips = new Clips({
    archive,
    ffmpeg,
    encodes,
    openDraw: (sourceId, within, heightPx) => openDraw(host, events, { sourceId, within, heightPx }),
  });
  const motion = new MotionLog({ archive, picturesOf, keep: (entry) => events.keepSeen(entry), logger });
  closers.add(() => motion.close());
  closers.add(() => thumbnails.close());
  closers.add(() => clips.close());
  closers.add(stop);
  const now = (): number => clock.wallClock();
  return {
    timeline: {
      now,
      timeline: (sourceId, within, stepMs) =>
        timelineOf({ archive, ask: (question) => events.askSeen(question) }, { sourceId, within, stepMs }),
    },
    search: {
      now,
      search: (query) => searchSeen({ archive, find: (asked) => events.askSeen<'seen'>({ kind: 'seen', query: asked }) }, query),
      sources: () => archive.sources(),
    },
    thumbnails: { thumbnail: (sourceId, atMs) => thumbnails.get(sourceId, atMs), narrowed: narrowJpeg },
    clips: { openClip: (request, signal) => clips.open(request, signal), describeClip: (request) => clips.describe(request) },
  };
}

/** Draws as the processed rendition does. The labels that will be needed are rendered ahead. */
async function openDraw(
  { loggers }: Host,
  events: EventStore,
  { sourceId, within, heightPx }: { readonly sourceId: string; readonly within: TimeRange; readonly heightPx: number },
): Promise<Draw> {
  const labels = await events.askSeen<'seen-labels'>({ kind: 'seen-labels', sourceId, ...within });
  const renderer = new LabelRenderer({ labels, logger: loggers.of('recording') });
  await renderer.prepare(heightPx);
  return (picture, objects) => annotate(picture, objects, renderer);
}
