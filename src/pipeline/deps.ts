/** What the pipeline is given. */
import type { Clock } from '../clock.js';
import type { FfmpegDeps } from '../ffmpeg/index.js';
import type { Logger } from '../logger.js';
import type { DetectionScheduler, LabelRenderer } from '../detection/index.js';

/** How pictures are seen; undefined where detection is off. */
export interface Seeing {
  readonly scheduler: DetectionScheduler;
  readonly labels: LabelRenderer;
  /** The model's: weaker detections are not shown. */
  readonly scoreThreshold: number;
  /** Upper limit of detections a second and source. */
  readonly detectFps: number;
}

export interface PipelineDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ffmpeg: FfmpegDeps;
  readonly seeing: Seeing | undefined;
  /** Milliseconds a track, and the source behind it, runs on after its last viewer. */
  readonly idleGraceMs: number;
}
