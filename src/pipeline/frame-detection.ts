/** What is seen in the frames of one run of a source, whoever sees it. */
import type { LabelRenderer } from '../detection/index.js';
import type { TrackedObject, VideoFrame } from '../media/index.js';
import type { SeenFrame } from '../source/index.js';

/** What detection does for one source. */
export interface DetectionActivity {
  /** Undefined where detection is off. */
  readonly model: string | undefined;
  /** Frames that the detector looked at. */
  readonly framesDetected: number;
  /** Frames that it was offered and did not look at. */
  readonly framesSkipped: number;
  /** Looks that the motion gate spared. */
  readonly framesSlept: number;
  /** Frames at which it failed. */
  readonly failures: number;
  /** Picture in to boxes out, moving average; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Objects followed now. */
  readonly objects: number;
}

/** A picture, with a reference for the taker, and where the objects are in it. */
export interface DetectedFrame {
  /** The frame. */
  readonly picture: VideoFrame;
  /** Its number, as in the detections. */
  readonly frame: number;
  /** Where objects are in it, seen or expected. */
  readonly objects: readonly TrackedObject[];
  /** Draws class names; undefined where detection is off. */
  readonly labels: LabelRenderer | undefined;
}

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
  /** It sees by looking at pictures; false: it is told, and needs them only for those who want pictures. */
  readonly looksAtPictures: boolean;
  /** Takes every picture of the source, in order. */
  readonly consume: (picture: VideoFrame) => void;
  /** What the source itself says of a frame. Default: it says nothing. */
  seen?(seen: SeenFrame): void;
  /** Looks no more. */
  close(): void;
}
