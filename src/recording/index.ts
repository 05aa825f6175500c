/** Recordings: segments on disk, what was seen beside them, and the index of it all. Knows neither HTTP nor sessions. */
export type * from './recorded.js';
