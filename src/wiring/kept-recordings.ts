/** How sources are recorded: what RECORD says, and what administrators changed while a server ran, kept over restarts. */
import { matchesGlob } from '../base/glob.js';
import { DEFAULT_SETTINGS, DETECTIONS_KEPT, RECORDING_MODES, type RecordingSettings } from '../recording/index.js';
import type { SourceKind } from '../source/index.js';
import type { StateChanges, StateFile } from '../store/index.js';

/** Where it is kept. */
export interface KeptRecordingsInit {
  /** Globs of RECORD. */
  readonly globs: readonly string[];
  /** What is behind a source; undefined: it is not there. */
  readonly kindOf: (sourceId: string) => SourceKind | undefined;
  /** Where changes are kept. */
  readonly state: Pick<StateFile, 'section' | 'update'>;
  /** Told of each change, which is done once this resolves. Never rejects. */
  readonly onChange: () => Promise<void>;
}

const SECTION = 'recording';

/** Settings by source, one change after the other: what is not kept is not changed. */
export class KeptRecordings {
  readonly #init: KeptRecordingsInit;
  #kept: ReadonlyMap<string, RecordingSettings>;
  /** The last change. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(init: KeptRecordingsInit) {
    this.#init = init;
    const section = init.state.section(SECTION);
    const items: readonly unknown[] = Array.isArray(section) ? section : [];
    this.#kept = new Map(items.flatMap((item) => readKept(item)));
  }

  /** True where anything may be recorded at all. */
  get areAny(): boolean {
    return this.#init.globs.length > 0 || [...this.#kept.values()].some(({ mode }) => mode !== 'off');
  }

  /** How a source is recorded, and who says so. */
  of(sourceId: string): RecordingSettings & { readonly origin: 'config' | 'api' } {
    const kept = this.#kept.get(sourceId);
    if (kept) return { ...kept, origin: 'api' };
    return { ...DEFAULT_SETTINGS, mode: this.#isConfigured(sourceId) ? 'continuous' : 'off', origin: 'config' };
  }

  /** @throws MediaPeerError STATE_NOT_KEPT; nothing has changed then */
  put(sourceId: string, settings: RecordingSettings): Promise<void> {
    return this.#change((kept) => new Map([...kept, [sourceId, settings]]));
  }

  /** What RECORD says counts again. @throws MediaPeerError STATE_NOT_KEPT; nothing has changed then */
  remove(sourceId: string): Promise<void> {
    return this.#change((kept) => without(kept, sourceId));
  }

  /** A source is removed: another one of its name is not recorded for it. @param keep keeps the removal, and these sections with it, all or none @throws what `keep` throws; nothing has changed then */
  forgetSource(sourceId: string, keep: (sections: StateChanges) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const left = without(this.#kept, sourceId);
      await keep(left.size < this.#kept.size ? sectionOf(left) : {});
      this.#kept = left;
      await this.#init.onChange();
    });
  }

  /** Files are many, and play for ever: a name with asterisks does not mean them. */
  #isConfigured(sourceId: string): boolean {
    const isFile = this.#init.kindOf(sourceId) === 'file';
    return this.#init.globs.some((glob) => (isFile ? glob === sourceId : matchesGlob(glob, sourceId)));
  }

  #change(next: (kept: ReadonlyMap<string, RecordingSettings>) => ReadonlyMap<string, RecordingSettings>): Promise<void> {
    return this.#inTurn(async () => {
      const changed = next(this.#kept);
      await this.#init.state.update(sectionOf(changed));
      this.#kept = changed;
      await this.#init.onChange();
    });
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function without(kept: ReadonlyMap<string, RecordingSettings>, sourceId: string): ReadonlyMap<string, RecordingSettings> {
  return new Map([...kept].filter(([id]) => id !== sourceId));
}

function sectionOf(kept: ReadonlyMap<string, RecordingSettings>): StateChanges {
  const items = [...kept].map(([source, { mode, preS, postS, detections }]) => ({ source, mode, pre_s: preS, post_s: postS, detections }));
  return { [SECTION]: items.length === 0 ? undefined : items };
}

/** A person may have written it. */
function readKept(item: unknown): [string, RecordingSettings][] {
  const { source, mode, pre_s, post_s, detections } = (item ?? {}) as Record<string, unknown>;
  const knownMode = RECORDING_MODES.find((each) => each === mode);
  if (typeof source !== 'string' || !knownMode) return [];
  const settings: RecordingSettings = {
    mode: knownMode,
    preS: secondsOf(pre_s, 0, 60) ?? DEFAULT_SETTINGS.preS,
    postS: secondsOf(post_s, 1, 3600) ?? DEFAULT_SETTINGS.postS,
    detections: DETECTIONS_KEPT.find((each) => each === detections),
  };
  return [[source, settings]];
}

function secondsOf(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && value >= min && value <= max ? value : undefined;
}
