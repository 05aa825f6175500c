/** A source that was opened for somebody: what can be leased of it. It holds nothing itself. */
import { MediaPeerError } from '../base/errors.js';
import type {
  DetectionLease,
  OpenedSource,
  RecordingLease,
  RecordingSink,
  Rung,
  SnapshotLease,
  SourceMedia,
  TrackKey,
  TrackLease,
} from '../media/index.js';
import type { FrameLease } from './frame-lease.js';
import { keyBelow, type Ladders, type RenditionKey } from './ladders.js';
import type { SnapshotFeeds } from './snapshot-feeds.js';
import type { SourcePipeline } from './source-pipeline.js';
import { isLower } from './track-name.js';

/** What was opened. */
export interface PipelineSourceInit {
  /** The source that was opened. */
  readonly sourceId: string;
  /** What it can be watched as. */
  readonly media: SourceMedia;
  /** Classes that the detector of the source knows now. */
  readonly labels: () => readonly string[] | undefined;
  /** The running pipeline of the source, started where there is none. @throws MediaPeerError as `OpenedSource.openTrack` */
  readonly pipeline: () => SourcePipeline;
  /** Which qualities it has. */
  readonly ladders: Ladders;
  /** Its frames as JPEGs. */
  readonly snapshots: SnapshotFeeds;
}

/** One source that was opened. */
export class PipelineSource implements OpenedSource {
  readonly sourceId: string;
  readonly media: SourceMedia;
  readonly #init: PipelineSourceInit;

  constructor(init: PipelineSourceInit) {
    this.sourceId = init.sourceId;
    this.media = init.media;
    this.#init = init;
  }

  get labels(): readonly string[] | undefined {
    return this.#init.labels();
  }

  ladder(key: RenditionKey): readonly Rung[] {
    return this.#init.ladders.of(this.sourceId, key);
  }

  openTrack(key: TrackKey): TrackLease {
    // Before a source is started for nothing.
    if (isLower(key)) this.#init.ladders.throwIfRefused(this.sourceId, key);
    return this.#init.pipeline().lease(isLower(key) ? keyBelow(key) : key);
  }

  openDetections(): DetectionLease {
    this.#throwIfOff();
    return this.#init.pipeline().leaseDetections();
  }

  /** The decoded frames, with what is detected in them. @throws MediaPeerError as `openDetections` */
  openDetectedFrames(): FrameLease {
    this.#throwIfOff();
    return this.openFrames();
  }

  /** As `openDetectedFrames`, also where detection is off: then nothing is detected in the frames. */
  openFrames(): FrameLease {
    return this.#init.pipeline().leaseFrames();
  }

  /** Leases the raw video and the sound as they come, for a recording. @throws MediaPeerError as `openTrack` */
  openRecording(sink: RecordingSink): RecordingLease {
    return this.#init.pipeline().leaseRecording(sink);
  }

  openSnapshots(maxBytes: number): SnapshotLease {
    return this.#init.snapshots.open(this, maxBytes);
  }

  #throwIfOff(): void {
    if (this.labels !== undefined) return;
    throw new MediaPeerError('DETECTION_OFF', `there is no detector for source '${this.sourceId}': its MODEL is 'none'`);
  }
}
