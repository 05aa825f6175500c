/**
 * The layers of what is published to a room: one encoding, or several of the same video at once (simulcast). Which of them
 * there are changes while they come: a sender stops the best one where its network is bad. The best that comes is what
 * the room is; the others are qualities below it.
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { EncodedFrame, PublicationRequest } from '../../media/index.js';
import { LayerFlow } from './layer-flow.js';
import { LiveVideo, type LiveFormat, type LiveGroup } from './video.js';

/** A layer whose packets are missing for so long has stopped. */
const SILENT_MS = 250;
/** A layer whose packets come, and whose frames cannot be decoded for so long, cannot be watched. */
const UNUSABLE_MS = 1_500;
/** The layer of a publisher that sends one encoding. */
const ONLY = '';

/** One encoding of a publisher. */
export interface LiveLayer {
  /** As the publisher names it; empty where it is the only one. */
  readonly id: string;
  /** What comes in it. */
  readonly video: LiveVideo;
}

interface WatchedLayer extends LiveLayer {
  /** Of its packets. */
  readonly packets: LayerFlow;
  /** Of frames that can be decoded. */
  readonly frames: LayerFlow;
}

/** The video of one room, in all its layers. */
export class LiveLayers {
  readonly #init: { readonly room: string; readonly clock: Clock; readonly logger: Logger };
  #layers: readonly WatchedLayer[];
  #best: WatchedLayer;
  #flowing: readonly WatchedLayer[] = [];
  /** Of those, in pixels. */
  #areas: readonly number[] = [];
  /** Of an earlier publication. */
  #lastGroup: LiveGroup | undefined;

  constructor(init: { readonly room: string; readonly clock: Clock; readonly logger: Logger }) {
    this.#init = init;
    this.#best = this.#makeLayer(ONLY, new LiveVideo(init));
    this.#layers = [this.#best];
  }

  /** The best layer that can be watched: what the room is. */
  get best(): LiveLayer {
    return this.#best;
  }

  /** What comes in the best layer, as far as it is known. */
  get format(): LiveFormat {
    return this.#best.video.format;
  }

  /** Whoever sent it; undefined before the first keyframe. */
  get lastGroup(): LiveGroup | undefined {
    return this.#best.video.lastGroup ?? this.#lastGroup;
  }

  /**
   * Those that come, the best first: of the others it is not known how large they are, or their packets have stopped. The
   * same array for as long as they are the same, in the same sizes.
   */
  get flowing(): readonly LiveLayer[] {
    return this.#flowing;
  }

  /** That layer. */
  of(id: string): LiveLayer | undefined {
    return this.#layers.find((layer) => layer.id === id);
  }

  /** What would be the best layer, if a keyframe of it came. */
  get wished(): LiveLayer {
    return this.#flowing[0] ?? this.#best;
  }

  /** What follows is of another publication. */
  begin({ video, hasAudio, layers = [] }: PublicationRequest): void {
    this.#lastGroup = this.lastGroup;
    const ids = layers.length === 0 ? [ONLY] : layers;
    const known = this.#best.video;
    this.#layers = ids.map((id, i) => this.#makeLayer(id, i === 0 ? known : new LiveVideo(this.#init)));
    for (const layer of this.#layers) layer.video.begin(video, hasAudio);
    this.#best = this.#layers[0] ?? this.#best;
    this.#flowing = [];
  }

  /** Takes the next frame of a layer. False for a keyframe that cannot be used, and for what follows it. */
  take(publication: PublicationRequest, frame: EncodedFrame, id = ONLY): boolean {
    const layer = this.of(id);
    if (!layer || publication.video === undefined || !layer.video.take(publication, publication.video, frame)) return false;
    const hasChanged = this.#layers.length > 1 && this.#look(publication);
    // Sizes change with keyframes alone.
    if (frame.keyframe || hasChanged) this.#rank();
    return true;
  }

  /** Lets the groups go. */
  clear(): void {
    this.#lastGroup = undefined;
    for (const { video } of this.#layers) video.clear();
  }

  /** True where one of them comes, or is to be relied on, otherwise than before. */
  #look(publication: PublicationRequest): boolean {
    const nowMs = this.#init.clock.now();
    let hasChanged = false;
    for (const { id, video, packets, frames } of this.#layers) {
      if (packets.look(nowMs, nowMs - (publication.silentForMs?.(id) ?? 0), video.intervalMs)) hasChanged = true;
      if (frames.look(nowMs, video.newestAtMs, video.intervalMs)) hasChanged = true;
    }
    return hasChanged;
  }

  /** The largest first; among equals as the publisher lists them. */
  #rank(): void {
    const known = this.#layers.filter(({ video, packets }) => video.isKnown && packets.isSteady);
    const flowing = known.map((layer) => ({ layer, area: layer.video.area })).sort((a, b) => b.area - a.area);
    const isSame =
      flowing.length === this.#flowing.length &&
      flowing.every(({ layer, area }, i) => layer === this.#flowing[i] && area === this.#areas[i]);
    if (!isSame) [this.#flowing, this.#areas] = [flowing.map(({ layer }) => layer), flowing.map(({ area }) => area)];
    this.#best = this.#flowing.find(({ frames }) => frames.isHeard) ?? this.#best;
  }

  #makeLayer(id: string, video: LiveVideo): WatchedLayer {
    return { id, video, packets: new LayerFlow(SILENT_MS), frames: new LayerFlow(UNUSABLE_MS) };
  }
}
