/** The zones and lines of a source, as shapes to draw, with what a message says of them. Knows no DOM. */

/**
 * @typedef {object} Shape
 * @property {boolean} isArea a zone; else a line
 * @property {(message: import('./detections.js').DetectionsMessage) => number[][]} points in pixels of the message's picture
 * @property {(message: import('./detections.js').DetectionsMessage) => string} text its name and counts
 */

/** @param {any} geometry of `GET /sources/:id/zones` @returns {Shape[]} what of it can be drawn */
export function shapesOf(geometry) {
  const entries = (list) => (Array.isArray(list) ? list.filter((entry) => typeof entry?.id === 'string') : []);
  const isFraction = geometry?.units === 'fraction';
  const zones = entries(geometry?.zones).map(({ id, polygon }) => ({
    isArea: true,
    points: placed(polygon, isFraction),
    text: ({ zones: states }) => named(id, states?.find(({ zone }) => zone === id)?.count),
  }));
  const lines = entries(geometry?.lines).map(({ id, from, to }) => ({
    isArea: false,
    points: placed([from, to], isFraction),
    text: ({ lines: states }) => {
      const state = states?.find(({ line }) => line === id);
      return named(id, state && `in ${state.in} · out ${state.out}`);
    },
  }));
  return [...zones, ...lines].filter(({ points }) => points !== undefined);
}

function placed(points, isFraction) {
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  if (!Array.isArray(points) || points.length < 2 || !points.every(isPoint)) return undefined;
  return ({ width, height }) => (isFraction ? points.map(([x, y]) => [x * width, y * height]) : points);
}

function named(id, state) {
  return state === undefined ? id : `${id} ${state}`;
}
