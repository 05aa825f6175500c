/**
 * Zones and lines of one source, fed with the objects of each picture that the detector looked at. Only what was
 * observed moves: a box that the tracker merely expects somewhere enters nothing and crosses nothing. An object
 * that is not told of for a while is gone; until then it is where it was, so a short occlusion changes nothing.
 */
import type { Scene, SceneEvent, TrackedObject, ZoneState } from '../media/index.js';
import type { KeptScene } from './kept-scene.js';
import { LineCounter, type LineCounts } from './line-counter.js';
import type { SceneLayout } from './resolve.js';
import { firstSighting, seeAgain, type Sighting } from './sighting.js';
import { ZoneCounter } from './zone-counter.js';

/** What is counted. */
export interface SceneCounterInit {
  /** Zones and lines, in pixels of the frames. */
  readonly layout: SceneLayout;
  /** Unix milliseconds, for telling since when a line counts. */
  readonly wallClock: () => number;
  /** What an earlier server has counted; left out: nothing. */
  readonly kept?: KeptScene | undefined;
}

/** An object is gone when the tracker has not told of it this long, or for this many looks where those are longer: a little longer than the tracker remembers. */
const FORGET_MS = 2000;
const FORGET_INTERVALS = 6;
const MAX_INTERVAL_MS = 2500;

/** Counts for one source while it runs. */
export class SceneCounter {
  readonly #wallClock: () => number;
  readonly #sightings = new Map<number, Sighting>();
  #layout: SceneLayout;
  #zones: readonly ZoneCounter[];
  #lines: readonly LineCounter[];
  /** Happened between two pictures; told with the next. */
  #due: SceneEvent[] = [];
  #lastMs: number | undefined;
  /** Between looks, media time, moving average. */
  #intervalMs = 100;

  constructor({ layout, wallClock, kept }: SceneCounterInit) {
    this.#wallClock = wallClock;
    this.#layout = layout;
    const zonesBefore = new Map(kept?.zones.map(({ identity, state }) => [identity, state]));
    const linesBefore = new Map(kept?.lines.map((line) => [line.identity, line]));
    this.#zones = layout.zones.map((zone) => new ZoneCounter(zone, zonesBefore.get(zone.identity)));
    this.#lines = layout.lines.map((line) => {
      const before = linesBefore.get(line.identity);
      return new LineCounter(line, before?.sinceMs ?? wallClock(), before?.state);
    });
    this.#due.push(...(kept?.leaves ?? []));
  }

  /** Takes in a picture's objects; media time ascends. */
  observe(objects: readonly TrackedObject[], mediaTimeMs: number): Scene {
    const events = this.#due;
    this.#due = [];
    if (this.#lastMs === undefined) for (const zone of this.#zones) zone.begin();
    this.#measureInterval(mediaTimeMs);
    for (const object of objects) this.#tell(object, mediaTimeMs);
    for (const sighting of this.#sightings.values()) if (this.#isGone(sighting, mediaTimeMs)) this.#forget(sighting, events);
    for (const object of objects) if (object.isObserved) this.#step(object, mediaTimeMs, events);
    return { zones: this.#zones.map(({ state }) => state), lines: this.#lines.map(({ state }) => state), events };
  }

  /** What is inside and what has crossed, with since when. */
  counts(): { readonly zones: readonly ZoneState[]; readonly lines: readonly LineCounts[] } {
    return { zones: this.#zones.map(({ state }) => state), lines: this.#lines.map(({ counts }) => counts) };
  }

  /** What outlives the server. */
  kept(picture: KeptScene['picture'], updatedAtMs: number | undefined): KeptScene {
    return {
      picture: { widthPx: picture.widthPx, heightPx: picture.heightPx },
      updatedAtMs,
      lines: this.#lines.map(({ line, counts: { sinceMs, ...state } }) => ({ identity: line.identity, state, sinceMs })),
      zones: this.#zones.map(({ zone, state }) => ({ identity: zone.identity, state })),
      leaves: [...this.#due.filter(({ type }) => type === 'leave'), ...this.#zones.flatMap((zone) => zone.leaves())],
    };
  }

  /** Other zones and lines from the next picture on. Those that stay the same keep their state; objects leave the others. */
  use(layout: SceneLayout): void {
    if (layout.anchor !== this.#layout.anchor) this.restart();
    this.#layout = layout;
    const zonesBefore = new Map(this.#zones.map((counter) => [counter.zone.identity, counter]));
    const linesBefore = new Map(this.#lines.map((counter) => [counter.line.identity, counter]));
    this.#zones = layout.zones.map((zone) => zonesBefore.get(zone.identity) ?? new ZoneCounter(zone));
    this.#lines = layout.lines.map((line) => {
      const counter = linesBefore.get(line.identity) ?? new LineCounter(line, this.#wallClock());
      counter.place(line);
      return counter;
    });
    for (const counter of zonesBefore.values()) if (!this.#zones.includes(counter)) counter.close(this.#due);
  }

  /** The source starts again, and with it the numbering of objects: all that were there are gone. Lines keep their counts. */
  restart(): void {
    this.#lastMs = undefined;
    for (const sighting of this.#sightings.values()) this.#forget(sighting, this.#due);
  }

  /** Lines count from zero. */
  resetLines(): void {
    for (const line of this.#lines) line.reset(this.#wallClock());
  }

  /** Notes that the tracker still knows an object. One that was away too long is gone, and what comes back is seen for the first time. */
  #tell({ objectId }: TrackedObject, mediaTimeMs: number): void {
    const sighting = this.#sightings.get(objectId);
    if (sighting && !this.#isGone(sighting, mediaTimeMs)) sighting.toldMs = mediaTimeMs;
  }

  #isGone({ toldMs }: Sighting, mediaTimeMs: number): boolean {
    return mediaTimeMs - toldMs >= Math.max(FORGET_MS, FORGET_INTERVALS * this.#intervalMs);
  }

  #measureInterval(mediaTimeMs: number): void {
    const elapsedMs = mediaTimeMs - (this.#lastMs ?? mediaTimeMs);
    // A pause of the source says nothing about how often it is looked at.
    if (elapsedMs > 0 && elapsedMs <= MAX_INTERVAL_MS) this.#intervalMs += (elapsedMs - this.#intervalMs) * 0.2;
    this.#lastMs = mediaTimeMs;
  }

  #step(object: TrackedObject, mediaTimeMs: number, events: SceneEvent[]): void {
    const known = this.#sightings.get(object.objectId);
    const sighting = known ?? firstSighting(object, this.#layout, mediaTimeMs);
    if (known) seeAgain(known, object, this.#layout, mediaTimeMs);
    this.#sightings.set(object.objectId, sighting);
    for (const zone of this.#zones) zone.step(sighting, events);
    for (const line of this.#lines) line.step(sighting, events);
  }

  #forget(sighting: Sighting, events: SceneEvent[]): void {
    this.#sightings.delete(sighting.objectId);
    for (const zone of this.#zones) zone.forget(sighting, events);
    for (const line of this.#lines) line.forget(sighting, events);
  }
}
