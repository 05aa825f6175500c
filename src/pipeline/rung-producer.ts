/**
 * Makes one lower rung for as long as somebody wants it. Its encoder needs one of the places that all sources share: where a
 * source starts again and finds none, it is waited for, and its readers have nothing meanwhile.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { EncodedRendition } from './encoded-rendition.js';
import type { EncodePlaceHolder, EncodePlaces } from './encode-places.js';
import type { Producer } from './producer.js';

/** What makes a rung. */
export interface RungProducerInit {
  readonly clock: Clock;
  /** Of encoders of lower rungs. */
  readonly places: EncodePlaces;
  /** For whom a place is taken. */
  readonly holder: EncodePlaceHolder;
  /** Starts an encoder that writes the track. */
  readonly encode: () => Producer;
}

/** Until a place is asked for again. */
const RETRY_MS = 1_000;

/** One lower rung that is being made. */
export class RungProducer implements Producer {
  readonly #init: RungProducerInit;
  #encoding: { readonly producer: Producer; readonly leave: () => void } | undefined;
  #retry: Timer | undefined;

  constructor(init: RungProducerInit) {
    this.#init = init;
    this.#encode();
  }

  get encoder(): EncodedRendition | undefined {
    return this.#encoding?.producer.encoder;
  }

  /** What is not being made yet begins with a keyframe. */
  requestKeyframe(): boolean {
    return this.#encoding?.producer.requestKeyframe() ?? true;
  }

  async close(): Promise<void> {
    this.#retry?.cancel();
    const encoding = this.#encoding;
    this.#encoding = undefined;
    encoding?.leave();
    await encoding?.producer.close();
  }

  #encode(): void {
    const { clock, places, holder, encode } = this.#init;
    if (places.isFree) this.#encoding = { leave: places.take(holder), producer: encode() };
    else this.#retry = clock.after(RETRY_MS, () => this.#encode());
  }
}
