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
  const zones = entries(geometry?.zones).map(({ id, polygon, points, units }) => ({
    isArea: true,
    points: scaled(polygon ?? points, units ?? geometry.units),
    text: ({ zones: states }) => named(id, states?.find(({ zone }) => zone === id)?.count),
  }));
  const lines = entries(geometry?.lines).map(({ id, points, from, to, units }) => ({
    isArea: false,
    points: scaled(points ?? [from, to], units ?? geometry.units),
    text: ({ lines: states }) => {
      const state = states?.find(({ line }) => line === id);
      return named(id, state && `in ${state.in} · out ${state.out}`);
    },
  }));
  return [...zones, ...lines].filter(({ points }) => points !== undefined);
}

/** Fractions of the picture are scaled to it: what says so, and whatever lies within 1 by 1. */
function scaled(points, units) {
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  if (!Array.isArray(points) || points.length < 2 || !points.every(isPoint)) return undefined;
  const isFraction = units === undefined ? points.flat().every((value) => value >= 0 && value <= 1) : /^frac|^rel|^norm/.test(units);
  return ({ width, height }) => (isFraction ? points.map(([x, y]) => [x * width, y * height]) : points);
}

function named(id, state) {
  return state === undefined ? id : `${id} ${state}`;
}
