/** Counters of the sources that run. What a line has counted, and who is inside, outlives a run and the server: it is kept until the line or zone changes. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Scene, TrackedObject, ZoneState } from '../media/index.js';
import { readKeptScene, type KeptScene } from './kept-scene.js';
import type { LineCounts } from './line-counter.js';
import { resolveZones } from './resolve.js';
import { SceneCounter } from './scene-counter.js';
import { faultsIn } from './validate.js';
import type { ZoneStore } from './zone-store.js';
import type { ZonesJson } from './zones-json.js';

/** Size of a source's pictures, and what its model can find where that is known. */
export interface ObservedPicture {
  /** Of the frames, in pixels. */
  readonly widthPx: number;
  /** Of the frames, in pixels. */
  readonly heightPx: number;
  /** Classes of the model that looks; left out: unknown. */
  readonly labels?: readonly string[];
}

/** Counts what happens in the pictures of one run of a source. */
export interface SceneObserver {
  /** Undefined where the source has neither zones nor lines at the time. */
  observe(objects: readonly TrackedObject[], mediaTimeMs: number): Scene | undefined;
}

/** What a source's zones and lines count now. */
export interface SourceCounts {
  /** What each zone holds and has counted. */
  readonly zones: readonly ZoneState[];
  /** `sinceMs` is undefined for a line that has not begun. */
  readonly lines: readonly (Omit<LineCounts, 'sinceMs'> & { readonly sinceMs: number | undefined })[];
  /** Unix milliseconds of the last picture that was looked at; undefined before the first. */
  readonly updatedAtMs: number | undefined;
}

/** Where zones come from. */
export interface SceneObserversInit {
  /** The zones files. */
  readonly store: ZoneStore;
  /** What an earlier server kept of each source. Default: nothing. */
  readonly kept?: ReadonlyMap<string, string> | undefined;
  /** Keeps what a source has counted; undefined: there is nothing to keep any more. Default: it ends with the server. */
  readonly keep?: ((sourceId: string, state: string | undefined) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface WatchedSource {
  picture: ObservedPicture;
  /** Undefined while the source has neither zones nor lines, and nothing is left to tell. */
  counter: SceneCounter | undefined;
  /** Of the run that counts; older ones count no more. */
  observer: SceneObserver | undefined;
  updatedAtMs: number | undefined;
}

/** The counters of all sources that run. */
export class SceneObservers {
  readonly #init: SceneObserversInit;
  readonly #watched = new Map<string, WatchedSource>();
  readonly #stopListening: () => void;
  /** Of sources that have not run yet. */
  readonly #kept = new Map<string, KeptScene>();

  constructor(init: SceneObserversInit) {
    this.#init = init;
    for (const [sourceId, text] of init.kept ?? []) {
      const kept = readKeptScene(text);
      if (kept) this.#kept.set(sourceId, kept);
    }
    this.#stopListening = init.store.onChange((sourceId) => {
      const watched = this.#watched.get(sourceId);
      if (!watched) return;
      this.#useZones(sourceId, watched);
      this.#keep(sourceId, watched);
    });
  }

  /** The observer of a run that begins. Zones that change meanwhile hold from the next picture on. */
  of(sourceId: string, picture: ObservedPicture): SceneObserver {
    const watched = this.#watched.get(sourceId) ?? { picture, counter: undefined, observer: undefined, updatedAtMs: undefined };
    this.#watched.set(sourceId, watched);
    watched.picture = picture;
    watched.counter?.restart();
    this.#useZones(sourceId, watched);
    const observer: SceneObserver = {
      observe: (objects, mediaTimeMs) =>
        watched.observer === observer ? this.#observe(sourceId, watched, objects, mediaTimeMs) : undefined,
    };
    watched.observer = observer;
    return observer;
  }

  /** Undefined for a source without zones and lines. */
  counts(sourceId: string): SourceCounts | undefined {
    const json = this.#zonesOf(sourceId);
    if (!json) return undefined;
    const watched = this.#watched.get(sourceId);
    if (watched?.counter) return { ...watched.counter.counts(), updatedAtMs: watched.updatedAtMs };
    const kept = this.#kept.get(sourceId);
    if (kept) return { ...this.#counterOf(json, kept.picture, kept).counts(), updatedAtMs: kept.updatedAtMs };
    return {
      zones: (json.zones ?? []).map(({ id }) => ({ id, objectIds: [], byLabel: {} })),
      lines: (json.lines ?? []).map(({ id }) => ({ id, in: 0, out: 0, inByLabel: {}, outByLabel: {}, sinceMs: undefined })),
      updatedAtMs: undefined,
    };
  }

  /** The source's lines count from zero. */
  resetLines(sourceId: string): void {
    const watched = this.#watched.get(sourceId);
    const kept = this.#kept.get(sourceId);
    if (watched?.counter) {
      watched.counter.resetLines();
      this.#keep(sourceId, watched);
    } else if (kept) {
      const zero: KeptScene = { ...kept, lines: [] };
      this.#kept.set(sourceId, zero);
      this.#init.keep?.(sourceId, JSON.stringify(zero));
    }
  }

  /** Keeps what was counted last, and stops listening to the store. */
  close(): void {
    this.#stopListening();
    for (const [sourceId, watched] of this.#watched) this.#keep(sourceId, watched);
    this.#watched.clear();
  }

  #observe(sourceId: string, watched: WatchedSource, objects: readonly TrackedObject[], mediaTimeMs: number): Scene | undefined {
    const scene = watched.counter?.observe(objects, mediaTimeMs);
    if (!scene) return undefined;
    watched.updatedAtMs = this.#init.clock.wallClock();
    // The last zone is gone: its leavers are told once, then the source has no scene.
    if (!this.#zonesOf(sourceId)) watched.counter = undefined;
    if (scene.events.length > 0) this.#keep(sourceId, watched);
    return scene;
  }

  #useZones(sourceId: string, watched: WatchedSource): void {
    const json = this.#zonesOf(sourceId);
    const layout = resolveZones(json ?? {}, watched.picture);
    const faults = json ? faultsIn(json, watched.picture) : [];
    if (faults.length > 0) this.#init.logger.warn({ sourceId, faults: faults.map(({ text }) => text) }, 'zones do not fit their source');
    if (watched.counter) watched.counter.use(layout);
    else if (json) {
      const kept = this.#kept.get(sourceId);
      watched.counter = this.#counterOf(json, watched.picture, kept);
      watched.updatedAtMs = kept?.updatedAtMs;
      this.#kept.delete(sourceId);
    }
  }

  #counterOf(json: ZonesJson, picture: KeptScene['picture'], kept: KeptScene | undefined): SceneCounter {
    return new SceneCounter({ layout: resolveZones(json, picture), wallClock: () => this.#init.clock.wallClock(), kept });
  }

  #keep(sourceId: string, { counter, picture, updatedAtMs }: WatchedSource): void {
    this.#init.keep?.(sourceId, counter && JSON.stringify(counter.kept(picture, updatedAtMs)));
  }

  #zonesOf(sourceId: string): ZonesJson | undefined {
    const json = this.#init.store.get(sourceId);
    return json && (json.zones?.length ?? 0) + (json.lines?.length ?? 0) > 0 ? json : undefined;
  }
}
