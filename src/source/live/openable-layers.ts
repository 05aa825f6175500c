/** The layers of a room as whoever serves them sees them: lower qualities that cost no encode. */
import type { EncodedFrame } from '../../media/index.js';
import type { LayerDescription, LayerFeed, SourceLayer } from '../layer.js';
import type { LiveLayer } from './layers.js';
import type { LiveFormat } from './video.js';

type Open = (layer: LiveLayer, onFrame: (frame: EncodedFrame) => void, afterMs: number) => LayerFeed;

/** What is known of a layer. */
export function describeLayer({ widthPx, heightPx, codec, h264Profile }: LiveFormat): LayerDescription {
  return { widthPx, heightPx, codec, h264Profile };
}

/** Makes them, one for each layer and size. */
export class OpenableLayers {
  readonly #open: Open;
  readonly #made = new WeakMap<LiveLayer, SourceLayer>();

  constructor(open: Open) {
    this.#open = open;
  }

  /** The same ones for the same layers, as long as they keep their sizes. */
  of(layers: readonly LiveLayer[]): readonly SourceLayer[] {
    return layers.map((layer) => {
      const { format } = layer.video;
      const known = this.#made.get(layer);
      if (known?.widthPx === format.widthPx && known.heightPx === format.heightPx) return known;
      const made = this.#make(layer, format);
      this.#made.set(layer, made);
      return made;
    });
  }

  #make(layer: LiveLayer, format: LiveFormat): SourceLayer {
    return {
      ...describeLayer(format),
      get bitrateBps() {
        return layer.video.bitrateBps;
      },
      isFlowing: true,
      pairing: 'exact',
      makesKeyframes: true,
      open: (onFrame, afterMs) => this.#open(layer, onFrame, afterMs),
    };
  }
}
