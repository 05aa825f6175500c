/**
 * The ways to look at a source: which renditions each needs, whether it needs detections, which are possible,
 * and the address (`#/source/view`) that names one. Knows no DOM and no WebRTC.
 */

/** @typedef {'raw' | 'processed' | 'overlay' | 'both'} View */
/** @typedef {'raw' | 'processed'} Rendition */

/** @type {Record<View, { name: string, tracks: Rendition[], detections: boolean }>} */
export const VIEWS = {
  raw: { name: 'Raw', tracks: ['raw'], detections: false },
  processed: { name: 'Burnt-in', tracks: ['processed'], detections: false },
  overlay: { name: 'Overlay', tracks: ['raw'], detections: true },
  both: { name: 'Side by side', tracks: ['raw', 'processed'], detections: true },
};

/** The renditions that are asked for, in the order of the offer's video m-lines. @param {boolean} detectorLoaded @returns {Rendition[]} */
export function offeredTracks(detectorLoaded) {
  return detectorLoaded ? ['raw', 'processed'] : ['raw'];
}

/** Boxes on their very frame, at the price of no encoder: the first thing to see where there is a detector. @param {boolean} detectorLoaded @returns {View} */
export function defaultView(detectorLoaded) {
  return detectorLoaded ? 'overlay' : 'raw';
}

/**
 * What can be shown of the renditions that a server sends.
 * @param {readonly Rendition[]} tracks @param {boolean} detectorLoaded @returns {View[]}
 */
export function possibleViews(tracks, detectorLoaded) {
  return Object.keys(VIEWS).filter((view) => VIEWS[view].tracks.every((track) => tracks.includes(track)) && (detectorLoaded || !VIEWS[view].detections));
}

/** The wanted view, or the nearest one that is possible. @param {View} wanted @param {readonly View[]} possible @returns {View | undefined} */
export function nearestView(wanted, possible) {
  return [wanted, 'overlay', 'processed', 'raw'].find((view) => possible.includes(view));
}

/** @param {readonly Rendition[]} tracks one list @param {readonly Rendition[]} others another @returns {Rendition[]} without repetition */
export function union(tracks, others) {
  return [...new Set([...tracks, ...others])];
}

/** @param {string} source @param {View} view */
export function writeAddress(source, view) {
  return `#/${encodeURIComponent(source)}/${view}`;
}

/** @param {string} hash of the address @returns {{ source: string, view?: View } | undefined} undefined where it names no source */
export function parseAddress(hash) {
  const [, source, view] = hash.split('/');
  if (!source) return undefined;
  try {
    return { source: decodeURIComponent(source), ...(Object.hasOwn(VIEWS, view ?? '') && { view }) };
  } catch {
    return undefined; // not percent-encoding: a mangled link, treated as none
  }
}
