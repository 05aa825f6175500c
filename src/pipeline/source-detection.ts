/**
 * What is seen in a source: each picture is offered to the detector, which takes the newest one when it is free;
 * a tracker tells where the objects are in between. One for a source, whoever wants its result: those who read
 * detections, the processed rendition, or both. The model may change meanwhile.
 */
import { MotionGate, ObjectTracker, type DetectionRegistration, type DetectionResult, type LabelRenderer } from '../detection/index.js';
import type { Detection, DetectionFeed, FrameDetections, Scene, TrackedObject, VideoFrame } from '../media/index.js';
import type { PipelineDeps, SceneObserver, DetectionModel } from './deps.js';
import type { FrameFormat } from './encoded-rendition.js';
import { EventStills } from './event-stills.js';
import type { DetectedFrame, DetectionActivity, FrameDetection } from './frame-detection.js';
import type { FrameNumbers } from './frame-numbers.js';

/** What is looked at, and where detections go. */
export interface SourceDetectionInit {
  /** The source that is looked at. */
  readonly sourceId: string;
  /** Of its frames. */
  readonly format: FrameFormat;
  /** Models, time and bookkeeping. */
  readonly deps: PipelineDeps;
  /** Where detections go. */
  readonly feed: DetectionFeed;
  /** When a frame was captured, UTC in ms; undefined where nobody knows. */
  readonly capturedAt: (mediaTimeMs: number) => number | undefined;
  /** Numbers the frames of the source. */
  readonly frameNumbers: FrameNumbers;
  /** True for a picture that stands in for a camera that is away: nothing is in it. */
  readonly isStandIn: (mediaTimeMs: number) => boolean;
  /** Gives each object of the source an id of its own, whatever model sees it. */
  readonly nextObjectId: () => number;
  /** Each gets the next picture once there has been a detection, and is taken out. */
  readonly pictureTakers: Set<(seen: DetectedFrame) => void>;
}

/** Detection and tracking of one source. */
export class SourceDetection implements FrameDetection {
  readonly looksAtPictures = true;
  readonly #init: SourceDetectionInit;
  #scene: SceneObserver | undefined;
  readonly #gate: MotionGate | undefined;
  readonly #stopListening: () => void;
  #model: DetectionModel | undefined;
  #registration: DetectionRegistration | undefined;
  #tracker: ObjectTracker;
  /** In the frame that was looked at last. */
  #lastFound: readonly Detection[] | undefined;
  readonly #stills: EventStills;
  /** Of registrations with other models. */
  readonly #before = { detected: 0, skipped: 0, slept: 0, failed: 0 };
  #trackerMs = 0;
  readonly #leaveCounts: (() => void) | undefined;
  #objects: readonly TrackedObject[] = [];

  constructor(init: SourceDetectionInit) {
    this.#init = init;
    const { sourceId, deps } = init;
    this.#stills = new EventStills(deps);
    this.#gate = deps.motionGate === true ? new MotionGate() : undefined;
    this.#tracker = this.#makeTracker();
    this.#use(deps.models.of(sourceId));
    this.#stopListening = deps.models.onChange(() => this.#use(deps.models.of(sourceId)));
    this.#leaveCounts = deps.counts?.detections.enter(deps.counts.source(sourceId), () => this.#counts);
  }

  get activity(): DetectionActivity {
    const registration = this.#registration;
    return {
      model: this.#model?.modelName,
      framesDetected: registration?.framesDetected ?? 0,
      framesSkipped: registration?.framesSkipped ?? 0,
      framesSlept: registration?.framesSlept ?? 0,
      failures: registration?.failures ?? 0,
      latencyMs: registration?.latencyMs,
      objects: this.#objects.length,
    };
  }

  /** What draws the labels; undefined where detection is off. */
  get labels(): LabelRenderer | undefined {
    return this.#model?.labels;
  }

  /** What a viewer should know about the boxes; undefined while all is well. */
  get notice(): string | undefined {
    return this.#model?.scheduler.detectorState === 'restarting' ? 'detector restarting' : undefined;
  }

