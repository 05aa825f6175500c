/** What recording is tied to: the sources that are live, the folder of recordings, the index in the store, and who asks for the past. */
import { endsWithin } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { configuredPath, VARIABLES } from '../config.js';
import type { RecordingStatus } from '../http/index.js';
import { StandingLeases, type PipelineSource } from '../pipeline/index.js';
import {
  Archive,
  DiskSync,
  examineSegment,
  Keeps,
  openCheckedReader,
  readDetectionsLog,
  Recorder,
  RecordingFolder,
  Recordings,
  removeSegmentFiles,
  SegmentWriter,
  sourceFolder,
  type DetectionsKept,
  type RecordedSegment,
  type RecordingSettings,
  type RecordingStats,
  type SeenObjects,
} from '../recording/index.js';
import type { StateFile } from '../store/index.js';
import type { DetectionServices } from './detection.js';
import type { Host } from './host.js';
import { KeptRecordings } from './kept-recordings.js';
import { isSeenRebuildPending, openSeen, rebuildSeenRows } from './looking.js';
import type { Source } from '../source/index.js';
import type { Sources } from './sources.js';

/** A disk that does not answer holds up the end of the server so long, and leaves time for the others. */
const CLOSE_MS = 3_000;

/** Recordings of this server. */
export interface Recording {
  /** What was recorded. */
  readonly archive: Archive;
  /** For those who ask. */
  readonly recordings: Recordings;
  /** How sources are recorded. */
  readonly keptRecordings: KeptRecordings;
  /** How a source is recorded, and how that goes. */
  readonly recordingStatus: (sourceId: string) => RecordingStatus;
  /** For statistics. */
  readonly recordingStats: () => RecordingStats;
  /** There is space for what only makes looking at recordings faster. */
  readonly hasSpace: () => boolean;
  /** Follows what is seen in sources that are recorded. */
  readonly seen: SeenObjects;
  /** Begins to record; to be called once the sources are known. @throws MediaPeerError CONFIG_INVALID where another server has the folder */
  readonly beginRecording: () => Promise<void>;
}

/** Opens what was recorded. Nothing is written before `beginRecording`. */
export async function openRecording(host: Host, sources: Sources, seeing: DetectionServices, state: StateFile): Promise<Recording> {
  const { config, loggers, closers } = host;
  const logger = loggers.of('recording');
  const path = configuredPath(config, 'RECORD_DIR');
  const { events } = seeing;
  const seen = await openSeen(host, events);
  const ending = new AbortController();
  const { archive, keeps, recordings } = await openArchive(host, seeing, path, (sourceId) => recorder.cut(sourceId));
  const folder = new RecordingFolder({
    folder: path,
    archive,
    index: events.recordings,
    keeps,
    retention: config.RECORD_RETENTION,
    minFreeBytes: config.RECORD_MIN_FREE,
    clock: host.clock,
    logger,
    onTaken: () => sync(),
    onSpace: (isShort) => {
      tellOfSpace(host, seeing, isShort, folder.freeBytes);
      sync();
    },
    onLooked: async ({ found, damaged }, untilMs) => {
      if (found > 0) seeing.lifecycle.add('recording_rebuilt', undefined, { segments: found, damaged });
      if (found === 0 && !(await isSeenRebuildPending(events))) return;
      await rebuildSeenRows(host, { archive, events }, seen, { untilMs, signal: ending.signal });
    },
  });
  const keptRecordings = new KeptRecordings({
    globs: config.RECORD,
    kindOf: (sourceId) => sources.catalogue.find(sourceId)?.kind,
    state,
    onChange: () => begin(),
  });
  const recorder = openRecorder(host, seeing, { archive, keeps, seen, path, keptRecordings, onFull: () => folder.full() });
  const leases = keepRecording(host, sources, seeing, { recorder, keptRecordings, isWritable: () => folder.isWritable });
  const sync = (): void => {
    leases.sync();
    recorder.sync();
  };
  let hasBegun = false;
  /** Where anything is to be recorded, or was. Never rejects. */
  const begin = async (): Promise<void> => {
    if (hasBegun) await folder.take(keptRecordings.areAny);
    sync();
  };
  const stops = [
    sources.library.onChange(sync),
    sources.pulls.onChange(sync),
    sources.liveRooms.onState(sync),
    seeing.counting.zones.onChange(sync),
    seeing.models.onChange(sync),
    events.onBegunAnew(() => folder.lookAround()),
  ];
  closers.add(async () => {
    for (const stop of stops) stop();
    ending.abort();
    leases.close();
    const closed = recorder.settled().then(() => folder.close());
    if (!(await endsWithin(host.clock, closed, CLOSE_MS)))
      throw new Error(`the disk of RECORD_DIR (${path}) does not answer: what waits for it is lost`);
  });
  return {
    archive,
    seen,
    recordings,
    keptRecordings,
    hasSpace: () => folder.trouble === undefined,
    recordingStatus: (sourceId) => {
      const settings = keptRecordings.of(sourceId);
      if (settings.mode === 'off') return { ...settings, state: 'off', reason: undefined };
      const reason = folder.trouble ?? recorder.troubleOf(sourceId);
      return { ...settings, state: reason === undefined ? (recorder.stateOf(sourceId) ?? 'waiting') : 'stopped', reason };
    },
    recordingStats: () => ({
      ...recorder.counts,
      sources: recorder.sources.length,
      stateOf: (sourceId) => recorder.stateOf(sourceId),
      freeBytes: folder.freeBytes,
      trouble: folder.trouble ?? recorder.troubleOf() ?? recorder.lastError,
    }),
    beginRecording: async () => {
      hasBegun = true;
      await begin();
      const isChosen = config.RECORD.length > 0 || config.RECORD_DIR !== VARIABLES.RECORD_DIR.defaultValue;
      if (folder.busy !== undefined && isChosen) throw new MediaPeerError('CONFIG_INVALID', folder.busy);
    },
  };
}

