/**
 * One running feed of a source and the renditions made of it. A rendition is started when it is first wanted
 * and stopped when it no longer is; the tracks themselves outlive a run, so a file that is replaced keeps its
 * viewers.
 */
import {
  shortSideOf,
  type DetectionFeed,
  type EncodedFrame,
  type Timeline,
  type Track,
  type TrackKey,
  type VideoCodec,
  type VideoFrame,
  type VideoKey,
} from '../media/index.js';
import { bitrateFor } from '../ffmpeg/index.js';
import type { FeedEnd, FeedInfo, FrameUse, SeenFrame, Source, SourceFeed, SourceLayer } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import { BitrateMeter } from '../media/index.js';
import { encodeCost, type EncodePlaceHolder } from './encode-places.js';
import { EncodedRendition, type RungTarget } from './encoded-rendition.js';
import { FrameHub, type DecoderActivity } from './frame-hub.js';
import type { FrameNumbers } from './frame-numbers.js';
import { averageBps, layerName, nearestLayer, rungBitrateBps, rungSize, type LadderBase } from './ladder.js';
import type { RenditionKey } from './ladders.js';
import type { Producer } from './producer.js';
import { RunDetection, type SeenKind } from './run-detection.js';
import { RungProducer } from './rung-producer.js';
import { StandIns } from './stand-ins.js';
import type { DetectedFrame, DetectionActivity, FrameDetection } from './frame-detection.js';
import { SourceDetection } from './source-detection.js';
import { StoredDetection } from './stored-detection.js';
import { isLower, keyName } from './track-name.js';

/** What outlives the runs of a source. */
export interface SourceState {
  /** The time of the source, over all its feeds. */
  readonly timeline: Timeline;
  /** Where detections go. */
  readonly feed: DetectionFeed;
  /** Numbers the frames of the source. */
  readonly frameNumbers: FrameNumbers;
  /** Ids of objects that are followed; none is given twice. */
  readonly nextObjectId: () => number;
  /** Each gets the next picture once there has been a detection, of whatever run, and is taken out. */
  readonly pictureTakers: Set<(seen: DetectedFrame) => void>;
  /** What a source brings itself is something else now. */
  readonly layersChanged: () => void;
}

/** One feed and its renditions. */
export class SourceRun {
  readonly source: Source;
  readonly #deps: PipelineDeps;
  readonly #feed: SourceFeed;
  readonly #hub: FrameHub;
  readonly #producers = new Map<string, Producer>();
  readonly #state: SourceState;
  readonly #standIns = new StandIns();
  /** Of what is copied. */
  readonly #meter = new BitrateMeter();
  readonly #detection: RunDetection;
  #passthrough: Track | undefined;
  #audio: Track | undefined;
  #isClosed = false;
  /** Renditions that end and still hold processes. */
  readonly #stopping = new Set<Promise<void>>();
  /** What is counted of it leaves the sums. */
  readonly #leaveCounts: readonly ((() => void) | undefined)[];
  #closing: Promise<void> | undefined;

