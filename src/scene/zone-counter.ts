/**
 * What is inside one zone. An object is in as soon as its anchor is, and out once it is further from the border
 * than boxes tremble, or has been outside for a second: who walks along the border does not come and go.
 */
import type { LabelCounts, SceneEvent, ZoneState } from '../media/index.js';
import { boundsMeet, boundsOf, distanceToSegment, edgesOf, isInside, lengthInside, type Bounds, type Segment } from './geometry.js';
import type { Zone } from './resolve.js';
import { admittedAs, eventOf, type ObjectKind, type Sighting } from './sighting.js';

/** Out by a hair for this long is out. */
const SETTLE_MS = 1000;

interface Visit {
  readonly sighting: Sighting;
  readonly sinceMs: number;
  /** As it is counted. */
  label: string;
  /** As what the zone asks for it. */
  kind: ObjectKind;
  lastInsideMs: number;
  outsideSinceMs: number | undefined;
  /** False while the object has not stayed `min_dwell_ms` yet. */
  hasEntered: boolean;
}

/** Counts what is inside one zone. */
export class ZoneCounter {
  readonly zone: Zone;
  readonly #edges: readonly Segment[];
  readonly #bounds: Bounds;
  readonly #visits = new Map<number, Visit>();
  #state: ZoneState;

  /** `state`: what an earlier server saw inside, until `begin`. */
  constructor(zone: Zone, state: ZoneState = { id: zone.id, objectIds: [], byLabel: {} }) {
    this.zone = zone;
    this.#edges = edgesOf(zone.polygon);
    this.#bounds = boundsOf(zone.polygon);
    this.#state = state;
  }

  get state(): ZoneState {
    return this.#state;
  }

  /** Takes in one observation of an object. */
  step(sighting: Sighting, events: SceneEvent[]): void {
    const visit = this.#visits.get(sighting.objectId);
    if (visit) return this.#stay(visit, events);
    const { position, reach, seenMs } = sighting;
    if (!boundsMeet(this.#bounds, reach)) return;
    const kind = admittedAs(this.zone, sighting);
    if (!kind) return;
    if (!isInside(position, this.#edges)) return this.#passThrough(sighting, kind, events);
    const fresh: Visit = {
      sighting,
      sinceMs: seenMs,
      label: kind.label,
      kind: { label: kind.label, classId: kind.classId },
      lastInsideMs: seenMs,
      outsideSinceMs: undefined,
      hasEntered: false,
    };
    this.#visits.set(sighting.objectId, fresh);
    this.#enterWhenDue(fresh, events);
  }

  /** From here on only those are inside who are seen there. */
  begin(): void {
    this.#refresh();
  }

  /** How everybody who is inside would leave now. */
  leaves(): SceneEvent[] {
    return [...this.#visits.values()].filter(({ hasEntered }) => hasEntered).map((visit) => this.#leave(visit));
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
    const { position, seenMs, marginPx } = visit.sighting;
    this.#noteLabel(visit);
    if (isInside(position, this.#edges)) {
      visit.lastInsideMs = seenMs;
      visit.outsideSinceMs = undefined;
      return this.#enterWhenDue(visit, events);
    }
    visit.outsideSinceMs ??= seenMs;
    const isFar = this.#edges.every((edge) => distanceToSegment(position, edge) > marginPx);
    if (isFar || seenMs - visit.outsideSinceMs >= SETTLE_MS) this.#end(visit, events);
  }

  /** One who is in is counted as what it is now, but leaves as something that the zone asks for. */
  #noteLabel(visit: Visit): void {
    const { label } = visit.sighting;
    const { label: asked, classId } = admittedAs(this.zone, visit.sighting) ?? visit.kind;
    visit.kind = { label: asked, classId };
    if (label === visit.label) return;
    visit.label = label;
    this.#refresh();
  }

  /** One that is so fast that no look finds it inside; cutting a corner by less than boxes tremble is nothing. */
  #passThrough(sighting: Sighting, kind: ObjectKind, events: SceneEvent[]): void {
    const { before, position, seenMs, beforeMs, marginPx } = sighting;
    if (!before) return;
    const insidePx = lengthInside(before, position, this.#edges);
    const dwellMs = ((seenMs - beforeMs) * insidePx) / Math.hypot(position[0] - before[0], position[1] - before[1]);
    if (insidePx < marginPx || dwellMs < this.zone.minDwellMs) return;
    events.push(
      eventOf(sighting, kind, { type: 'enter', id: this.zone.id }),
      eventOf(sighting, kind, { type: 'leave', id: this.zone.id, dwellMs }),
    );
  }

  #enterWhenDue(visit: Visit, events: SceneEvent[]): void {
    if (visit.hasEntered || visit.lastInsideMs - visit.sinceMs < this.zone.minDwellMs) return;
    visit.hasEntered = true;
    events.push(eventOf(visit.sighting, visit.kind, { type: 'enter', id: this.zone.id }));
    this.#refresh();
  }

  #end(visit: Visit, events: SceneEvent[]): void {
    this.#visits.delete(visit.sighting.objectId);
    if (!visit.hasEntered) return;
    events.push(this.#leave(visit));
    this.#refresh();
  }

  #leave({ sighting, kind, lastInsideMs, sinceMs }: Visit): SceneEvent {
    return eventOf(sighting, kind, { type: 'leave', id: this.zone.id, dwellMs: lastInsideMs - sinceMs });
  }

  #refresh(): void {
    const inside = [...this.#visits.values()].filter(({ hasEntered }) => hasEntered);
    this.#state = { id: this.zone.id, objectIds: inside.map(({ sighting }) => sighting.objectId), byLabel: countLabels(inside) };
  }
}

function countLabels(visits: readonly Visit[]): LabelCounts {
  const counts: Record<string, number> = {};
  for (const { label } of visits) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
