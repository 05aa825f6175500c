/** How much is seen in each minute of one source. */
import type { FrameDetections, TrackedObject } from '../media/index.js';
import type { SeenMinute } from '../store/index.js';

const MINUTE_MS = 60_000;
/** Of the picture's longer side a second: less is how boxes tremble. */
const MOVING_SHARE = 0.02;
/** Of one label in a minute. */
const MAX_IDS = 5000;
const MAX_LABELS = 100;

/** Of one label. */
interface Density {
  readonly ids: Set<number>;
  most: number;
}

/** Counts by minutes of UTC. */
export class MinuteLog {
  readonly #sourceId: string;
  readonly #keep: (minute: SeenMinute) => void;
  readonly #byLabel = new Map<string, Density>();
  #atMs: number | undefined;
  #looks = 0;
  #moving = 0;

  /** @param keep called once a minute is over */
  constructor(sourceId: string, keep: (minute: SeenMinute) => void) {
    this.#sourceId = sourceId;
    this.#keep = keep;
  }

  /** Takes in one look. */
  take(wallMs: number, { objects, widthPx, heightPx, inferenceMs }: FrameDetections): void {
    const atMs = Math.floor(wallMs / MINUTE_MS) * MINUTE_MS;
    if (atMs !== this.#atMs) this.flush();
    this.#atMs = atMs;
    this.#looks++;
    const there = objects.filter(({ isObserved }) => isObserved);
    const leastPx = MOVING_SHARE * Math.max(widthPx, heightPx);
    // Where nothing moved at all, nobody looked: what was found before is told again.
    if (inferenceMs > 0 && there.some(({ velocity: [x, y] }) => Math.hypot(x, y) >= leastPx)) this.#moving++;
    this.#count(there);
  }

  /** Hands over what is known of the minute that has begun. */
  flush(): void {
    if (this.#atMs === undefined || this.#looks === 0) return;
    const byLabel = Object.fromEntries([...this.#byLabel].map(([label, { ids, most }]) => [label, { seen: ids.size, most }]));
    this.#keep({ sourceId: this.#sourceId, atMs: this.#atMs, motion: this.#moving / this.#looks, byLabel });
    this.#byLabel.clear();
    this.#looks = 0;
    this.#moving = 0;
  }

  #count(objects: readonly TrackedObject[]): void {
    const now = new Map<string, number>();
    for (const { label, objectId } of objects) {
      const density = this.#densityOf(label);
      if (!density) continue;
      if (density.ids.size < MAX_IDS) density.ids.add(objectId);
      now.set(label, (now.get(label) ?? 0) + 1);
      density.most = Math.max(density.most, now.get(label) ?? 0);
    }
  }

  #densityOf(label: string): Density | undefined {
    const known = this.#byLabel.get(label);
    if (known || this.#byLabel.size >= MAX_LABELS) return known;
    const fresh: Density = { ids: new Set(), most: 0 };
    this.#byLabel.set(label, fresh);
    return fresh;
  }
}
