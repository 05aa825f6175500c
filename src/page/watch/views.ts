/**
 * The ways to look at a source: which renditions each needs, whether it needs detections, which are possible,
 * and the address (`#/source/view`) that names one. Knows no DOM and no WebRTC.
 */
import type { Rendition } from '/sightline.js';
import type { Address } from '../app/router.js';

/** A way to look at a source. */
export type View = 'raw' | 'processed' | 'overlay' | 'both';

/** What a view needs. */
export interface ViewNeeds {
  /** The renditions that are shown; the first is the one whose figures are told. */
  readonly tracks: readonly [Rendition, ...Rendition[]];
  /** Whether boxes are drawn here. */
  readonly detections: boolean;
}

/** Every view. */
export const VIEWS: Readonly<Record<View, ViewNeeds>> = {
  raw: { tracks: ['raw'], detections: false },
  processed: { tracks: ['processed'], detections: false },
  overlay: { tracks: ['raw'], detections: true },
  both: { tracks: ['raw', 'processed'], detections: true },
};
/** In the order of their buttons. */
export const ALL_VIEWS: readonly View[] = ['raw', 'processed', 'overlay', 'both'];

/** What an address names. */
export interface Place {
  /** Name of the source. */
  readonly source: string;
  /** Undefined: the usual one. */
  readonly view?: View;
  /** What was recorded then, Unix seconds. Undefined: the present. */
  readonly at?: number;
}

/** Whether a view is called so. */
function isView(name: string | undefined): name is View {
  return name !== undefined && Object.hasOwn(VIEWS, name);
}

/** The renditions that are asked for, in the order of the offer's video m-lines. */
export function offeredTracks(detectorLoaded: boolean): readonly Rendition[] {
  return detectorLoaded ? ['raw', 'processed'] : ['raw'];
}

/** Boxes on their very frame, at the price of no encoder: the first thing to see where there is a detector. */
export function defaultView(detectorLoaded: boolean): View {
  return detectorLoaded ? 'overlay' : 'raw';
}

/** What can be shown of the renditions that a server sends. */
export function possibleViews(tracks: readonly Rendition[], detectorLoaded: boolean): readonly View[] {
  return ALL_VIEWS.filter(
    (view) => VIEWS[view].tracks.every((track) => tracks.includes(track)) && (detectorLoaded || !VIEWS[view].detections),
  );
}

/** The wanted view, or the nearest one that is possible; undefined where none is. */
export function nearestView(wanted: View, possible: readonly View[]): View | undefined {
  const candidates: readonly View[] = [wanted, 'overlay', 'processed', 'raw'];
  return candidates.find((view) => possible.includes(view));
}

/** The renditions of both lists, without repetition. */
export function union(tracks: readonly Rendition[], others: readonly Rendition[]): readonly Rendition[] {
  return [...new Set([...tracks, ...others])];
}

/** What an address of the watch view names; undefined where it names no source. */
export function placeOf({ path, query }: Pick<Address, 'path' | 'query'>): Place | undefined {
  const [source, view] = path;
  if (source === undefined) return undefined;
  const at = Number(query.get('at') ?? Number.NaN);
  return { source, ...(isView(view) && { view }), ...(Number.isFinite(at) && { at }) };
}
