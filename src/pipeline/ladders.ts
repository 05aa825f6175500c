/** The qualities of every source, running or not, and whether one may be had. */
import { MediaPeerError } from '../base/errors.js';
import { rungName, shortSideOf, SOURCE_RUNG, type LadderPlan, type Rung, type VideoKey } from '../media/index.js';
import type { LayerDescription, Source, SourceLayer } from '../source/index.js';
import type { EncodePlaces } from './encode-places.js';
import { baseOfKnown, layerName, layersBelow, notBeside, rungBitrateBps, rungsBelow, rungSize, type LadderBase } from './ladder.js';
import type { RunningRendition, RunningRung } from './running-rendition.js';

/** What ladders are read from. */
export interface LaddersInit {
  /** What the operator wants. */
  readonly plan: LadderPlan;
  /** Of encoders of lower rungs. */
  readonly places: EncodePlaces;
  /** The source of that id as it is now. */
  readonly find: (sourceId: string) => Source | undefined;
  /** What runs of it; undefined where it does not. */
  readonly running: (sourceId: string, key: RenditionKey) => RunningRendition | undefined;
}

/** A rendition in one codec. */
export type RenditionKey = Pick<VideoKey, 'rendition' | 'codec'>;

/** What a lower rung of a rendition is made in: nothing is encoded in H.265 here, and its viewers take H.264 beside it. */
export function keyBelow<Key extends RenditionKey>(key: Key): Key {
  return key.codec === 'h265' ? { ...key, codec: 'h264' } : key;
}

/** Tells which qualities there are. */
export class Ladders {
  readonly #init: LaddersInit;

  constructor(init: LaddersInit) {
    this.#init = init;
  }

  /** The qualities of a rendition as they are now, the best first; never empty. */
  of(sourceId: string, key: RenditionKey): readonly Rung[] {
    const running = this.#init.running(sourceId, key);
    const source = this.#init.find(sourceId);
    const base = running?.base ?? (source && baseOfKnown(source, key));
    const top: Rung = {
      name: SOURCE_RUNG,
      widthPx: base?.widthPx,
      heightPx: base?.heightPx,
      bitrateBps: base?.bitrateBps,
      isRunning: running?.hasMedia ?? false,
      isAvailable: true,
      makesKeyframes: running?.makesKeyframes ?? false,
    };
    if (!base) return [top];
    const lowerKey = keyBelow(key);
    const below = lowerKey.codec === key.codec ? running : this.#init.running(sourceId, lowerKey);
    const layers = below?.layers ?? (key.rendition === 'raw' ? (source?.layers ?? []) : []).filter(({ codec }) => codec === lowerKey.codec);
    return [top, ...this.#lower(base, layersBelow(base, layers), below?.lower ?? [])];
  }

  /** @throws MediaPeerError NOTHING_TO_SERVE where the source has no such quality, CAPACITY_REACHED where no more can be encoded */
  throwIfRefused(sourceId: string, key: VideoKey): void {
    const name = key.rung ?? SOURCE_RUNG;
    const ladder = this.of(sourceId, key);
    const rung = ladder.find((each) => each.name === name);
    if (rung ? !rung.isAvailable : this.#isPlanned(ladder[0], name) && !this.#init.places.isFree) throw this.#init.places.refusal();
    if (rung || this.#isPlanned(ladder[0], name)) return;
    const names = ladder.map((each) => each.name).join(', ');
    throw new MediaPeerError('NOTHING_TO_SERVE', `source '${sourceId}' has no quality '${name.slice(0, 20)}'; it has ${names}`);
  }

  /** What was worth it a moment ago may be asked for still: what a source costs changes all the time. */
  #isPlanned(top: Rung | undefined, name: string): boolean {
    const { plan } = this.#init;
    const { widthPx, heightPx } = top ?? {};
    if (widthPx === undefined || heightPx === undefined) return false;
    const free = { widthPx, heightPx, fps: 30, bitrateBps: Infinity };
    return rungsBelow(free, plan).some(({ shortSidePx }) => rungName(shortSidePx) === name);
  }

  /** Those that are of use, and those that somebody uses: nobody is sent from one to the other because its use is in doubt. */
  #lower(base: LadderBase, layers: readonly (LayerDescription | SourceLayer)[], running: readonly RunningRung[]): Rung[] {
    const { plan, places } = this.#init;
    const wanted = notBeside(rungsBelow(base, plan), layers).map(({ shortSidePx }) => rungName(shortSidePx));
    const names = [...new Set([...layers.map(layerName), ...wanted, ...running.map(({ name }) => name)])];
    return names
      .map((name) => ({ name, shortSidePx: shortSideOf(name) ?? 0 }))
      .sort((a, b) => b.shortSidePx - a.shortSidePx)
      .map(({ name, shortSidePx }) => {
        const made = running.find((each) => each.name === name);
        const layer = layers.find((each) => layerName(each) === name);
        const open = layer && 'open' in layer ? layer : undefined;
        const plannedBps = rungBitrateBps(base, shortSidePx, plan);
        const { widthPx, heightPx } = made?.size ?? layer ?? rungSize(base, shortSidePx);
        return {
          name,
          widthPx,
          heightPx,
          bitrateBps: made?.bitrateBps ?? open?.bitrateBps ?? plannedBps,
          isRunning: made ? made.hasMedia : (open?.isFlowing ?? false),
          isAvailable: made !== undefined || layer !== undefined || places.isFree,
          makesKeyframes: made?.makesKeyframes ?? open?.makesKeyframes ?? layer === undefined,
        };
      });
  }
}
