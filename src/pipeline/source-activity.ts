/** What a running source does, for those who ask how it fares. */
import type { TrackStats, VideoCodec } from '../media/index.js';
import type { RoomState, SourceKind } from '../source/index.js';
import type { DecoderActivity } from './picture-hub.js';
import type { DetectionActivity } from './source-detection.js';

/** A running rendition, for `/active-streams`. */
export interface RenditionActivity {
  readonly rendition: 'raw' | 'processed' | 'audio';
  readonly codec: string;
  readonly widthPx: number | undefined;
  readonly heightPx: number | undefined;
  readonly viewers: number;
  readonly framesDropped: number;
  readonly restarts: number;
  readonly stats: TrackStats;
}

/** A running source, for `/active-streams` and `/health`. */
export interface SourceActivity {
  readonly sourceId: string;
  readonly kind: SourceKind;
  /** Of a file always `live`. */
  readonly state: RoomState;
  readonly delivery: 'passthrough' | 'transcode';
  /** Of what is copied; of what is transcoded, the codec it comes in is not told. */
  readonly codec: VideoCodec | undefined;
  /** Who publishes, or may come back; undefined for what nobody publishes. */
  readonly publisherId: string | undefined;
  /** A stand-in is shown, because nothing comes from the camera. */
  readonly isWaiting: boolean;
  readonly uptimeMs: number;
  readonly restarts: number;
  readonly lastError: string | undefined;
  /** What keeps it from running as it should; empty when nothing does. */
  readonly troubles: readonly string[];
  readonly decoder: DecoderActivity | undefined;
  readonly detection: DetectionActivity | undefined;
  readonly renditions: readonly RenditionActivity[];
}
