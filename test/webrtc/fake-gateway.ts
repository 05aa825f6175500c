/** A source of made-up frames: shared tracks that a test writes to, and a count of the leases that are held. */
import { systemClock, type Clock } from '../../src/base/clock.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { sourceNotLive } from '../../src/base/refusals.js';
import {
  DetectionFeed,
  Timeline,
  SOURCE_RUNG,
  Track,
  type Codec,
  type DetectionLease,
  type EncodedFrame,
  type OpenedSource,
  type Publication,
  type PublicationRequest,
  type Rendition,
  type Rung,
  type Snapshot,
  type SnapshotLease,
  type TrackKey,
  type TrackLease,
} from '../../src/media/index.js';
import type { MediaGateway } from '../../src/webrtc/index.js';
import { ResourceLedger } from '../../src/base/resources.js';

export interface FakeSource {
  /** Default `street`. */
  readonly id?: string;
  readonly hasAudio?: boolean;
  readonly renditions?: readonly Rendition[];
  readonly clock?: Clock;
  /** Asked for each track that somebody needs a keyframe of. */
  readonly onKeyframeRequest?: (rung: string) => boolean;
}

export class FakeGateway implements MediaGateway {
  readonly requests: TrackKey[] = [];
  timeline = new Timeline();
  leases = 0;
  /** Of the detections; a test publishes to it. */
  readonly feed: DetectionFeed;
  detectionLeases = 0;
  /** Thrown when detections are asked for. */
  detectionError: Error | undefined;
  /** Awaited before a track is handed out. */
  gate: Promise<void> = Promise.resolve();
  readonly #tracks = new Map<string, Track>();
  readonly #clock: Clock;

  constructor(readonly source: FakeSource = {}) {
    this.feed = new DetectionFeed(source.id ?? 'street');
    this.#clock = source.clock ?? systemClock(new ResourceLedger());
  }

  /** Other sources beside 'street', by id. */
  readonly others = new Map<string, FakeGateway>();
  /** Sources that are not live. */
  readonly away = new Set<string>();
  readonly snapshotListeners = new Set<(snapshot: Snapshot) => void>();
  snapshotLeases = 0;
  /** Of every rendition of its source. */
  ladder: readonly Rung[] = [
    {
      name: SOURCE_RUNG,
      widthPx: undefined,
      heightPx: undefined,
      bitrateBps: undefined,
      isRunning: true,
      isAvailable: true,
      makesKeyframes: false,
    },
  ];

  open(sourceId: string): Promise<OpenedSource> {
    if (this.away.has(sourceId)) return Promise.reject(sourceNotLive(sourceId));
    const gateway = sourceId === 'street' ? this : this.others.get(sourceId);
    if (!gateway) return Promise.reject(new MediaPeerError('SOURCE_NOT_FOUND', `no source '${sourceId}'`));
    return Promise.resolve(gateway.#opened(sourceId));
  }

  #opened(sourceId: string): OpenedSource {
    return {
      sourceId,
      media: { hasAudio: this.source.hasAudio ?? false, renditions: this.source.renditions ?? ['raw', 'processed'] },
      labels: undefined,
      ladder: () => this.ladder,
      openTrack: (key) => this.openTrack(key),
      openDetections: () => this.openDetections(),
      openSnapshots: (maxBytes) => this.openSnapshots(maxBytes),
    };
  }

  /** Rungs that are refused. */
  readonly refusals = new Map<string, Error>();

  async openTrack(key: TrackKey): Promise<TrackLease> {
    this.requests.push(key);
    await this.gate;
    const rung = key.kind === 'video' ? (key.rung ?? SOURCE_RUNG) : SOURCE_RUNG;
    const refusal = this.refusals.get(rung);
    if (refusal) throw refusal;
    this.leases++;
    let held = true;
    return {
      track: key.kind === 'audio' ? this.track('audio', 'opus') : this.track(key.rendition, key.codec, rung),
      release: () => {
        if (held) this.leases--;
        held = false;
      },
    };
  }