  /** Takes every picture of the source, in order. */
  readonly consume = (picture: VideoFrame): void => {
    const { pictureTakers, frameNumbers, isStandIn } = this.#init;
    const isEmpty = isStandIn(picture.mediaTimeMs);
    if (this.#registration && !isEmpty) this.#offer(picture, this.#registration);
    this.#objects = isEmpty ? [] : this.#timed(() => this.#tracker.predict(picture.mediaTimeMs));
    if (pictureTakers.size === 0 || (this.#registration && !this.#lastFound && !isEmpty)) return;
    const frame = frameNumbers.peek(picture.mediaTimeMs);
    for (const take of pictureTakers) take({ picture: picture.retain(), frame, objects: this.#objects, labels: this.labels });
    pictureTakers.clear();
  };

  /** Where the objects are in the newest picture. */
  get objects(): readonly TrackedObject[] {
    return this.#objects;
  }

  close(): void {
    this.#stopListening();
    this.#registration?.close();
    this.#leaveCounts?.();
  }

  /** Of all models that have looked. */
  get #counts(): { detected: number; skipped: number; slept: number; failed: number; trackerMs: number } {
    const now = countsOf(this.#registration);
    const { detected, skipped, slept, failed } = this.#before;
    return {
      detected: detected + now.detected,
      skipped: skipped + now.skipped,
      slept: slept + now.slept,
      failed: failed + now.failed,
      trackerMs: this.#trackerMs,
    };
  }

  #timed<T>(track: () => T): T {
    const { clock } = this.#init.deps;
    const startedMs = clock.now();
    const result = track();
    this.#trackerMs += clock.now() - startedMs;
    return result;
  }

  /** While nothing moves, what was found last is still there. */
  #offer(picture: VideoFrame, registration: DetectionRegistration): void {
    const isAwake = this.#gate?.look(picture) ?? true;
    const detections = this.#lastFound;
    if (isAwake || !detections) return registration.offer(picture);
    if (!registration.sleep(picture)) return;
    this.#take({ detections, mediaTimeMs: picture.mediaTimeMs, inferenceMs: 0, copyPicture: () => picture.copy() });
  }

  #use(model: DetectionModel | undefined): void {
    if (model === this.#model) return;
    const { sourceId, format, deps } = this.#init;
    this.#registration?.close();
    const last = countsOf(this.#registration);
    for (const name of ['detected', 'skipped', 'slept', 'failed'] as const) this.#before[name] += last[name];
    this.#model = model;
    // Classes of one model mean nothing to another.
    this.#tracker = this.#makeTracker(model);
    this.#lastFound = undefined;
    // Begins to render the text now, so that it is there for the first picture.
    model?.labels.sheet(format.heightPx);
    this.#registration = model?.scheduler.register(sourceId, { maxFps: deps.detectFps, onResult: (result) => this.#take(result) });
  }

  #makeTracker(model?: DetectionModel): ObjectTracker {
    const { format, nextObjectId } = this.#init;
    return new ObjectTracker({
      widthPx: format.widthPx,
      heightPx: format.heightPx,
      nextObjectId,
      ...(model && { scoreThreshold: model.scoreThreshold }),
    });
  }

  #take(result: DetectionResult): void {
    this.#lastFound = result.detections;
    const { sourceId, format, feed, frameNumbers, capturedAt } = this.#init;
    const objects = this.#timed(() => this.#tracker.update(result.detections, result.mediaTimeMs));
    const detections: FrameDetections = {
      sourceId,
      frame: frameNumbers.at(result.mediaTimeMs),
      mediaTimeMs: result.mediaTimeMs,
      wallMs: capturedAt(result.mediaTimeMs),
      widthPx: format.widthPx,
      heightPx: format.heightPx,
      inferenceMs: result.inferenceMs,
      objects,
      scene: this.#observe(objects, result.mediaTimeMs),
    };
    feed.publish(detections);
    if (detections.scene && detections.scene.events.length > 0) this.#tell(detections, result.copyPicture);
  }

  #tell(detections: FrameDetections, copyPicture: DetectionResult['copyPicture']): void {
    const { onSceneEvents } = this.#init.deps;
    if (!onSceneEvents) return;
    const { labels } = this;
    onSceneEvents(detections, copyPicture && labels && this.#stills.begin({ detections, copyPicture, labels }));
  }

  /** Counting begins with the first picture that was looked at: before it, the size of what a camera sends is a guess. */
  #observe(objects: readonly TrackedObject[], mediaTimeMs: number): Scene | undefined {
    const { sourceId, format, deps } = this.#init;
    this.#scene ??= deps.sceneOf?.(sourceId, { ...format, ...(this.#model && { labels: this.#model.classNames }) });
    return this.#scene?.observe(objects, mediaTimeMs);
  }
}

function countsOf(registration: DetectionRegistration | undefined): { detected: number; skipped: number; slept: number; failed: number } {
  return {
    detected: registration?.framesDetected ?? 0,
    skipped: registration?.framesSkipped ?? 0,
    slept: registration?.framesSlept ?? 0,
    failed: registration?.failures ?? 0,
  };
}
