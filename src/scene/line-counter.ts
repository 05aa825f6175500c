/**
 * What crosses one line. Every step of an anchor across it is noted with its sign; the sum counts once the object
 * is further from the line than boxes tremble, or has kept its side for a second. So who trembles on the line
 * counts once or not at all, and what went in minus what came out is always what really changed sides here. What the
 * object is, and whether the line asks for it, is looked at then, too: a label may waver while its object is on the line.
 */
import type { LabelCounts, LineState, SceneEvent } from '../media/index.js';
import { crossing, distanceToSegment } from './geometry.js';
import type { Line } from './resolve.js';
import { admittedAs, eventOf, type Sighting } from './sighting.js';

const SETTLE_MS = 1000;

/** Crossings of one object that are not counted yet. */
interface Pending {
  /** In minus out. */
  net: number;
  changedMs: number;
}

/** A line's counts and since when. */
export interface LineCounts extends LineState {
  /** Unix milliseconds. */
  readonly sinceMs: number;
}

/** Counts the crossings of one line. */
export class LineCounter {
  #line: Line;
  readonly #pending = new Map<number, Pending>();
  #state: LineState;
  #sinceMs: number;

  /** `sinceMs`: Unix time now, or since when `state` counts. */
  constructor(line: Line, sinceMs: number, state: LineState = nothingCounted(line.id)) {
    this.#line = line;
    this.#state = state;
    this.#sinceMs = sinceMs;
  }

  get line(): Line {
    return this.#line;
  }

  get state(): LineState {
    return this.#state;
  }

  get counts(): LineCounts {
    return { ...this.#state, sinceMs: this.#sinceMs };
  }

  /** The same line in pictures of another size; nothing is on its way across. */
  place(line: Line): void {
    this.#line = line;
  }

  /** Counting starts again. */
  reset(sinceMs: number): void {
    this.#state = nothingCounted(this.#line.id);
    this.#sinceMs = sinceMs;
  }

  /** Takes in one observation of an object. */
  step(sighting: Sighting, events: SceneEvent[]): void {
    const { before, position, seenMs, marginPx } = sighting;
    if (!before) return;
    const direction = crossing(this.#line.segment, before, position);
    const pending = this.#pending.get(sighting.objectId) ?? (direction === 0 ? undefined : { net: 0, changedMs: seenMs });
    if (!pending) return;
    this.#pending.set(sighting.objectId, pending);
    if (direction !== 0) {
      pending.net += direction;
      pending.changedMs = seenMs;
    }
    if (distanceToSegment(position, this.#line.segment) > marginPx || seenMs - pending.changedMs >= SETTLE_MS)
      this.#settle(sighting, events);
  }

  /** The object is gone for good; what it crossed before counts. */
  forget(sighting: Sighting, events: SceneEvent[]): void {
    this.#settle(sighting, events);
  }

  #settle(sighting: Sighting, events: SceneEvent[]): void {
    const net = this.#pending.get(sighting.objectId)?.net ?? 0;
    this.#pending.delete(sighting.objectId);
    const kind = admittedAs(this.#line, sighting);
    if (!kind) return;
    const direction = net > 0 ? 'in' : 'out';
    for (let left = Math.abs(net); left > 0; left--) {
      this.#state = counted(this.#state, direction, kind.label);
      events.push(eventOf(sighting, kind, { type: 'cross', id: this.#line.id, direction }));
    }
  }
}

function nothingCounted(id: string): LineState {
  return { id, in: 0, out: 0, inByLabel: {}, outByLabel: {} };
}

function counted(state: LineState, direction: 'in' | 'out', label: string): LineState {
  const add = (counts: LabelCounts): LabelCounts => ({ ...counts, [label]: (counts[label] ?? 0) + 1 });
  return direction === 'in'
    ? { ...state, in: state.in + 1, inByLabel: add(state.inByLabel) }
    : { ...state, out: state.out + 1, outByLabel: add(state.outByLabel) };
}
