/** What a viewer watches, as far as its data channels may ask about it and change it. */
import type { OpenedSource, PlaybackControl, Rendition } from '../../media/index.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';

/** What a viewer wants of a source. */
export interface MediaChoice {
  /** Renditions that flow. */
  readonly renditions?: readonly Rendition[] | undefined;
  /** `auto`, `high`, or the name of a rung. */
  readonly quality?: string | undefined;
}

/** What an m-line of video shows. */
export interface ShownTile {
  /** RFC 5888; undefined where the m-line has none. */
  readonly mid: string | undefined;
  /** Undefined: nothing is shown. */
  readonly sourceId: string | undefined;
  /** Of that source. */
  readonly rendition: Rendition;
  /** No quality is taller; undefined: there is no limit. */
  readonly maxHeightPx: number | undefined;
}

/** What an m-line of video is to show. */
export interface TileChoice {
  /** How errors name it: `tracks[2]`. */
  readonly name: string;
  /** Id of a source; null: the session's own. Default: the same as before. */
  readonly source?: string | null | undefined;
  /** Default: the same as before. */
  readonly rendition?: Rendition | undefined;
  /** In pixels; null: no limit. Default: the same as before. */
  readonly maxHeightPx?: number | null | undefined;
}

/** What one viewer watches. */
export interface WatchedMedia {
  /** Id of the session's own source. */
  readonly sourceId: string;
  /** The session's own source; undefined while it is not live. */
  readonly source: OpenedSource | undefined;
  /** Every source that is shown and live, each once. */
  readonly sources: readonly OpenedSource[];
  /** True where m-lines show sources of their own. */
  readonly isWall: boolean;
  /** The m-lines of video, in order. */
  readonly tiles: readonly ShownTile[];
  /** Renditions that flow, or would if nothing was paused. */
  readonly selected: readonly Rendition[];
  /** True while nothing flows because the viewer asked so. */
  readonly isPaused: boolean;
  /** Name of the quality that flows, or will with its first keyframe, of the first video that flows; undefined where none does. */
  readonly quality: string | undefined;
  /** RTP timestamps of a frame as this viewer gets it, for each rendition in which it has one of its own. @param mediaTimeMs of that source */
  rtpTimestamps(sourceId: string, mediaTimeMs: number): RtpTimestamps;
  /** True where the session has an m-line for each of these renditions. */
  canSelect(renditions: readonly Rendition[]): boolean;
  /**
   * Lets these renditions, which `canSelect`, flow and no others, and all of them in that quality: what flows goes on until
   * the first keyframe of another quality. Resolves when that is opened; where another one was asked for meanwhile, that one.
   * @param choice default: the same as before
   * @throws MediaPeerError DETECTION_OFF, COMMAND_UNSUPPORTED, CAPACITY_REACHED; then nothing has changed.
   */
  select(choice: MediaChoice): Promise<void>;
  /**
   * Sends another source on the m-lines that show the session's own, in the codecs that were negotiated; numbering and time go on, and audio
   * follows where both have it. What flows continues until the first frames of the other source are there. Changes are
   * made one after the other.
   * @param choice default: the same as before
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, DETECTION_OFF, COMMAND_UNSUPPORTED; then nothing has changed.
   */
  switchSource(sourceId: string, choice?: MediaChoice): Promise<void>;
  /**
   * Shows something else on these m-lines, by their index among `tiles`; `nothing` shows nothing. All of it or none of it, and as
   * `switchSource` does: what flows goes on until the first frames of the other are there.
   * @throws MediaPeerError as `switchSource`, COMMAND_INVALID for an m-line that shows nothing and is told no source
   */
  point(choices: ReadonlyMap<number, TileChoice | 'nothing'>): Promise<void>;
  /** Moves the session's own source in time; undefined while it is the present. */
  readonly playback: PlaybackControl | undefined;
  /**
   * Sends the past of the session's own source from that time on, as `switchSource` does.
   * @param atMs UTC in ms
   * @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, CAPACITY_REACHED; then nothing has changed
   */
  seek(atMs: number): Promise<void>;
  /** Sends the present again. @throws MediaPeerError as `switchSource` */
  goLive(): Promise<void>;
  /** Nothing flows until `resume`; in the past, time stands still until then. */
  pause(): void;
  /** What was paused flows again. */
  resume(): void;
  /** A keyframe on each video stream. */
  requestKeyframes(): void;
}
