/** The qualities of every source, running or not, and whether one may be had. */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { rungName, shortSideOf, SOURCE_RUNG, type LadderPlan, type Rung, type VideoKey } from '../media/index.js';
import type { LayerDescription, Source, SourceLayer } from '../source/index.js';
import { encodeCost, type EncodePlaces } from './encode-places.js';
import { baseOfKnown, layerName, layersBelow, notBeside, rungBitrateBps, rungsBelow, rungSize, type LadderBase } from './ladder.js';
import type { RunningRendition, RunningRung } from './running-rendition.js';

/** What ladders are read from. */
export interface LaddersInit {
  /** What the operator wants. */
  readonly plan: LadderPlan;
  /** Of encoders of lower rungs. */
  readonly places: EncodePlaces;
  readonly clock: Clock;
  /** The source of that id as it is now. */
  readonly find: (sourceId: string) => Source | undefined;
  /** The same one for as long as it runs; undefined where it does not. */
  readonly running: (sourceId: string) => RunningSource | undefined;
}

/** A source that runs. */
export interface RunningSource {
  /** Another one when its ladders have other rungs, or the same ones run otherwise; bitrates and sizes may differ under the same. */
  readonly ladderMark: string;
  /** What runs of a rendition. @param source as it is now */
  running(key: RenditionKey, source: Source): RunningRendition | undefined;
}

/** Bitrates that were measured, and places, may be so old: each viewer asks with each message about its network. */
const KEPT_MS = 100;

/** The qualities of a rendition, and what they are made of. */
interface Ladder {
  readonly base: LadderBase | undefined;
  readonly rungs: readonly Rung[];
}

/** A ladder that was read a moment ago. */
interface KnownLadder {
  readonly rungs: readonly Rung[];
  readonly mark: string;
  readonly readMs: number;
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
  /** By rendition and codec, of sources that run. */
  readonly #known = new WeakMap<RunningSource, Map<string, KnownLadder>>();

  constructor(init: LaddersInit) {
    this.#init = init;
  }

  /** The qualities of a rendition as they are now, the best first; never empty. */
  of(sourceId: string, key: RenditionKey): readonly Rung[] {
    const running = this.#init.running(sourceId);
    if (!running) return this.#read(sourceId, key, undefined).rungs;
    const known = this.#knownOf(running);
    const name = `${key.rendition}/${key.codec}`;
    const before = known.get(name);
    const [mark, nowMs] = [running.ladderMark, this.#init.clock.now()];
    if (before?.mark === mark && nowMs - before.readMs < KEPT_MS) return before.rungs;
    const { rungs } = this.#read(sourceId, key, running);
    known.set(name, { rungs, mark, readMs: nowMs });
    return rungs;
  }

  #knownOf(running: RunningSource): Map<string, KnownLadder> {
    const known = this.#known.get(running) ?? new Map<string, KnownLadder>();
    this.#known.set(running, known);
    return known;
  }

  #read(sourceId: string, key: RenditionKey, runningSource: RunningSource | undefined): Ladder {
    const source = this.#init.find(sourceId);
    const running = source && runningSource?.running(key, source);
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
    if (!source || !base) return { base, rungs: [top] };
    const lowerKey = keyBelow(key);
    const below = lowerKey.codec === key.codec ? running : runningSource?.running(lowerKey, source);
    const layers = below?.layers ?? (key.rendition === 'raw' ? (source.layers ?? []) : []).filter(({ codec }) => codec === lowerKey.codec);
    return { base, rungs: [top, ...this.#lower(base, layersBelow(base, layers), below?.lower ?? [])] };
  }

  /** @throws MediaPeerError NOTHING_TO_SERVE where the source has no such quality, CAPACITY_REACHED where no more can be encoded */
  throwIfRefused(sourceId: string, key: VideoKey): void {
    const { places } = this.#init;
    const name = key.rung ?? SOURCE_RUNG;
    const { base, rungs } = this.#read(sourceId, key, this.#init.running(sourceId));
    const rung = rungs.find((each) => each.name === name);
    const cost = base && encodeCost(base, rungSize(base, shortSideOf(name) ?? Infinity));
    const isPlanned = this.#isPlanned(base, name);
    if (cost !== undefined && (rung ? !rung.isAvailable : isPlanned && !places.hasRoom(cost))) throw places.refusal(cost);
    if (rung || isPlanned) return;
    const names = rungs.map((each) => each.name).join(', ');
    throw new MediaPeerError('NOTHING_TO_SERVE', `source '${sourceId}' has no quality '${name.slice(0, 20)}'; it has ${names}`);
  }

  /** What was worth it a moment ago may be asked for still: what a source costs changes all the time. */
  #isPlanned(base: LadderBase | undefined, name: string): boolean {
    if (!base) return false;
    return rungsBelow({ ...base, bitrateBps: Infinity }, this.#init.plan).some(({ shortSidePx }) => rungName(shortSidePx) === name);
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
        const encodedSize = rungSize(base, shortSidePx);
        const { widthPx, heightPx } = made?.size ?? layer ?? encodedSize;
        return {
          name,
          widthPx,
          heightPx,
          bitrateBps: made?.bitrateBps ?? open?.bitrateBps ?? plannedBps,
          isRunning: made ? made.hasMedia : (open?.isFlowing ?? false),
          isAvailable: made?.size !== undefined || layer !== undefined || places.hasRoom(encodeCost(base, encodedSize)),
          makesKeyframes: made?.makesKeyframes ?? open?.makesKeyframes ?? layer === undefined,
        };
      });
  }
}
