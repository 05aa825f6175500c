/** One object that is being seen: where it was and what it crossed, as far as is known by now. Bounded in memory. */
import type { SceneEvent, TrackedObject } from '../media/index.js';
import type { SeenObject, SeenVisit } from '../store/index.js';

/** The oldest go: who comes and goes all day is found by its newest visits. */
const MAX_VISITS = 64;
/** A label wavers between few. */
const MAX_LABELS = 8;

/** Takes in what is seen of one object. */
export class OpenObject {
  readonly #identity: Pick<SeenObject, 'id' | 'sourceId' | 'objectId' | 'firstMs'>;
  readonly #labels = new Map<string, number>();
  #lastMs: number;
  #score = 0;
  #bestMs: number;
  #visits: SeenVisit[] = [];
  #isChanged = true;
  #writtenMs: number | undefined;

  constructor(identity: Pick<SeenObject, 'id' | 'sourceId' | 'objectId' | 'firstMs'>) {
    this.#identity = identity;
    this.#lastMs = identity.firstMs;
    this.#bestMs = identity.firstMs;
  }

  /** When it was seen last, Unix milliseconds. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** From its first sight to its last, in milliseconds. */
  get ageMs(): number {
    return this.#lastMs - this.#identity.firstMs;
  }

  /** Whether something is not written yet. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** When it was written last; undefined: never. */
  get writtenMs(): number | undefined {
    return this.#writtenMs;
  }

  /** It is in a frame of that time, Unix milliseconds. */
  see({ label, score }: Pick<TrackedObject, 'label' | 'score'>, wallMs: number): void {
    this.#isChanged = true;
    this.#lastMs = Math.max(this.#lastMs, wallMs);
    if (this.#labels.has(label) || this.#labels.size < MAX_LABELS) this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
    if (score <= this.#score) return;
    this.#score = score;
    this.#bestMs = wallMs;
  }

  /** Something happened to it. */
  happen(event: SceneEvent, wallMs: number): void {
    this.#isChanged = true;
    if (event.type === 'leave') return this.#leave(event, wallMs);
    this.#visits.push({ place: event.id, direction: event.direction, atMs: wallMs, leftMs: undefined });
    if (this.#visits.length > MAX_VISITS) this.#visits.shift();
  }

  /** As it is written, at that time. */
  write(nowMs: number): SeenObject {
    this.#isChanged = false;
    this.#writtenMs = nowMs;
    return { ...this.#identity, lastMs: this.#lastMs, score: this.#score, bestMs: this.#bestMs, label: this.#label, visits: this.#visits };
  }

  /** The last sight inside is when it left. A stay is told after the shortest that counts: it has begun by then. */
  #leave({ id, dwellMs = 0 }: SceneEvent, wallMs: number): void {
    const at = this.#visits.findLastIndex(
      ({ place, direction, leftMs }) => place === id && direction === undefined && leftMs === undefined,
    );
    const leftMs = Math.min(wallMs, this.#lastMs);
    const entered = this.#visits[at]?.atMs ?? wallMs;
    const visit: SeenVisit = { place: id, direction: undefined, atMs: Math.min(entered, leftMs - dwellMs), leftMs };
    // Who is seen leaving was seen entering, unless so much happened meanwhile that it is not known any more.
    this.#visits = at < 0 ? this.#visits : this.#visits.with(at, visit);
  }

  get #label(): string {
    const [most] = [...this.#labels].sort(([, a], [, b]) => b - a);
    return most?.[0] ?? '';
  }
}
