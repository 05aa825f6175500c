/**
 * What a room is: frames of the best of its layers, and of another one from its keyframe on as soon as that is the best.
 * Until then the one before goes on, where it does.
 */
import type { LiveLayer } from './layers.js';

/** What it chooses from. */
export interface LayerOutputInit {
  /** What it should be now. */
  readonly best: () => LiveLayer;
  /** What it would be, if a keyframe of that came. */
  readonly wished: () => LiveLayer;
  /** Merged by who publishes: call it as often as needed. */
  readonly requestKeyframe: (layer: string) => void;
}

/** Follows the best layer. */
export class LayerOutput {
  readonly #init: LayerOutputInit;
  #current: LiveLayer | undefined;

  constructor(init: LayerOutputInit) {
    this.#init = init;
  }

  /** True where the next frame must be a keyframe. */
  get needsKeyframe(): boolean {
    return this.#current === undefined;
  }

  /** It has begun with the newest frames of that layer. */
  begun(layer: LiveLayer): void {
    this.#current = layer;
  }

  /** What follows has nothing to do with what came before. */
  restart(): void {
    this.#current = undefined;
  }

  /** A keyframe of what it should be. */
  requestKeyframe(): void {
    this.#init.requestKeyframe(this.#init.wished().id);
  }

  /** Whether it is made of that layer, or is to be. */
  needs(layer: string): boolean {
    return [this.#current, this.#init.wished(), this.#init.best()].some((each) => each?.id === layer);
  }

  /** True where the next frame of a layer is the next one of this. */
  takes(layer: LiveLayer, isKeyframe: boolean): boolean {
    const target = this.#init.best();
    if (layer === target && layer !== this.#current) {
      if (isKeyframe) this.#current = layer;
      else this.#init.requestKeyframe(layer.id);
    }
    return layer === this.#current;
  }
}
