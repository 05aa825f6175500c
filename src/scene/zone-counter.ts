/**
 * What is inside one zone. An object is in as soon as its anchor is, and out once it is further from the border
 * than boxes tremble, or has been outside for a second: who walks along the border does not come and go.
 */
import type { LabelCounts, SceneEvent, ZoneState } from '../media/index.js';
import { boundsMeet, boundsOf, distanceToSegment, edgesOf, isInside, lengthInside, type Bounds, type Segment } from './geometry.js';
import type { Zone } from './resolve.js';
import { admits, eventOf, type Sighting } from './sighting.js';

/** Out by a hair for this long is out. */
const SETTLE_MS = 1000;

interface Visit {
  readonly sighting: Sighting;
  readonly sinceMs: number;
  /** As it was counted. */
  label: string;
  lastInsideMs: number;
  outsideSinceMs: number | undefined;
  /** False while the object has not stayed `min_dwell_ms` yet. */
  hasEntered: boolean;
}

export class ZoneCounter {
  readonly zone: Zone;
  readonly #edges: readonly Segment[];
  readonly #bounds: Bounds;
  readonly #visits = new Map<number, Visit>();
  #state: ZoneState;

  constructor(zone: Zone) {
    this.zone = zone;
    this.#edges = edgesOf(zone.polygon);
    this.#bounds = boundsOf(zone.polygon);
    this.#state = { id: zone.id, objectIds: [], byLabel: {} };
  }

  get state(): ZoneState {
    return this.#state;
  }

  /** Takes in one observation of an object. */
  step(sighting: Sighting, events: SceneEvent[]): void {
    const visit = this.#visits.get(sighting.objectId);
    if (visit) return this.#stay(visit, events);
    const { position, reach, seenMs } = sighting;
    if (!admits(this.zone, sighting) || !boundsMeet(this.#bounds, reach)) return;
    if (!isInside(position, this.#edges)) return this.#passThrough(sighting, events);
    const fresh: Visit = { sighting, sinceMs: seenMs, label: sighting.label, lastInsideMs: seenMs, outsideSinceMs: undefined, hasEntered: false };
    this.#visits.set(sighting.objectId, fresh);
    this.#enterWhenDue(fresh, events);
  }

  /** The object is gone for good. */
  forget(sighting: Sighting, events: SceneEvent[]): void {
    const visit = this.#visits.get(sighting.objectId);
    if (visit) this.#end(visit, events);
  }

  /** The zone is no more. */
  close(events: SceneEvent[]): void {
    for (const visit of [...this.#visits.values()]) this.#end(visit, events);
  }

  #stay(visit: Visit, events: SceneEvent[]): void {
    const { position, seenMs, marginPx, label } = visit.sighting;
    if (label !== visit.label) {
      visit.label = label;
      this.#refresh();
    }
    if (isInside(position, this.#edges)) {
      visit.lastInsideMs = seenMs;
      visit.outsideSinceMs = undefined;
      return this.#enterWhenDue(visit, events);
    }
    visit.outsideSinceMs ??= seenMs;
    const isFar = this.#edges.every((edge) => distanceToSegment(position, edge) > marginPx);
    if (isFar || seenMs - visit.outsideSinceMs >= SETTLE_MS) this.#end(visit, events);
  }

  /** One that is so fast that no look finds it inside; cutting a corner by less than boxes tremble is nothing. */
  #passThrough(sighting: Sighting, events: SceneEvent[]): void {
    const { before, position, seenMs, beforeMs, marginPx } = sighting;
    if (!before) return;
    const insidePx = lengthInside(before, position, this.#edges);
    const dwellMs = ((seenMs - beforeMs) * insidePx) / Math.hypot(position[0] - before[0], position[1] - before[1]);
    if (insidePx < marginPx || dwellMs < this.zone.minDwellMs) return;
    events.push(eventOf(sighting, { type: 'enter', id: this.zone.id }), eventOf(sighting, { type: 'leave', id: this.zone.id, dwellMs }));
  }

  #enterWhenDue(visit: Visit, events: SceneEvent[]): void {
    if (visit.hasEntered || visit.lastInsideMs - visit.sinceMs < this.zone.minDwellMs) return;
    visit.hasEntered = true;
    events.push(eventOf(visit.sighting, { type: 'enter', id: this.zone.id }));
    this.#refresh();
  }

  #end(visit: Visit, events: SceneEvent[]): void {
    this.#visits.delete(visit.sighting.objectId);
    if (!visit.hasEntered) return;
    events.push(eventOf(visit.sighting, { type: 'leave', id: this.zone.id, dwellMs: visit.lastInsideMs - visit.sinceMs }));
    this.#refresh();
  }

  #refresh(): void {
    const inside = [...this.#visits.values()].filter(({ hasEntered }) => hasEntered).map(({ sighting }) => sighting);
    this.#state = { id: this.zone.id, objectIds: inside.map(({ objectId }) => objectId), byLabel: countLabels(inside) };
  }
}

function countLabels(sightings: readonly Sighting[]): LabelCounts {
  const counts: Record<string, number> = {};
  for (const { label } of sightings) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
