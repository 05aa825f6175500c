/**
 * Makes one lower rung for as long as somebody wants it: of what the source brings itself where it does and it flows, else by
 * an encoder. Readers of its track notice nothing but a keyframe where one takes over from the other. An encoder needs some of
 * the places that all sources share; where too few are free, readers get the next layer that the source brings, or nothing.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { ArrivalRate, type EncodedFrame, type Track } from '../media/index.js';
import type { LayerFeed, SourceLayer } from '../source/index.js';
import type { EncodedRendition } from './encoded-rendition.js';
import type { EncodePlaceHolder, EncodePlaces } from './encode-places.js';
import type { Producer } from './producer.js';

/** What makes a rung. */
export interface RungProducerInit {
  /** What is written. */
  readonly track: Track;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of encoders of lower rungs. */
  readonly places: EncodePlaces;
  /** For whom places are taken. */
  readonly holder: EncodePlaceHolder;
  /** What its encoder takes, in places. */
  readonly cost: number;
  /** Starts an encoder that writes the track; undefined where none may. */
  readonly encode: (() => Producer) | undefined;
  /** What the source brings itself of that size, as it is now. */
  readonly layer: () => SourceLayer | undefined;
  /** What is next to that size of what the source brings, for as long as there is no encoder. Default: nothing. */
  readonly nextLayer?: () => SourceLayer | undefined;
}

/** What a source brings itself, while it is read. */
interface Copy {
  readonly layer: SourceLayer;
  feed?: LayerFeed;
  /** Since its keyframe came, and until it falls silent. */
  isFlowing: boolean;
  lastFrameMs: number;
  /** Of its frames: a second stream may have fewer than the first. */
  readonly rate: ArrivalRate;
}

/** How often it is looked whether frames come. */
const LOOK_MS = 500;
/** A layer that starts is waited for no longer before an encoder bridges the time: a camera may be seconds from its next keyframe. */
const START_MS = 500;
/** A layer that sends nothing for so long is replaced by an encoder until it is back, before it is known how often it sends. */
const SILENT_MS = 2_000;
/** Between two tries of a layer that ends at once. */
const REOPEN_MS = 2_000;
/** Readers take times that are closer for the same. */
const MIN_STEP_MS = 2;

/** One lower rung that is being made. */
export class RungProducer implements Producer {
  readonly #init: RungProducerInit;
  readonly #look: Timer;
  #copy: Copy | undefined;
  #copiedAtMs = -Infinity;
  #encoding: { readonly producer: Producer; readonly leave: () => void } | undefined;
  #lastMediaTimeMs = -Infinity;
  /** Encoders and layers that end and still hold processes. */
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(init: RungProducerInit) {
    this.#init = init;
    this.#look = init.clock.every(LOOK_MS, () => this.#choose());
    this.layersChanged();
  }

  get encoder(): EncodedRendition | undefined {
    return this.#encoding?.producer.encoder;
  }

  /** What the source brings itself, while that is what is read. */
  get layer(): SourceLayer | undefined {
    return this.#copy?.isFlowing === true ? this.#copy.layer : undefined;
  }

  /** What is not being made yet begins with a keyframe. */
  requestKeyframe(): boolean {
    if (this.#copy?.isFlowing !== true) return this.#encoding?.producer.requestKeyframe() ?? true;
    this.#copy.feed?.requestKeyframe?.();
    return this.#copy.feed?.requestKeyframe !== undefined;
  }

  /** The source brings something now, or does no longer. */
  layersChanged(): void {
    this.#copiedAtMs = -Infinity;
    this.#choose();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#look.cancel();
    this.#stopCopying();
    this.#stopEncoding();
    await Promise.all(this.#ending);
  }

  #choose(): void {
    if (this.#isClosed) return;
    const layer = this.#init.layer() ?? (this.#canEncode ? undefined : this.#init.nextLayer?.());
    if (this.#copy && this.#copy.layer !== layer) this.#stopCopying();
    if (layer && !this.#copy && this.#init.clock.now() - this.#copiedAtMs >= REOPEN_MS) this.#startCopying(layer);
    if (!this.#copy || this.#isSilent(this.#copy)) this.#startEncoding();
  }

  get #canEncode(): boolean {
    const { encode, places, cost } = this.#init;
    return this.#encoding !== undefined || (encode !== undefined && places.hasRoom(cost));
  }

  #isSilent(copy: Copy): boolean {
    const nowMs = this.#init.clock.now();
    const silentMs = copy.rate.isKnown ? copy.rate.silentAfterMs(nowMs) : SILENT_MS;
    return nowMs - copy.lastFrameMs >= (copy.isFlowing ? silentMs : START_MS);
  }

  #startCopying(layer: SourceLayer): void {
    const { clock } = this.#init;
    const copy: Copy = { layer, isFlowing: false, lastFrameMs: clock.now(), rate: new ArrivalRate() };
    this.#copy = copy;
    this.#copiedAtMs = clock.now();
    copy.feed = layer.open((frame) => this.#copied(copy, frame), this.#init.track.lastMediaTimeMs);
    void copy.feed.closed.then(() => {
      if (this.#copy !== copy) return;
      this.#copy = undefined;
      this.#choose();
    });
  }

  #copied(copy: Copy, frame: EncodedFrame): void {
    if (this.#copy !== copy || (!copy.isFlowing && !frame.keyframe)) return;
    const { track, clock, logger } = this.#init;
    if (!copy.isFlowing) {
      logger.info({ track: track.name }, 'a lower quality comes from the source itself');
      copy.isFlowing = true;
      track.pairing = copy.layer.pairing;
      this.#stopEncoding();
    }
    copy.lastFrameMs = clock.now();
    copy.rate.arrived(frame.mediaTimeMs, copy.lastFrameMs);
    this.#lastMediaTimeMs = Math.max(frame.mediaTimeMs, this.#lastMediaTimeMs + MIN_STEP_MS, track.lastMediaTimeMs + MIN_STEP_MS);
    track.write({ ...frame, mediaTimeMs: this.#lastMediaTimeMs });
  }

  #startEncoding(): void {
    const { track, logger, places, holder, cost, encode } = this.#init;
    if (this.#encoding || !encode || !places.hasRoom(cost)) return;
    if (this.#copy?.isFlowing === true) {
      logger.warn({ track: track.name }, 'the source brings a lower quality no longer; it is encoded');
      this.#copy.isFlowing = false;
    }
    track.pairing = 'exact';
    this.#encoding = { leave: places.take(holder, cost), producer: encode() };
  }

  #stopEncoding(): void {
    const encoding = this.#encoding;
    if (!encoding) return;
    this.#encoding = undefined;
    encoding.leave();
    this.#until(encoding.producer.close());
  }

  #stopCopying(): void {
    const copy = this.#copy;
    this.#copy = undefined;
    if (copy?.feed) this.#until(copy.feed.close());
  }

  #until(ended: Promise<void>): void {
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }
}
