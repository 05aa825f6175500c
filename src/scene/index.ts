/** Zones and lines of a source, and what happens at them. Objects in, counts and events out; knows no pixels and no transport. */
export { Counting } from './counting.js';
export { SceneCounter } from './scene-counter.js';
export * from './scene-observers.js';
export * from './zone-store.js';
export { parseZones, type PictureFacts } from './validate.js';
export { ZonesSchema, type ZonesJson } from './zones-json.js';
