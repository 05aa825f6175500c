/** What a viewer watches, as far as its data channels may ask about it and change it. */
import type { OpenedSource, Rendition } from '../../media/index.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';

/** What one viewer watches. */
export interface WatchedMedia {
  /** The source that is watched now. */
  readonly source: OpenedSource;
  /** Renditions that flow, or would if nothing was paused. */
  readonly selected: readonly Rendition[];
  /** True while nothing flows because the viewer asked so. */
  readonly isPaused: boolean;
  /** RTP timestamps of a frame as this viewer gets it, for each rendition in which it has one of its own. @param mediaTimeMs of the source */
  rtpTimestamps(mediaTimeMs: number): RtpTimestamps;
  /** True where the session has an m-line for each of these renditions. */
  canSelect(renditions: readonly Rendition[]): boolean;
  /** Lets these renditions, which `canSelect`, flow and no others. @throws MediaPeerError DETECTION_OFF */
  select(renditions: readonly Rendition[]): void;
  /**
   * Sends another source on the same m-lines, in the codecs that were negotiated; numbering and time go on, and audio
   * follows where both have it. What flows continues until the first frames of the other source are there. Changes are
   * made one after the other.
   * @param renditions those that flow from then on; left out: the same ones.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, DETECTION_OFF; then nothing has changed.
   */
  switchSource(sourceId: string, renditions?: readonly Rendition[]): Promise<void>;
  /** Nothing flows until `resume`. */
  pause(): void;
  /** What was paused flows again. */
  resume(): void;
  /** A keyframe on each video stream. */
  requestKeyframes(): void;
}
