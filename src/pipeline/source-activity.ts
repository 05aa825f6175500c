/** What a running source does, for those who ask how it fares. */
import type { Rung, TrackStats, VideoCodec } from '../media/index.js';
import type { RoomState, SourceKind } from '../source/index.js';
import type { DecoderActivity } from './frame-hub.js';
import type { DetectionActivity } from './frame-detection.js';

/** A running rendition, for `/active-streams`. */
interface RenditionActivity {
  /** What it is. */
  readonly rendition: 'raw' | 'processed' | 'audio';
  /** `h264`, `vp8` or `opus`. */
  readonly codec: string;
  /** Its quality, `source` or `360p`; undefined for sound. */
  readonly rung: string | undefined;
  /** In pixels; undefined for sound. */
  readonly widthPx: number | undefined;
  /** In pixels; undefined for sound. */
  readonly heightPx: number | undefined;
  /** `copied`: handed on as it comes. `layer`: the source brings this quality itself. `encoded`: here. */
  readonly origin: 'copied' | 'layer' | 'encoded';
  /** How many subscribe to it. */
  readonly viewers: number;
  /** Frames that its encoder was not given because it was behind. */
  readonly framesDropped: number;
  /** How often its encoder was started again. */
  readonly restarts: number;
  /** Counts of its track. */
  readonly stats: TrackStats;
}

/** A running source, for `/active-streams` and `/health`. */
export interface SourceActivity {
  /** Which source it is. */
  readonly sourceId: string;
  /** What is behind it. */
  readonly kind: SourceKind;
  /** Of a file always `live`. */
  readonly state: RoomState;
  /** Whether its raw video is copied or transcoded. */
  readonly delivery: 'passthrough' | 'transcode';
  /** Of what is copied; of what is transcoded, the codec it comes in is not told. */
  readonly codec: VideoCodec | undefined;
  /** Who publishes, or may come back; undefined for what nobody publishes. */
  readonly publisherId: string | undefined;
  /** A stand-in is shown, because nothing comes from the camera. */
  readonly isWaiting: boolean;
  /** Milliseconds since it was started. */
  readonly uptimeMs: number;
  /** How often its feed was started again. */
  readonly restarts: number;
  /** What went wrong last; undefined: nothing. */
  readonly lastError: string | undefined;
  /** What keeps it from running as it should; empty when nothing does. */
  readonly troubles: readonly string[];
  /** Undefined while nothing is decoded. */
  readonly decoder: DecoderActivity | undefined;
  /** Undefined while nobody wants detections. */
  readonly detection: DetectionActivity | undefined;
  /** What its raw video is to be had in, the best first. */
  readonly qualities: readonly Rung[];
  /** Why a lower quality that it should bring itself is not used; undefined where all are well. */
  readonly layersProblem: string | undefined;
  /** One for each track that somebody has asked for since it started. */
  readonly renditions: readonly RenditionActivity[];
}
