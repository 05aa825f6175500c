/** Fragmented MP4 (ISO/IEC 14496-12 §8.8): what a recording consists of, written and read. Pure: bytes in, bytes out. */
export { readBoxHeader } from './boxes.js';
export { FragmentWriter, type TrackKind } from './fragment-writer.js';
export { writeInitialization, type Provenance } from './initialization.js';
export { MAX_FRAGMENT_BYTES, MAX_HEAD_BYTES, readFragmentHead, readSample, USUAL_HEAD_BYTES, type FragmentHead } from './read-fragment.js';
export { MAX_INITIALIZATION_BYTES, readInitialization, type ReadInitialization } from './read-initialization.js';
export { isSameConfig, videoConfig, type VideoConfig } from './video-config.js';
