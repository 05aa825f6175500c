/** Keeps the shapes of zones and lines on the overlay: people move them, whether or not detections come. */
import type { DetectionsMessage } from '/sightline.js';
import { shapesOf, type Shape } from '../overlay/zones.js';
import { pathOf } from '../api/address.js';
import { getJson } from '../api/request.js';

const PERIOD_MS = 5_000;

/** Asks the server now and then, but not where a message says that there are none. */
export class ZonePoll {
  readonly #onShapes: (shapes: readonly Shape[]) => void;
  #asked: { readonly source: string; hasShapes: boolean; readonly atMs: number } | undefined;

  constructor(onShapes: (shapes: readonly Shape[]) => void) {
    this.#onShapes = onShapes;
  }

  /** The stage is empty, or shows something else: what was asked before is void. */
  reset(): void {
    this.#asked = undefined;
    this.#onShapes([]);
  }

  /** Looks whether it is time to ask. @param newest message of the source, if there was one */
  look(source: string, newest: DetectionsMessage | undefined): void {
    const told = newest && (newest.zones !== undefined || newest.lines !== undefined);
    const nowMs = performance.now();
    const isAsked = this.#asked?.source === source && (told === undefined || told === this.#asked.hasShapes);
    if (isAsked && (told === false || nowMs - (this.#asked?.atMs ?? 0) < PERIOD_MS)) return;
    void this.#ask(source, told, nowMs);
  }

  async #ask(source: string, told: boolean | undefined, atMs: number): Promise<void> {
    const asked = { source, hasShapes: told ?? this.#asked?.hasShapes ?? false, atMs };
    this.#asked = asked;
    const address = pathOf('sources', source, 'zones');
    const geometry = told === false ? undefined : await getJson<unknown>(address).catch(() => undefined);
    if (this.#asked !== asked) return;
    const shapes = shapesOf(geometry);
    if (told === undefined) asked.hasShapes = shapes.length > 0;
    this.#onShapes(shapes);
  }
}
