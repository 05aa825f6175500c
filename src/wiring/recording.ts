/** What recording is tied to: the sources that are live, the folder of recordings, the index in the store, and who asks for the past. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { configuredPath, VARIABLES } from '../config.js';
import type { RecordingStatus } from '../http/index.js';
import { StandingLeases, type PipelineSource } from '../pipeline/index.js';
import {
  Archive,
  DiskSync,
  examineSegment,
  FreeSpace,
  mendSegment,
  openCheckedReader,
  readDetectionsLog,
  readSourceId,
  Rebuild,
  Recorder,
  Recordings,
  removeSegmentFiles,
  Retention,
  SegmentWriter,
  sourceFolder,
  type DetectionsKept,
  type RecordedSegment,
  type RecordingSettings,
  type RecordingStats,
  type SeenObjects,
} from '../recording/index.js';
import { FolderBusyError, lockFolder, type FolderLock, type StateFile } from '../store/index.js';
import type { DetectionServices } from './detection.js';
import type { Host } from './host.js';
import { KeptRecordings } from './kept-recordings.js';
import { isSeenRebuildPending, openSeen, rebuildSeenRows } from './looking.js';
import type { Sources } from './sources.js';

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
  /** Follows what is seen in sources that are recorded. */
  readonly seen: SeenObjects;
  /** Begins to record; to be called once the sources are known. @throws MediaPeerError CONFIG_INVALID where the folder cannot be used */
  readonly beginRecording: () => Promise<void>;
}

