import path from 'node:path';
import { configuredPath, environment, packageRoot, VARIABLES, type Config } from '../config.js';
import { findFfmpeg, ProcessCounts, type FfmpegDeps } from '../ffmpeg/index.js';
import { slateCaption } from '../pipeline/index.js';
import {
  LiveRooms,
  PullSources,
  readChanges,
  readSourcesFile,
  SourceCatalogue,
  SourceConfiguration,
  SourceLibrary,
  Uploads,
  type ReadingContext,
} from '../source/index.js';
import type { StateFile } from '../store/index.js';
import type { ModelFolder } from '../detection/index.js';
import { openModelFolder, whyNoModel } from './chosen-models.js';
import type { Logger } from '../base/logger.js';
import type { Host } from './host.js';

/** Where the state file keeps what was changed of sources. */
export const SOURCES_SECTION = 'sources';

/** Everything that can be watched. */
export interface Sources {
  /** Programs, time and bookkeeping of whatever runs ffmpeg. */
  readonly ffmpeg: FfmpegDeps & { readonly processes: ProcessCounts };
  /** Which cameras there are at the start. */
  readonly configuration: SourceConfiguration;
  /** SOURCES_FILE as it was read for that; undefined where none is configured. */
  readonly sourcesText: string | undefined;
  /** The models that sources can be given. */
  readonly modelFolder: ModelFolder;
  /** Videos of the upload folder. */
  readonly library: SourceLibrary;
  /** What clients send into it. */
  readonly uploads: Uploads;
  /** Cameras that this server calls. */
  readonly pulls: PullSources;
  /** What clients publish. */
  readonly liveRooms: LiveRooms;
  /** All of them by id. */
  readonly catalogue: SourceCatalogue;
}

/** @throws MediaPeerError FFMPEG_NOT_FOUND, CONFIG_INVALID */
export async function openSources({ config, loggers, clock, ledger, closers }: Host, state: StateFile): Promise<Sources> {
  // What a person wrote is checked before anything that takes time.
  const logger = loggers.of('source');
  const modelFolder = openModelFolder(config);
  const context: ReadingContext = { variables: environment(), whyNoModel: (name) => whyNoModel(modelFolder, name) };
  const { configuration, sourcesText } = configurationOf(config, context, state, { logger, nowMs: clock.wallClock() });
  const tools = await findFfmpeg({
    ...(config.FFMPEG_PATH !== '' && { ffmpegPath: config.FFMPEG_PATH }),
    ...(config.FFPROBE_PATH !== '' && { ffprobePath: config.FFPROBE_PATH }),
  });
  const ffmpeg = { tools, clock, ledger, logger: loggers.of('ffmpeg'), processes: new ProcessCounts() };
  ffmpeg.logger.info({ path: tools.ffmpegPath, version: tools.version }, 'ffmpeg found');

  const uploadDir = configuredPath(config, 'UPLOAD_DIR');
  const library = await SourceLibrary.open({ ...ffmpeg, logger, uploadDir, ...demoOf(config) });
  closers.add(() => library.close());
  const uploads = new Uploads({ ...ffmpeg, logger, uploadDir, library, maxBytes: config.MAX_UPLOAD_BYTES });
  closers.add(() => uploads.close());
  const caption = slateCaption();
  const pulls = new PullSources({ ...ffmpeg, logger, entries: configuration.inputs, caption });
  closers.add(() => pulls.close());
  const liveRooms = new LiveRooms({
    clock,
    logger,
    graceMs: config.PUBLISH_GRACE,
    isTaken: (room) => (pulls.get(room) && 'a camera') ?? (library.get(room) && 'a file'),
    caption,
    expected: [...config.PUBLISH_TOKENS.keys()].filter((room) => room !== '*'),
  });
  closers.add(() => liveRooms.close());
  return {
    ffmpeg,
    configuration,
    sourcesText,
    modelFolder,
    library,
    uploads,
    pulls,
    liveRooms,
    catalogue: new SourceCatalogue({ library, rooms: liveRooms, pulls }),
  };
}

/** SOURCES_FILE, and what was changed of it while an earlier server ran. */
function configurationOf(
  config: Config,
  context: ReadingContext,
  state: StateFile,
  { logger, nowMs }: { readonly logger: Logger; readonly nowMs: number },
): Pick<Sources, 'configuration' | 'sourcesText'> {
  const changes = readChanges(state.section(SOURCES_SECTION), (count) =>
    logger.error({ count }, 'what was changed of sources cannot be read, and is left out'),
  );
  const file = config.SOURCES_FILE === '' ? undefined : readSourcesFile(configuredPath(config, 'SOURCES_FILE'), context);
  const fileEntries = file?.inputs ?? [];
  const configuration = new SourceConfiguration({ fileEntries, changes, context });
  tellUnusable(configuration, logger);
  // A server that is started without the file, perhaps by mistake, forgets nothing.
  return { configuration: file ? configuration.withFile(fileEntries, context, nowMs) : configuration, sourcesText: file?.text };
}

/** Says which changes cannot be used, with all that is wrong with them. */
export function tellUnusable({ unusable }: SourceConfiguration, logger: Logger): void {
  for (const { name, faults } of unusable)
    logger.error({ sourceId: name, faults: faults.map(({ text }) => text) }, 'what was changed of a source cannot be used');
}

/** What a newcomer sees, in the folder that nobody has chosen yet. */
function demoOf({ UPLOAD_DIR }: Config): { readonly spareDir?: string } {
  return UPLOAD_DIR === VARIABLES.UPLOAD_DIR.defaultValue ? { spareDir: path.join(packageRoot, 'upload') } : {};
}
