import path from 'node:path';
import { configuredPath, environment, packageRoot, VARIABLES, type Config } from '../config.js';
import { findFfmpeg, ProcessCounts, type FfmpegDeps } from '../ffmpeg/index.js';
import { slateCaption } from '../pipeline/index.js';
import { LiveRooms, PullSources, readSourcesFile, SourceCatalogue, SourceLibrary } from '../source/index.js';
import type { Host } from './host.js';

/** Everything that can be watched. */
export interface Sources {
  /** Programs, time and bookkeeping of whatever runs ffmpeg. */
  readonly ffmpeg: FfmpegDeps & { readonly processes: ProcessCounts };
  /** Videos of the upload folder. */
  readonly library: SourceLibrary;
  /** Cameras that this server calls. */
  readonly pulls: PullSources;
  /** What clients publish. */
  readonly liveRooms: LiveRooms;
  /** All of them by id. */
  readonly catalogue: SourceCatalogue;
}

/** @throws MediaPeerError FFMPEG_NOT_FOUND, CONFIG_INVALID */
export async function openSources({ config, loggers, clock, ledger, closers }: Host): Promise<Sources> {
  // What a person wrote is checked before anything that takes time.
  const entries = config.SOURCES_FILE === '' ? [] : readSourcesFile(configuredPath(config, 'SOURCES_FILE'), { variables: environment() });
  const tools = await findFfmpeg({
    ...(config.FFMPEG_PATH !== '' && { ffmpegPath: config.FFMPEG_PATH }),
    ...(config.FFPROBE_PATH !== '' && { ffprobePath: config.FFPROBE_PATH }),
  });
  const ffmpeg = { tools, clock, ledger, logger: loggers.of('ffmpeg'), processes: new ProcessCounts() };
  ffmpeg.logger.info({ path: tools.ffmpegPath, version: tools.version }, 'ffmpeg found');
  const logger = loggers.of('source');

  const library = await SourceLibrary.open({ ...ffmpeg, logger, uploadDir: configuredPath(config, 'UPLOAD_DIR'), ...demoOf(config) });
  closers.add(() => library.close());
  const caption = slateCaption();
  const pulls = new PullSources({ ...ffmpeg, logger, entries, caption });
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
  return { ffmpeg, library, pulls, liveRooms, catalogue: new SourceCatalogue({ library, rooms: liveRooms, pulls }) };
}

/** What a newcomer sees, in the folder that nobody has chosen yet. */
function demoOf({ UPLOAD_DIR }: Config): { readonly spareDir?: string } {
  return UPLOAD_DIR === VARIABLES.UPLOAD_DIR.defaultValue ? { spareDir: path.join(packageRoot, 'upload') } : {};
}