/** Opens what was recorded. Nothing is written before `beginRecording`. */
export async function openRecording(host: Host, sources: Sources, seeing: DetectionServices, state: StateFile): Promise<Recording> {
  const { config, clock, loggers, closers } = host;
  const logger = loggers.of('recording');
  const { catalogue } = sources;
  const { events, lifecycle, pipelines, counting, recorded } = seeing;
  const folder = configuredPath(config, 'RECORD_DIR');
  const index = events.recordings;
  const disk = new DiskSync(clock);
  const archive: Archive = await Archive.open({
    index,
    folder,
    clock,
    logger,
    openReader: (segment) => openCheckedReader(segment, () => void putRight(segment)),
    readDetections: ({ file }) => readDetectionsLog(file),
  });
  const seen = await openSeen(host, events);
  const ending = new AbortController();
  let lock: FolderLock | undefined;
  let hasBegun = false;
  let refused: string | undefined;

  const freeSpace = new FreeSpace({
    minFreeBytes: config.RECORD_MIN_FREE,
    freeBytes: () => freeBytesOf(folder),
    clock,
    onChange: (isShort) => {
      if (isShort) {
        logger.error(
          { folder, freeBytes: freeSpace.freeBytes },
          'there is too little space (RECORD_MIN_FREE): nothing is recorded until there is more',
        );
        lifecycle.add('recording_stopped', undefined, { reason: 'disk-full', free_bytes: freeSpace.freeBytes ?? null });
      } else {
        logger.info({ folder, freeBytes: freeSpace.freeBytes }, 'there is enough space again: recording goes on');
        lifecycle.add('recording_resumed', undefined, {});
      }
      sync();
    },
  });

  const settingsOf = (sourceId: string): RecordingSettings & { readonly detections: DetectionsKept } => {
    const settings = keptRecordings.of(sourceId);
    return { ...settings, detections: settings.detections ?? (counting.zones.has(sourceId) ? 'always' : 'when_seen') };
  };
  const recorder = new Recorder({
    archive,
    clock,
    logger,
    settingsOf,
    openWriter: (request) => new SegmentWriter({ ...request, folder: sourceFolder(folder, request.sourceId), clock, disk }),
    openSeen: (sourceId) => seen.open(sourceId),
    onSegment: ({ sourceId, fromMs, toMs, bytes }) =>
      lifecycle.add('recording_segment', sourceId, { from: fromMs / 1000, to: toMs / 1000, bytes }),
    onFull: () => freeSpace.refused(),
  });
  const recordings = new Recordings({
    archive,
    index,
    folderOf: (sourceId) => sourceFolder(folder, sourceId),
    cut: (sourceId) => recorder.cut(sourceId),
    removeFiles: removeSegmentFiles,
    examine: examineSegment,
  });
  /** Never rejects. */
  const putRight = async (segment: RecordedSegment): Promise<void> => {
    const problem = await recordings.problemOf(segment);
    logger.warn({ sourceId: segment.sourceId, file: segment.file, problem }, 'a file of a recording is not what it was');
  };
  const isLive = (sourceId: string): boolean => {
    const source = catalogue.find(sourceId);
    if (!source) return false;
    // A room whose publisher is away shows a slate, which nobody wants recorded; a camera is called until it answers.
    return source.kind === 'live' ? source.state === 'live' : source.kind === 'pull' || source.playable;
  };
  const wanted = (): string[] => {
    const all = catalogue.list().filter(({ id }) => keptRecordings.of(id).mode !== 'off');
    recorded.clear();
    for (const { id } of all) recorded.add(id);
    return hasBegun && lock && !freeSpace.isShort ? all.filter(({ id }) => isLive(id)).map(({ id }) => id) : [];
  };
  const leases = new StandingLeases<PipelineSource>({
    open: (sourceId) => pipelines.open(sourceId),
    clock,
    logger,
    purpose: 'recorded',
    wanted,
    lease: (source) => recorder.record(source),
    backoff: { firstMs: 1_000 },
  });
  const keptRecordings: KeptRecordings = new KeptRecordings({
    globs: config.RECORD,
    kindOf: (sourceId) => catalogue.find(sourceId)?.kind,
    state,
    onChange: () => takeFolder().then(sync),
  });
  const sync = (): void => {
    leases.sync();
    recorder.sync();
  };
  const retention = new Retention({
    archive,
    index,
    ...config.RECORD_RETENTION,
    removeFiles: removeSegmentFiles,
    clock,
    logger,
  });
  const rebuild = new Rebuild({
    archive,
    index,
    folder,
    sourceOf: readSourceId,
    mend: mendSegment,
    clock,
    logger,
  });
  let looking: Promise<void> = Promise.resolve();
  /** One look after the other. Never rejects. */
  const lookAround = (): void => {
    const beforeMs = clock.wallClock();
    looking = looking.then(() => look(beforeMs));
  };
  const look = async (beforeMs: number): Promise<void> => {
    try {
      const { found, missing, damaged } = await rebuild.lookAround(beforeMs);
      if (missing > 0) logger.warn({ folder, missing }, 'files of recordings are gone: the index has forgotten them');
      if (found > 0) {
        logger.warn({ folder, segments: found, damaged }, 'recordings were not in the index, which was made anew from their files');
        lifecycle.add('recording_rebuilt', undefined, { segments: found, damaged });
      }
      if (found > 0 || (await isSeenRebuildPending(events)))
        await rebuildSeenRows(host, { archive, events }, seen, { untilMs: beforeMs, signal: ending.signal });
    } catch (error) {
      logger.error({ folder, err: error }, 'the index of recordings could not be compared with their files');
    }
  };
  /** Where anything is to be recorded, or was. Never rejects. */
  const takeFolder = async (): Promise<void> => {
    if (lock || !hasBegun || !(keptRecordings.areAny || existsSync(folder))) return;
    try {
      lock = lockFolder(folder);
      refused = undefined;
      await freeSpace.begin();
      await rebuild.mendOpen();
      retention.begin();
      lookAround();
    } catch (error) {
      refused = whyRefused(folder, error);
      logger.error({ folder, err: error }, 'nothing can be recorded');
    }
  };
  const stops = [
    sources.library.onChange(() => sync()),
    sources.pulls.onChange(() => sync()),
    sources.liveRooms.onState(() => sync()),
    counting.zones.onChange(() => sync()),
    seeing.models.onChange(() => sync()),
    events.onBegunAnew(lookAround),
  ];
  closers.add(async () => {
    for (const stop of stops) stop();
    ending.abort();
    freeSpace.close();
    leases.close();
    rebuild.close();
    await recorder.settled();
    await Promise.all([looking, retention.close()]);
    lock?.release();
  });
  return {
    archive,
    seen,
    recordings,
    keptRecordings,
    recordingStatus: (sourceId) => {
      const settings = keptRecordings.of(sourceId);
      const reason =
        settings.mode === 'off' ? undefined : (refused ?? (freeSpace.isShort ? 'there is too little space (RECORD_MIN_FREE)' : undefined));
      const state = settings.mode === 'off' ? 'off' : reason !== undefined ? 'stopped' : (recorder.stateOf(sourceId) ?? 'waiting');
      return { ...settings, state, reason };
    },
    recordingStats: () => ({
      ...recorder.counts,
      sources: recorder.sources.length,
      stateOf: (sourceId) => recorder.stateOf(sourceId),
      freeBytes: freeSpace.freeBytes,
      trouble:
        refused ??
        (freeSpace.isShort ? `there is too little space in ${folder} (RECORD_MIN_FREE): nothing is recorded` : recorder.lastError),
    }),
    beginRecording: async () => {
      hasBegun = true;
      await takeFolder();
      const isChosen = config.RECORD.length > 0 || config.RECORD_DIR !== VARIABLES.RECORD_DIR.defaultValue;
      if (refused !== undefined && isChosen) throw new MediaPeerError('CONFIG_INVALID', refused);
      sync();
    },
  };
}

async function freeBytesOf(folder: string): Promise<number | undefined> {
  const facts = await statfs(folder).catch(() => undefined);
  return facts && facts.bavail * facts.bsize;
}

function whyRefused(folder: string, error: unknown): string {
  return error instanceof FolderBusyError
    ? `RECORD_DIR: '${folder}' is in use by another server; give each one a folder of its own`
    : `RECORD_DIR: '${folder}' cannot be used (${messageOf(error)}); name a folder that the server may write`;
}
