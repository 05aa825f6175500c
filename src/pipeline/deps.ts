/** What the pipeline is given. */
import type { Clock } from '../base/clock.js';
import type { DetectionScheduler, LabelRenderer } from '../detection/index.js';
import type { FfmpegDeps } from '../ffmpeg/index.js';
import type { Logger } from '../base/logger.js';
import type { FrameDetections, LadderPlan, Scene, TrackedObject } from '../media/index.js';
import type { EncodePlaces } from './encode-places.js';
import type { SourceCounts } from './source-counts.js';

/** The model that looks at a source. */
export interface DetectionModel {
  /** The ONNX file's, without `.onnx`. */
  readonly modelName: string;
  /** Of the model's detector, shared by all sources that it looks at. */
  readonly scheduler: DetectionScheduler;
  /** Draws its class names. */
  readonly labels: LabelRenderer;
  /** What it can find, by class id. */
  readonly classNames: readonly string[];
  /** The model's: weaker detections are not shown. */
  readonly scoreThreshold: number;
}

/** Which model looks at which source; it may change while the source runs. */
export interface DetectionModels {
  /** Undefined where detection is off. */
  of(sourceId: string): DetectionModel | undefined;
  /** Calls `listener` whenever a source is given another model. Call the returned function to stop listening. */
  onChange(listener: () => void): () => void;
}

/** Counts what happens in the pictures of one running source. */
export interface SceneObserver {
  /** Undefined where the source has neither zones nor lines at the time. */
  observe(objects: readonly TrackedObject[], mediaTimeMs: number): Scene | undefined;
}

/** What pipelines are built on. */
export interface PipelineDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For decoders and encoders. */
  readonly ffmpeg: FfmpegDeps;
  /** Which model looks at which source. */
  readonly models: DetectionModels;
  /** Upper limit of detections per second and source. */
  readonly detectFps: number;
  /** Skips inference while nothing moves. Default false. */
  readonly motionGate?: boolean;
  /** Left out: no source has zones. */
  readonly sceneOf?: (
    sourceId: string,
    picture: { readonly widthPx: number; readonly heightPx: number; readonly labels?: readonly string[] },
  ) => SceneObserver;
  /**
   * Told of each frame in which something happened at a zone or line, in order. `still` is a JPEG of the frame, which is being made;
   * undefined where none is made, or none could be. Never rejects. Left out: nobody wants to know.
   */
  readonly onSceneEvents?: (detections: FrameDetections, still: Promise<Uint8Array | undefined> | undefined) => void;
  /** Which lower rungs sources have. */
  readonly ladder: LadderPlan;
  /** Of encoders of lower rungs, for all sources. */
  readonly places: EncodePlaces;
  /** Told of what is counted. Default: nobody is. */
  readonly counts?: SourceCounts;
  /** Milliseconds a track, and the source behind it, runs on after its last viewer. */
  readonly idleGraceMs: number;
}
