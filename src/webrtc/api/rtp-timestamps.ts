import type { FrameTimestamps } from '../../media/index.js';

/** RTP timestamps of one frame, for each rendition in which the viewer gets it with a timestamp of its own. */
export type RtpTimestamps = FrameTimestamps;
