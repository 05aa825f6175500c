/** What playing recordings is tied to: what was recorded, and pipelines of its own, so that it takes no place of what is live and is listed nowhere. */
import type { OpenedSource } from '../media/index.js';
import { Pipelines } from '../pipeline/index.js';
import { PlaybackEncodes } from '../recording/index.js';
import { Playbacks } from '../source/index.js';
import type { DetectionServices } from './detection.js';
import type { Host } from './host.js';
import type { Recording } from './recording.js';
import type { Sources } from './sources.js';

/** The past, to be watched. */
export interface Playing {
  /** Opens the past of a source. @param atMs UTC in ms @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE */
  readonly openPast: (sourceId: string, atMs: number) => Promise<OpenedSource>;
  /** Places of encodes of recordings. */
  readonly playbackEncodes: PlaybackEncodes;
}

/** What a playback made is kept for so long after its last viewer, who may only have changed the rendition. */
const IDLE_GRACE_MS = 1_000;

/** Nothing runs until somebody watches. */
export function openPlayback(
  { config, clock, loggers, closers }: Host,
  { ffmpeg, modelFolder }: Sources,
  { models }: Pick<DetectionServices, 'models'>,
  { archive }: Pick<Recording, 'archive'>,
): Playing {
  const logger = loggers.of('recording');
  const playbackEncodes = new PlaybackEncodes(config.MAX_PLAYBACK_ENCODES);
  const pipelines: Pipelines = new Pipelines({
    clock,
    logger,
    ffmpeg,
    // What was seen is read: nothing is looked at again, but for those who ask for that.
    models: {
      of: (playbackId) => (playbacks.modelOf(playbackId) === undefined ? undefined : models.of(playbackId)),
      onChange: (listener) => models.onChange(listener),
    },
    onRunning: (playbackId, ended) => ended !== undefined && playbacks.ended(playbackId),
    detectFps: config.DETECT_FPS,
    idleGraceMs: Math.min(IDLE_GRACE_MS, config.IDLE_GRACE),
    find: (playbackId) => playbacks.find(playbackId),
    playable: () => [],
    maxRunning: 2 * config.MAX_CONNECTIONS,
    isNeverRefused: () => false,
    ladder: config.LADDER,
  });
  closers.add(() => pipelines.close());
  const playbacks: Playbacks = new Playbacks({
    archive,
    open: (playbackId) => pipelines.open(playbackId),
    isRunning: (playbackId) => pipelines.isRunning(playbackId),
    takeEncode: () => playbackEncodes.take(),
    models: {
      use: (playbackId, model) => models.assign(playbackId, modelFolder.pathOf(model)),
      forget: (playbackId) => models.forget(playbackId),
    },
    clock,
    logger,
  });
  return { openPast: (sourceId, atMs) => playbacks.play(sourceId, atMs), playbackEncodes };
}
