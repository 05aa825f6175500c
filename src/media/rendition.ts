/** A form in which a source is served: as it is, or with the detected objects drawn in. */
export type Rendition = 'raw' | 'processed';
/** Every rendition. */
export const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];