  /** Starts the feed; its media time continues on the timeline. */
  constructor(source: Source, state: SourceState, deps: PipelineDeps) {
    this.source = source;
    this.#deps = deps;
    this.#state = state;
    this.#feed = source.open(
      {
        encodedVideo: (frame, use) => this.#onEncodedVideo(frame, use),
        picture: (picture) => this.#onPicture(picture),
        audio: (frame) => this.#audio?.write(frame),
        waiting: (isWaiting) => this.#standIns.follow(isWaiting),
        layersChanged: () => this.#layersChanged(),
        seen: (seen) => this.#onSeen(seen),
      },
      { ...deps.ffmpeg, timeline: state.timeline },
    );
    const { info, openGroup = [] } = this.#feed;
    state.frameNumbers.setRate(info.peakFps ?? info.fps);
    this.#hub = new FrameHub({
      name: source.id,
      format: info,
      openGroup,
      deps,
      mediaTime: () => state.timeline.mediaTimeAt(deps.clock.wallClock()),
      onKeyframeNeeded: () => this.#feed.requestKeyframe?.(),
    });
    this.#detection = new RunDetection({
      hub: this.#hub,
      format: info,
      open: () => this.#openDetection(),
    });
    const { counts } = deps;
    this.#leaveCounts = [
      counts?.addDecoder(source.id, this.#hub),
      counts?.feeds.enter(counts.source(source.id), () => ({ restarts: this.#feed.restarts })),
    ];
  }

  /** Resolves when the feed has ended. */
  get closed(): Promise<FeedEnd> {
    return this.#feed.closed;
  }

  /** What ends the feed, as soon as that is decided. */
  get end(): FeedEnd | undefined {
    return this.#feed.end;
  }

  get restarts(): number {
    return this.#feed.restarts;
  }

  get lastError(): string | undefined {
    return this.#feed.lastError;
  }

  /** What keeps it from running as it should. */
  get troubles(): string[] {
    const encoders = [...this.#producers.values()].map((producer) => producer.encoder?.trouble);
    return [this.#feed.trouble, this.#hub.trouble, this.#detection.current?.notice, ...encoders].filter((trouble) => trouble !== undefined);
  }

  get decoder(): DecoderActivity | undefined {
    return this.#hub.activity;
  }

  get detection(): DetectionActivity | undefined {
    return this.#detection.current?.activity;
  }

  /** The encoder behind a track; undefined for what is copied. */
  encoderOf(key: TrackKey): EncodedRendition | undefined {
    return this.#producers.get(keyName(key))?.encoder;
  }

  /** What the source brings itself that a track is a copy of; undefined for what is encoded, and in the quality of the source. */
  layerOf(key: TrackKey): SourceLayer | undefined {
    return this.#producers.get(keyName(key))?.layer;
  }

  /** What the source brings itself below a rendition. */
  layersBelow({ rendition, codec }: RenditionKey): readonly SourceLayer[] {
    return rendition === 'raw' ? (this.#feed.layers ?? []).filter((layer) => layer.codec === codec) : [];
  }

  /** What the feed delivers. */
  get info(): FeedInfo {
    return this.#feed.info;
  }

  /** False for H.265 of a source that does not come in it: it is copied, never encoded. */
  canMake(key: TrackKey): boolean {
    return key.kind === 'audio' || key.codec !== 'h265' || (this.#isCopied(key) && !isLower(key));
  }

  /** Frames of a track that came before it was begun, from the newest keyframe on; empty where they are made here, or there is no keyframe. */
  openGroup(key: VideoKey): readonly EncodedFrame[] {
    return this.#isCopied(key) && !isLower(key) ? this.#hub.openGroup : [];
  }

  /** What the raw video comes in where it is copied; H.264 of what is encoded here. */
  get rawCodec(): VideoCodec {
    const { delivery, codec } = this.#feed.info;
    return delivery === 'passthrough' ? codec : 'h264';
  }

  /** True for a time at which a stand-in is shown, because nothing comes from the camera. */
  isStandIn(mediaTimeMs: number): boolean {
    return this.#standIns.has(mediaTimeMs);
  }

  /** Where a track comes from; sound is encoded with the video that it comes with. */
  originOf(key: TrackKey): 'copied' | 'layer' | 'encoded' {
    if (this.layerOf(key)) return 'layer';
    return key.kind === 'video' && !isLower(key) && this.#isCopied(key) ? 'copied' : 'encoded';
  }

  /** Why a lower quality that the source should bring is not used; undefined where all are well. */
  get layersProblem(): string | undefined {
    return this.#feed.layersProblem;
  }

  /** Of the frames of a track; undefined for sound. */
  sizeOf(key: TrackKey): { readonly widthPx: number | undefined; readonly heightPx: number | undefined } {
    if (key.kind === 'audio') return { widthPx: undefined, heightPx: undefined };
    const copied = this.#isCopied(key) && !isLower(key) ? this.info.copiedSize : undefined;
    const { widthPx, heightPx } = this.encoderOf(key)?.target ?? this.layerOf(key) ?? copied ?? this.info;
    return { widthPx, heightPx };
  }

  /** Of a live source: who publishes, and whether a stand-in is shown. */
  get live(): SourceFeed['live'] {
    return this.#feed.live;
  }

  /** A rendition in the quality of the source. @param source as it is now: a publisher may have become smaller than its renditions */
  base(key: RenditionKey, { kind, widthPx, heightPx, ...source }: Source): LadderBase {
    const { info } = this.#feed;
    if (this.#isCopied(key)) {
      const isSmaller = kind === 'live' && widthPx !== null && heightPx !== null && widthPx * heightPx < info.widthPx * info.heightPx;
      const size = isSmaller ? { widthPx, heightPx } : (info.copiedSize ?? info);
      return { widthPx: size.widthPx, heightPx: size.heightPx, fps: info.fps, bitrateBps: this.#meter.bitrateBps ?? averageBps(source) };
    }
    const encoder = this.encoderOf({ kind: 'video', ...key });
    return {
      widthPx: info.widthPx,
      heightPx: info.heightPx,
      fps: info.fps,
      bitrateBps: encoder?.bitrateBps ?? bitrateFor(info.widthPx, info.heightPx, info.fps),
    };
  }

  /** Whether keyframes of a rendition in the quality of the source can be had on demand. */
  makesKeyframes(key: RenditionKey): boolean {
    return !this.#isCopied(key) || this.#feed.requestKeyframe !== undefined;
  }

  /** Begins to write the track, for which `holder` needs a place where it is a lower rung; does nothing once it is closed, because the next run will. */
  start(key: TrackKey, track: Track, holder: EncodePlaceHolder): void {
    if (this.#isClosed) return;
    this.#producers.set(keyName(key), this.#startProducer(key, track, holder));
  }

  /** Ends the writing of a track. */
  async stop(key: TrackKey): Promise<void> {
    const producer = this.#producers.get(keyName(key));
    this.#producers.delete(keyName(key));
    if (producer) await this.#until(producer.close());
  }

  /** Begins to see, for those who want that; does nothing once it is closed, because the next run will. */
  startDetection(kind: SeenKind): void {
    if (this.#isClosed) return;
    this.#detection.start(kind);
  }

  /** Nobody wants that any more. */
  async stopDetection(kind: SeenKind): Promise<void> {
    await this.#until(this.#detection.stop(kind));
  }

  /** What the feed tells itself needs no detector. */
  #openDetection(): FrameDetection {
    const feed = this.#feed;
    const { source, info } = this;
    const state = this.#state;
    if (feed.wantSeen) return new StoredDetection({ ...state, want: (isWanted) => feed.wantSeen?.(isWanted), logger: this.#deps.logger });
    return new SourceDetection({
      ...state,
      sourceId: source.id,
      format: info,
      isStandIn: (mediaTimeMs) => this.#standIns.has(mediaTimeMs),
      capturedAt: (mediaTimeMs) => (feed.capturedAt ? feed.capturedAt(mediaTimeMs) : state.timeline.capturedAt(mediaTimeMs)),
      deps: this.#deps,
    });
  }

  /** Passes the request for a keyframe on to who makes them; false where none can be made on demand. */
  requestKeyframe(key: TrackKey): boolean {
    return this.#producers.get(keyName(key))?.requestKeyframe() ?? false;
  }

  /** Ends the feed and everything made of it. Idempotent; resolves when nothing of it runs. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    const producers = [...this.#producers.values()];
    this.#producers.clear();
    await Promise.all([this.#feed.close(), ...producers.map((producer) => producer.close())]);
    this.#detection.close();
    await Promise.all([this.#hub.close(), ...this.#stopping]);
    for (const leave of this.#leaveCounts) leave?.();
  }

  /** Lets the end of the run wait for what is being stopped. */
  async #until(stopped: Promise<void>): Promise<void> {
    this.#stopping.add(stopped);
    try {
      await stopped;
    } finally {
      this.#stopping.delete(stopped);
    }
  }

  #onEncodedVideo(frame: EncodedFrame, { isSent = true, isShown = true }: FrameUse = {}): void {
    this.#standIns.next(frame.mediaTimeMs);
    this.#meter.add(frame.data.length, this.#deps.clock.now());
    if (isSent) this.#passthrough?.write(frame);
    if (!isShown) this.#hub.hide(frame.mediaTimeMs);
    this.#hub.encoded(frame);
  }

  #onSeen(seen: SeenFrame): void {
    this.#detection.current?.seen?.(seen);
  }

  #onPicture(picture: VideoFrame): void {
    this.#standIns.next(picture.mediaTimeMs);
    this.#hub.picture(picture);
  }

  #layersChanged(): void {
    this.#state.layersChanged();
    for (const producer of this.#producers.values()) producer.layersChanged?.();
  }

  #startProducer(key: TrackKey, track: Track, holder: EncodePlaceHolder): Producer {
    if (key.kind === 'audio') return this.#copy(track, (target) => (this.#audio = target));
    if (isLower(key)) return this.#startRung(key, track, holder);
    return this.#isCopied(key) ? this.#copyVideo(track) : this.#make(key, track);
  }

  /** The pictures of the source are decoded once, and scaled in the process that encodes them: copying them whole costs 2 % of a core at 720p30. */
  #startRung(key: VideoKey, track: Track, holder: EncodePlaceHolder): Producer {
    const { clock, logger, places, ladder } = this.#deps;
    const base: LadderBase = { ...this.#feed.info, bitrateBps: undefined };
    const shortSidePx = shortSideOf(key.rung ?? '') ?? Infinity;
    const target = { ...rungSize(base, shortSidePx), bitrateBps: rungBitrateBps(base, shortSidePx, ladder) };
    return new RungProducer({
      track,
      clock,
      logger,
      places,
      holder,
      cost: encodeCost(base, target),
      encode: ladder === 'auto' || ladder.length > 0 ? () => this.#make(key, track, target) : undefined,
      layer: () => this.layersBelow(key).find((layer) => layerName(layer) === key.rung),
      nextLayer: () => nearestLayer(this.layersBelow(key), shortSidePx),
    });
  }

  #make(key: VideoKey, track: Track, target?: RungTarget): Producer {
    return key.rendition === 'processed' ? this.#process(key, track, target) : this.#encode(key, track, target);
  }

  /** Whether it is handed on as it comes. */
  #isCopied({ rendition, codec }: RenditionKey): boolean {
    const { info } = this.#feed;
    return rendition === 'raw' && info.delivery === 'passthrough' && info.codec === codec;
  }

  /** The track begins with the open group, so that nobody waits for the next keyframe. */
  #copyVideo(track: Track): Producer {
    for (const frame of this.#hub.openGroup) track.write(frame);
    if (this.#hub.openGroup.length === 0) this.#feed.requestKeyframe?.();
    return this.#copy(track, (target) => (this.#passthrough = target));
  }

  #copy(track: Track, assign: (track: Track | undefined) => void): Producer {
    assign(track);
    return {
      requestKeyframe: () => {
        this.#feed.requestKeyframe?.();
        return this.#feed.requestKeyframe !== undefined;
      },
      close: () => {
        assign(undefined);
        return Promise.resolve();
      },
    };
  }

  #encode(key: VideoKey, track: Track, target?: RungTarget): Producer {
    const { encoder, close } = this.#openEncoder(key, track, target);
    const consume = (picture: VideoFrame): void => encoder.write(picture);
    this.#hub.add(consume);
    return {
      encoder,
      requestKeyframe: () => encoder.requestKeyframe(),
      close: async () => {
        await Promise.all([this.#hub.remove(consume), close()]);
      },
    };
  }

  #process(key: VideoKey, track: Track, target?: RungTarget): Producer {
    const { encoder, close } = this.#openEncoder(key, track, target);
    const leave = this.#detection.addEncoder(encoder);
    return {
      encoder,
      requestKeyframe: () => encoder.requestKeyframe(),
      close: async () => {
        await Promise.all([leave(), close()]);
      },
    };
  }

  #openEncoder(key: VideoKey, track: Track, target: RungTarget | undefined): { encoder: EncodedRendition; close: () => Promise<void> } {
    const { codec } = key;
    const format = this.#feed.info;
    const encoder = new EncodedRendition({ track, codec, format, target, onPictureNeeded: () => this.#hub.repeatSoon(), deps: this.#deps });
    const leaveCounts = this.#deps.counts?.addEncoder(this.source.id, key, encoder);
    const close = async (): Promise<void> => {
      await encoder.close();
      leaveCounts?.();
    };
    return { encoder, close };
  }
}
