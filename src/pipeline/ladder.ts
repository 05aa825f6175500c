/** Which lower qualities a rendition has, by its size and what it costs as it is: values in, values out. */
import {
  AUTO_RUNGS,
  rungName,
  type LadderPlan,
  type PictureSize,
  type PlannedRung,
  type VideoCodec,
  type VideoKey,
} from '../media/index.js';
import { bitrateFor } from '../ffmpeg/index.js';
import type { Source } from '../source/index.js';

/** A rendition as it is, without a lower quality. */
export interface LadderBase extends PictureSize {
  /** Frames a second. */
  readonly fps: number;
  /** As measured, or as it is encoded; undefined while nobody knows. */
  readonly bitrateBps: number | undefined;
}

/** A rung must save so much to be worth an encode. */
const MAX_SHARE = 0.7;
/** What a size is encoded with where the plan does not say: as much of the usual bitrate as the automatic rungs have. */
const SHARE_OF_USUAL = 0.68;

/** By ffmpeg's names, which descriptions have. */
const CODECS: Readonly<Record<string, VideoCodec>> = { h264: 'h264', hevc: 'h265', vp8: 'vp8' };

/** What is handed on as it comes; undefined for what cannot be. @param name ffmpeg's */
export function codecOf(name: string | null): VideoCodec | undefined {
  return CODECS[name ?? ''];
}

/** Where nobody knows how many frames a second come. */
const USUAL_FPS = 30;

/** What is known of a rendition of a source that does not run; undefined where its size is not. */
export function baseOfKnown(source: Source, { rendition, codec }: Pick<VideoKey, 'rendition' | 'codec'>): LadderBase | undefined {
  const widthPx = source.plan?.widthPx ?? source.widthPx;
  const heightPx = source.plan?.heightPx ?? source.heightPx;
  if (widthPx === null || heightPx === null) return undefined;
  const fps = source.fps ?? USUAL_FPS;
  const isCopied = rendition === 'raw' && source.delivery === 'passthrough' && codecOf(source.videoCodec) === codec;
  return { widthPx, heightPx, fps, bitrateBps: isCopied ? averageBps(source) : bitrateFor(widthPx, heightPx, fps) };
}

/** Of a file, its sound included; undefined for what has no end. */
export function averageBps({ sizeBytes, durationS }: Pick<Source, 'sizeBytes' | 'durationS'>): number | undefined {
  return sizeBytes !== null && durationS !== null && durationS > 0 ? Math.round((sizeBytes * 8) / durationS) : undefined;
}

/** The rungs of a plan that are of use below this rendition, the best first. */
export function rungsBelow(base: LadderBase, plan: LadderPlan): readonly PlannedRung[] {
  const shortSidePx = Math.min(base.widthPx, base.heightPx);
  const costsBps = base.bitrateBps ?? bitrateFor(base.widthPx, base.heightPx, base.fps);
  if (plan === 'auto') return AUTO_RUNGS.filter((rung) => rung.shortSidePx < shortSidePx && rung.bitrateBps <= MAX_SHARE * costsBps);
  // What was written down is wanted: also the same size with fewer bits.
  return plan.filter((rung) => rung.shortSidePx <= shortSidePx && rung.bitrateBps < costsBps);
}

/** Heights that differ by less, by the planned one, are not worth an encode beside what costs none. */
const NEAR = 0.15;

/** The rungs of a plan that what the source brings itself does not make needless. */
export function notBeside(planned: readonly PlannedRung[], layers: readonly PictureSize[]): readonly PlannedRung[] {
  const isNear = (rung: PlannedRung, layer: PictureSize): boolean =>
    Math.abs(Math.min(layer.widthPx, layer.heightPx) - rung.shortSidePx) <= NEAR * rung.shortSidePx;
  return planned.filter((rung) => !layers.some((layer) => isNear(rung, layer)));
}

/** Layers that are smaller than the whole, each name once. */
export function layersBelow<Layer extends PictureSize>(base: PictureSize, layers: readonly Layer[]): readonly Layer[] {
  const below = layers.filter(({ widthPx, heightPx }) => widthPx * heightPx < base.widthPx * base.heightPx);
  const names = below.map(layerName);
  return below.filter((layer, i) => names.indexOf(layerName(layer)) === i);
}

/** The largest layer that is no larger than a rung, else the smallest; undefined where there are none. */
export function nearestLayer<Layer extends PictureSize>(layers: readonly Layer[], shortSidePx: number): Layer | undefined {
  const sorted = [...layers].sort((a, b) => Math.min(b.widthPx, b.heightPx) - Math.min(a.widthPx, a.heightPx));
  return sorted.find(({ widthPx, heightPx }) => Math.min(widthPx, heightPx) <= shortSidePx) ?? sorted.at(-1);
}

/** As the rung of that size is named. */
export function layerName({ widthPx, heightPx }: PictureSize): string {
  return rungName(Math.min(widthPx, heightPx));
}

/** The size of a rung: even, in the proportion of the whole, and never larger. */
export function rungSize({ widthPx, heightPx }: PictureSize, shortSidePx: number): PictureSize {
  const scale = Math.min(1, shortSidePx / Math.min(widthPx, heightPx));
  const even = (px: number): number => Math.max(2, 2 * Math.round((px * scale) / 2));
  return { widthPx: even(widthPx), heightPx: even(heightPx) };
}

/** What a rung of that short side is encoded with: what the plan says, else what suits its size. */
export function rungBitrateBps(base: LadderBase, shortSidePx: number, plan: LadderPlan): number {
  const planned = (plan === 'auto' ? AUTO_RUNGS : plan).find((rung) => rung.shortSidePx === shortSidePx);
  if (planned) return planned.bitrateBps;
  const { widthPx, heightPx } = rungSize(base, shortSidePx);
  return Math.round(SHARE_OF_USUAL * bitrateFor(widthPx, heightPx, base.fps));
}