/** What was recorded, for readers of frames and for those who ask. */
async function openArchive(
  { clock, loggers }: Host,
  { events }: DetectionServices,
  folder: string,
  cut: (sourceId: string) => Promise<void>,
): Promise<{ archive: Archive; keeps: Keeps; recordings: Recordings }> {
  const logger = loggers.of('recording');
  const index = events.recordings;
  const archive: Archive = await Archive.open({
    index,
    folder,
    clock,
    logger,
    openReader: (segment) => openCheckedReader(segment, () => void putRight(segment)),
    readDetections: ({ file }, fromMs) => readDetectionsLog(file, fromMs),
  });
  const keeps = new Keeps({ index, folderOf: (sourceId) => sourceFolder(folder, sourceId), logger });
  const recordings = new Recordings({
    archive,
    keeps,
    cut,
    removeFiles: removeSegmentFiles,
    examine: examineSegment,
  });
  /** Never rejects. */
  const putRight = async (segment: RecordedSegment): Promise<void> => {
    const problem = await recordings.problemOf(segment);
    logger.warn({ sourceId: segment.sourceId, file: segment.file, problem }, 'a file of a recording is not what it was');
  };
  return { archive, keeps, recordings };
}

/** What a recorder is built on. */
interface RecorderParts extends Pick<Recording, 'archive' | 'seen' | 'keptRecordings'> {
  readonly keeps: Keeps;
  readonly path: string;
  readonly onFull: () => void;
}

function openRecorder({ clock, loggers }: Host, { counting, lifecycle }: DetectionServices, parts: RecorderParts): Recorder {
  const { archive, keeps, seen, keptRecordings, path, onFull } = parts;
  const logger = loggers.of('recording');
  const disk = new DiskSync(clock);
  return new Recorder({
    archive,
    clock,
    logger,
    settingsOf: (sourceId): RecordingSettings & { readonly detections: DetectionsKept } => {
      const settings = keptRecordings.of(sourceId);
      return { ...settings, detections: settings.detections ?? (counting.zones.has(sourceId) ? 'always' : 'when_seen') };
    },
    openWriter: (request) => new SegmentWriter({ ...request, folder: sourceFolder(path, request.sourceId), clock, disk }),
    openSeen: (sourceId) => seen.open(sourceId),
    onSegment: ({ sourceId, fromMs, toMs, bytes }) =>
      lifecycle.add('recording_segment', sourceId, { from: fromMs / 1000, to: toMs / 1000, bytes }),
    onFull,
    onFolderLost: (sourceId) =>
      void keeps
        .restore(sourceId)
        .catch((error: unknown) => logger.error({ sourceId, err: error }, 'what is to be kept of a recording cannot be written beside it')),
  });
}

/** Which sources are recorded now, and by whom. */
interface KeepRecordingParts extends Pick<Recording, 'keptRecordings'> {
  readonly recorder: Recorder;
  /** Recordings can be written. */
  readonly isWritable: () => boolean;
}

/** Sources that are recorded run although nobody watches them. */
function keepRecording(
  { clock, loggers }: Host,
  { catalogue }: Sources,
  { pipelines, recorded }: DetectionServices,
  { recorder, keptRecordings, isWritable }: KeepRecordingParts,
): StandingLeases<PipelineSource> {
  return new StandingLeases<PipelineSource>({
    open: (sourceId) => pipelines.open(sourceId),
    clock,
    logger: loggers.of('recording'),
    purpose: 'recorded',
    wanted: () => {
      const all = catalogue.list().filter(({ id }) => keptRecordings.of(id).mode !== 'off');
      recorded.clear();
      for (const { id } of all) recorded.add(id);
      return isWritable() ? all.filter(isThere).map(({ id }) => id) : [];
    },
    lease: (source) => recorder.record(source),
    backoff: { firstMs: 1_000 },
  });
}

/** A room whose publisher is away shows a slate, which nobody wants recorded; a camera is called until it answers. */
function isThere({ kind, state, playable }: Source): boolean {
  return kind === 'live' ? state === 'live' : kind === 'pull' || playable;
}

function tellOfSpace({ config, loggers }: Host, { lifecycle }: DetectionServices, isShort: boolean, freeBytes: number | undefined): void {
  const logger = loggers.of('recording');
  const fields = { folder: configuredPath(config, 'RECORD_DIR'), freeBytes };
  if (isShort) {
    logger.error(fields, 'there is too little space (RECORD_MIN_FREE): nothing is recorded until there is more');
    lifecycle.add('recording_stopped', undefined, { reason: 'disk-full', free_bytes: freeBytes ?? null });
  } else {
    logger.info(fields, 'there is enough space again: recording goes on');
    lifecycle.add('recording_resumed', undefined, {});
  }
}
