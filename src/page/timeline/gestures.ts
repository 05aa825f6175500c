/** What fingers, a pen or a mouse mean on a timeline: a click, a drag, or two fingers that zoom. Knows no DOM. */

/** Where a pointer is, in pixels from the left edge. */
export interface Touch {
  /** Tells one pointer from another. */
  readonly id: number;
  /** Pixels. */
  readonly x: number;
}

/** What is meant. */
export type Gesture =
  | { readonly kind: 'click' | 'drag-start' | 'drag' | 'drag-end'; readonly x: number; readonly fromX: number }
  | { readonly kind: 'drag-cancel' }
  | { readonly kind: 'pinch'; readonly before: readonly [number, number]; readonly now: readonly [number, number] };

/** Less is a click of an unsteady hand. */
const DRAG_PX = 4;

/** Follows the pointers of one timeline. */
export class Gestures {
  readonly #onGesture: (gesture: Gesture) => void;
  readonly #touches = new Map<number, number>();
  #fromX = 0;
  #state: 'idle' | 'pressed' | 'dragging' | 'pinching' = 'idle';

  constructor(onGesture: (gesture: Gesture) => void) {
    this.#onGesture = onGesture;
  }

  down({ id, x }: Touch): void {
    if (this.#touches.size >= 2) return;
    this.#touches.set(id, x);
    if (this.#touches.size === 2) {
      if (this.#state === 'dragging') this.#onGesture({ kind: 'drag-cancel' });
      this.#state = 'pinching';
      return;
    }
    this.#fromX = x;
    this.#state = 'pressed';
  }

  move({ id, x }: Touch): void {
    if (!this.#touches.has(id)) return;
    const before = [...this.#touches.values()];
    this.#touches.set(id, x);
    if (this.#state === 'pinching') {
      const now = [...this.#touches.values()];
      if (now.length === 2) this.#onGesture({ kind: 'pinch', before: pairOf(before), now: pairOf(now) });
      return;
    }
    const { fromX } = this;
    if (this.#state === 'pressed' && Math.abs(x - fromX) >= DRAG_PX) {
      this.#state = 'dragging';
      this.#onGesture({ kind: 'drag-start', x, fromX });
    } else if (this.#state === 'dragging') this.#onGesture({ kind: 'drag', x, fromX });
  }

  up({ id, x }: Touch): void {
    if (!this.#touches.delete(id)) return;
    const state = this.#state;
    // The finger that stays after a pinch drags nothing.
    if (this.#touches.size > 0) return;
    this.#state = 'idle';
    if (state === 'pressed') this.#onGesture({ kind: 'click', x, fromX: this.fromX });
    if (state === 'dragging') this.#onGesture({ kind: 'drag-end', x, fromX: this.fromX });
  }

  /** The browser took a pointer for itself. */
  cancel({ id }: Touch): void {
    if (!this.#touches.delete(id)) return;
    if (this.#state === 'dragging') this.#onGesture({ kind: 'drag-cancel' });
    if (this.#touches.size === 0) this.#state = 'idle';
  }

  /** Where the present drag began. */
  get fromX(): number {
    return this.#fromX;
  }

  /** Whether something is held. */
  get isBusy(): boolean {
    return this.#touches.size > 0;
  }
}

function pairOf([first = 0, second = 0]: readonly number[]): readonly [number, number] {
  return [first, second];
}