  openDetections(): DetectionLease {
    if (this.detectionError) throw this.detectionError;
    this.detectionLeases++;
    let held = true;
    return {
      feed: this.feed,
      release: () => {
        if (held) this.detectionLeases--;
        held = false;
      },
    };
  }

  openSnapshots(maxBytes: number): SnapshotLease {
    if (maxBytes < 8192) throw new MediaPeerError('NOTHING_TO_SERVE', 'no picture fits');
    this.snapshotLeases++;
    let held = true;
    return {
      subscribe: (listener) => {
        this.snapshotListeners.add(listener);
        return () => void this.snapshotListeners.delete(listener);
      },
      onClosed: () => () => undefined,
      release: () => {
        if (held) this.snapshotLeases--;
        held = false;
      },
    };
  }

  /** Hands a made-up JPEG of so many bytes to everybody who reads snapshots. */
  writeSnapshot(frame: number, bytes = 20_000): void {
    const jpeg = Buffer.alloc(bytes, frame & 0xff);
    for (const listener of [...this.snapshotListeners]) listener({ frame, mediaTimeMs: frame * 100, widthPx: 640, heightPx: 360, jpeg });
  }

  /** What publishers sent, in order. */
  readonly published: { readonly kind: 'video' | 'audio'; readonly frame: EncodedFrame; readonly layer?: string | undefined }[] = [];
  publication: PublicationRequest | undefined;
  publicationClosed: 'left' | 'lost' | undefined;

  publish(request: PublicationRequest): Publication {
    if (this.publication && !request.takeover) throw new MediaPeerError('ROOM_TAKEN', `somebody publishes to '${request.room}'`);
    this.publication?.end('publisher-replaced');
    this.publication = request;
    this.publicationClosed = undefined;
    return {
      video: (frame, layer) => void this.published.push({ kind: 'video', frame, layer }),
      audio: (frame) => void this.published.push({ kind: 'audio', frame }),
      keyframeNeeded: (layer) => request.requestKeyframe(layer),
      close: (how) => {
        if (this.publication !== request) return;
        this.publication = undefined;
        this.publicationClosed = how;
      },
    };
  }

  /** Open subscriptions of all tracks. */
  get subscriptions(): number {
    return [...this.#tracks.values()].reduce((sum, track) => sum + track.viewers, 0);
  }

  /** The source stops because nobody watches it, and begins from its start. */
  restart(): void {
    this.timeline = new Timeline();
    this.#tracks.clear();
  }

  track(name: Rendition | 'audio', codec: Codec = 'h264', rung = SOURCE_RUNG): Track {
    const key = `${name}/${codec}${rung === SOURCE_RUNG ? '' : `/${rung}`}`;
    let track = this.#tracks.get(key);
    if (!track) {
      const { onKeyframeRequest } = this.source;
      track = new Track({
        name: key,
        codec,
        timeline: this.timeline,
        clock: this.#clock,
        ...(onKeyframeRequest ? { onKeyframeRequest: () => onKeyframeRequest(rung) } : {}),
      });
      this.#tracks.set(key, track);
    }
    return track;
  }

  /** Writes an H.264 frame of about `bytes` bytes; a keyframe carries parameter sets. */
  writeH264(name: Rendition, mediaTimeMs: number, { keyframe = false, bytes = 3000, rung = SOURCE_RUNG } = {}): void {
    const slice = Buffer.alloc(bytes, (mediaTimeMs & 0x7f) | 1);
    slice[0] = keyframe ? 0x65 : 0x41;
    const nals = keyframe ? [Buffer.from([0x67, 0x42, 0xe0, 0x1f, 1, 2, 3]), Buffer.from([0x68, 0xce, 1]), slice] : [slice];
    const data = Buffer.concat(nals.flatMap((nal) => [lengthOf(nal), nal]));
    this.timeline.delivered(mediaTimeMs);
    this.track(name, 'h264', rung).write({ data, mediaTimeMs, keyframe });
  }
}

function lengthOf(nal: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nal.length);
  return length;
}
