/** The second stream of a camera as a layer of the source while that runs. */
import type { LayerFeed, SourceLayer } from '../layer.js';
import type { FeedOptions } from '../source.js';
import type { LowKnowledge, LowStream } from './low-stream.js';
import { LowFeed } from './low-feed.js';

/** Of which camera, and where its time is told. */
export interface LowLayerInit {
  /** Id of the source. */
  readonly name: string;
  /** The second stream. */
  readonly low: LowStream;
  /** Programs, time and bookkeeping. */
  readonly deps: FeedOptions;
  /** Media time of what is captured now. */
  readonly nowMs: () => number;
  /** It can be opened now, or no longer. */
  readonly onChange: () => void;
}

/** One running source's second stream. */
export class LowLayer {
  readonly #init: LowLayerInit;
  readonly #stopListening: () => void;
  readonly #feeds = new Set<LowFeed>();
  #layer: { readonly of: LowKnowledge; readonly layer: SourceLayer } | undefined;

  constructor(init: LowLayerInit) {
    this.#init = init;
    this.#stopListening = init.low.onChange(init.onChange);
  }

  /** What can be opened now; asking begins to find out, where that is due. */
  get layers(): readonly SourceLayer[] {
    const { low } = this.#init;
    low.prepare();
    const { known } = low;
    if (known && this.#layer?.of !== known) this.#layer = { of: known, layer: this.#layerOf(known) };
    return known && this.#layer ? [this.#layer.layer] : [];
  }

  /** A picture of the first stream was handed on. */
  first(mediaTimeMs: number): void {
    for (const feed of this.#feeds) feed.first(mediaTimeMs);
  }

  /** Ends what is read of it. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#stopListening();
    await Promise.all([...this.#feeds].map((feed) => feed.close()));
  }

  #layerOf(known: LowKnowledge): SourceLayer {
    const { name, low, deps, nowMs } = this.#init;
    const { widthPx, heightPx, codec, h264Profile } = known;
    return {
      ...{ widthPx, heightPx, codec, h264Profile },
      get bitrateBps() {
        return low.meter.bitrateBps;
      },
      isFlowing: false,
      pairing: 'nearest',
      makesKeyframes: false,
      open: (onFrame): LayerFeed => {
        const feed = new LowFeed({ name, low, known, deps, nowMs, onFrame });
        this.#feeds.add(feed);
        void feed.closed.then(() => this.#feeds.delete(feed));
        return feed;
      },
    };
  }
}
