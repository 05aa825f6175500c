/** What is seen in the frames of one run of a source, whoever sees it. */
import type { LabelRenderer } from '../detection/index.js';
import type { TrackedObject, VideoFrame } from '../media/index.js';
import type { SeenFrame } from '../source/index.js';
import type { DetectionActivity } from './source-detection.js';

/** Says where objects are in each picture. */
export interface FrameDetection {
  /** What it does. */
  readonly activity: DetectionActivity;
  /** What draws the labels; undefined where nothing is drawn. */
  readonly labels: LabelRenderer | undefined;
  /** What a viewer should know about the boxes; undefined while all is well. */
  readonly notice: string | undefined;
  /** Where the objects are in the newest picture. */
  readonly objects: readonly TrackedObject[];
  /** Takes every picture of the source, in order. */
  readonly consume: (picture: VideoFrame) => void;
  /** What the source itself says of a frame. Default: it says nothing. */
  seen?(seen: SeenFrame): void;
  /** Looks no more. */
  close(): void;
}
