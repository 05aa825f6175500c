/** Sources that are changed while the server runs: what is kept of it, and who is told. */
import { RecentCalls } from '../base/recent-calls.js';
import { modelName } from '../detection/index.js';
import type { ManagedSource, SourcesDeps } from '../http/index.js';
import {
  ManagedSources,
  shownSettings,
  SourceEntrySchema,
  SourcePatchSchema,
  SourceProbe,
  SourceProbeSchema,
  type SourceConfiguration,
} from '../source/index.js';
import type { StateFile } from '../store/index.js';
import { ChosenModels, whyNoModel } from './chosen-models.js';
import type { DetectionServices } from './detection.js';
import type { Forwarding } from './forwarding.js';
import type { Host } from './host.js';
import type { Recording } from './recording.js';
import { followSourcesFile, type SourcesFile } from './sources-file.js';
import { SOURCES_SECTION, tellUnusable, type Sources } from './sources.js';

/** What is managed. */
export interface Managing {
  /** Cameras as they are described. */
  readonly managed: ManagedSources;
  /** Models that somebody chose. */
  readonly chosen: ChosenModels;
  /** Calls cameras once, for those who are about to add them. */
  readonly probe: SourceProbe;
  /** How often cameras are called for those. */
  readonly cameraCalls: RecentCalls;
  /** SOURCES_FILE while it is followed. */
  readonly sourcesFile: SourcesFile;
}

/** A minute and host, whatever calls it: cameras lock accounts after a few wrong passwords. */
const CAMERA_CALLS = 3;

/** Lets sources be changed from now on. */
export function openManaging(
  host: Host,
  sources: Sources,
  seeing: DetectionServices,
  { keptForwards, keptRecordings }: Pick<Forwarding, 'keptForwards'> & Pick<Recording, 'keptRecordings'>,
  state: StateFile,
): Managing {
  const { config, clock, loggers, closers } = host;
  const { configuration, pulls, library, liveRooms, modelFolder, ffmpeg } = sources;
  const whyTaken = (name: string): string | undefined => {
    const room = liveRooms.get(name);
    if (room && room.state !== 'empty') return 'a room that somebody publishes to';
    if (config.PUBLISH_TOKENS.has(name)) return 'a room of PUBLISH_TOKENS';
    return library.get(name) && 'a file of the upload folder';
  };
  const apply = (next: SourceConfiguration): void => {
    tellUnusable(next, loggers.of('source'));
    pulls.set(next.inputs);
  };
  const managed: ManagedSources = new ManagedSources({
    configuration,
    clock,
    context: { whyNoModel: (name) => whyNoModel(modelFolder, name) },
    otherKind: (sourceId) => (library.get(sourceId) ? 'file' : liveRooms.get(sourceId) ? 'live' : undefined),
    whyTaken,
    keep: (changes, model) => {
      const kept = { [SOURCES_SECTION]: changes };
      return model ? chosen.choose(model, kept) : state.update(kept);
    },
    keepRemoval: (sourceId, changes) =>
      keptForwards.forgetSource(sourceId, (forwards) =>
        keptRecordings.forgetSource(sourceId, (recording) =>
          chosen.forget(sourceId, { ...forwards, ...recording, [SOURCES_SECTION]: changes }),
        ),
      ),
    apply,
    logger: loggers.of('source'),
  });
  const chosen = new ChosenModels({
    state,
    folder: modelFolder,
    models: seeing.models,
    isCamera: (sourceId) => managed.get(sourceId) !== undefined,
    clock,
    logger: loggers.of('source'),
  });
  const cameraCalls = new RecentCalls({ clock, max: CAMERA_CALLS, periodMs: 60_000 });
  const probe = new SourceProbe({ ...ffmpeg, logger: loggers.of('source'), calls: cameraCalls, logins: pulls.logins });
  closers.add(() => probe.close());
  return { managed, chosen, probe, cameraCalls, sourcesFile: followSourcesFile(host, sources, seeing, { managed, chosen }) };
}

/** What is wrong with how sources are described, in words. */
export function sourceFaults({ managed, sourcesFile }: Managing): string[] {
  const fault = sourcesFile.fault();
  return [
    ...(fault === undefined ? [] : [`${fault}; what SOURCES_FILE held before goes on`]),
    ...managed.configuration.unusable.map(
      ({ name, faults }) => `what was changed of '${name}' cannot be used: ${faults.map(({ text }) => text).join('; ')}`,
    ),
  ];
}

/** For `/sources`. */
export function sourceRoutesOf(
  { managed, probe }: Managing,
  { catalogue }: Sources,
  { models }: DetectionServices,
  { recordingStatus }: Pick<Recording, 'recordingStatus'>,
): SourcesDeps {
  const describe = (sourceId: string): ManagedSource | undefined => {
    const source = catalogue.find(sourceId);
    const camera = managed.get(sourceId);
    if (!source) return undefined;
    const { kind, state, playable, reason, title, group } = { ...source, ...(source.kind !== 'pull' && managed.labelsOf(sourceId)) };
    const isCamera = camera !== undefined && kind === 'pull';
    return {
      name: sourceId,
      kind,
      origin: isCamera ? camera.origin : kind === 'file' ? 'upload' : 'published',
      isChanged: isCamera && camera.isChanged,
      state,
      playable,
      reason,
      title,
      group,
      model: modelName(models.choiceOf(sourceId)),
      recording: recordingStatus(sourceId).state,
      settings: isCamera ? shownSettings(camera.input) : undefined,
    };
  };
  return {
    entrySchema: SourceEntrySchema,
    patchSchema: SourcePatchSchema,
    list: () => catalogue.list().flatMap(({ id }) => describe(id) ?? []),
    removed: () => managed.configuration.removed,
    get: describe,
    add: (entry) => managed.add(entry),
    change: (sourceId, patch) => managed.change(sourceId, patch),
    remove: (sourceId) => managed.remove(sourceId),
    probeSchema: SourceProbeSchema,
    probe: (entry, signal) => probe.probe(managed.readTrial(entry), signal),
  };
}
