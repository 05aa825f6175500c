/**
 * Whether one layer of a simulcast comes while the others do. Layers are made of the same frames: one that is silent while
 * its siblings go on has been stopped by its sender; where all are silent, the network is.
 */

/** Frames of other layers since the newest of this one. */
const MISSED_FRAMES = 5;
/** Of its own, in a row, that may be missing. */
const SILENT_INTERVALS = 4;
/** Moments that differ by less are the same: they are told as a time that has passed. */
const SAME_MS = 1;
/** One that stopped, and comes again, is not relied on before: senders on a bad network try and fail. */
const RETURNS_AFTER_MS = 1_000;

/** Watches one layer. */
export class LayerFlow {
  readonly #silentMs: number;
  #heardAtMs = -Infinity;
  #missed = 0;
  #state: 'flows' | 'stopped' | 'returns' = 'flows';
  #returnedAtMs = 0;

  /** @param silentMs that is no sign of anything. */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** False since it has stopped. */
  get isHeard(): boolean {
    return this.#state !== 'stopped';
  }

  /** As `isHeard`, and it did not stop a moment ago. */
  get isSteady(): boolean {
    return this.#state === 'flows';
  }

  /** A frame of some layer came. True where the layer is heard, or steady, otherwise than before. @param heardAtMs when the newest of this one did; -Infinity: none has yet. @param intervalMs usual between two of this one */
  look(nowMs: number, heardAtMs: number, intervalMs: number): boolean {
    if (heardAtMs === -Infinity) return false; // senders begin with the smallest
    const isNew = heardAtMs > this.#heardAtMs + SAME_MS;
    this.#missed = isNew ? 0 : this.#missed + 1;
    if (isNew) this.#heardAtMs = heardAtMs;
    const before = this.#state;
    if (this.#missed >= MISSED_FRAMES && nowMs - heardAtMs > Math.max(this.#silentMs, SILENT_INTERVALS * intervalMs))
      this.#state = 'stopped';
    else if (this.#state === 'stopped' && this.#missed === 0) [this.#state, this.#returnedAtMs] = ['returns', nowMs];
    else if (this.#state === 'returns' && nowMs - this.#returnedAtMs >= RETURNS_AFTER_MS) this.#state = 'flows';
    return this.#state !== before;
  }
}
