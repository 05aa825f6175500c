/** SOURCES_FILE, followed while the server runs: what it describes otherwise changes, and nothing else. */
import { PolledText } from '../base/polled-text.js';
import { configuredPath, environment } from '../config.js';
import { MAX_SOURCES_FILE_BYTES, parseSources, type ManagedSources, type ReadingContext } from '../source/index.js';
import { modelPaths, whyNoModel, type ChosenModels } from './chosen-models.js';
import type { DetectionServices } from './detection.js';
import type { Host } from './host.js';
import type { Sources } from './sources.js';

/** The file while it is followed; nothing of it where none is configured. */
export interface SourcesFile {
  /** Reads it and the environment of `.env` now. Resolves when it counts; never rejects. */
  readonly reload: () => Promise<void>;
  /** What is wrong with it, in words; undefined where it is well. */
  readonly fault: () => string | undefined;
}

/** Follows it from now on. */
export function followSourcesFile(
  { config, clock, loggers, closers }: Host,
  { modelFolder, sourcesText }: Sources,
  { models }: DetectionServices,
  { managed, chosen }: { readonly managed: ManagedSources; readonly chosen: ChosenModels },
): SourcesFile {
  if (sourcesText === undefined) return { reload: () => Promise.resolve(), fault: () => undefined };
  const file = configuredPath(config, 'SOURCES_FILE');
  const logger = loggers.of('source');
  const onText = async (text: string): Promise<void> => {
    const context: ReadingContext = { variables: environment(), whyNoModel: (name) => whyNoModel(modelFolder, name) };
    const entries = parseSources(text, context, `SOURCES_FILE '${file}'`);
    await managed.reload(entries, context);
    await models.configure(new Map([...config.SOURCE_MODELS, ...modelPaths(modelFolder, managed.configuration.models, logger)]));
    await chosen.camerasChanged();
    logger.info({ file, sources: entries.length }, 'SOURCES_FILE was read again');
  };
  const onFault = (fault: string | undefined): void => {
    if (fault !== undefined) logger.error({ file, fault }, 'SOURCES_FILE has a fault: what it held before goes on');
  };
  // As it was read, and not as it is by now: what was changed while the server started counts, too.
  const polled = new PolledText({ file, maxBytes: MAX_SOURCES_FILE_BYTES, text: sourcesText, clock, onText, onFault });
  closers.add(() => polled.close());
  return { reload: () => polled.readNow(), fault: () => polled.fault };
}
