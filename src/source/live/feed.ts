/**
 * A room while it is watched: what its publisher sends, on the source's timeline, and a slate for as long as nothing
 * comes. It continues over the loss of a publisher and the arrival of another one; when the format becomes one that the
 * renditions cannot follow, it ends as `replaced` and another feed takes over.
 */
import { whenAborted } from '../../base/abort.js';
import type { StopListening } from '../../base/listeners.js';
import { Timeline, type EncodedFrame, type EndReason } from '../../media/index.js';
import type { LiveClock } from './clock.js';
import type { RoomStatus } from './room-status.js';
import type { LiveFormat, LiveGroup } from './video.js';
import type { Caption } from '../picture-slate.js';
import { Slate } from '../slate.js';
import { SlateSwitch } from '../slate-switch.js';
import type { SourceLayer } from '../layer.js';
import type { FeedEnd, FeedInfo, FeedOptions, FeedSink, SourceFeed } from '../source.js';
import { LayerOutput } from './layer-output.js';
import type { LiveLayer } from './layers.js';
import { OpenableLayers } from './openable-layers.js';
import { LiveRung } from './rung.js';

/** Sides that stand in the same proportion, encoders rounding them as they like. */
const MAX_ASPECT_CHANGE = 0.02;

/** The room as its feeds see it. */
export interface FeedHost {
  /** Id of the room. */
  readonly id: string;
  /** What the publisher sends. */
  readonly format: LiveFormat;
  /** Who publishes; undefined where nobody does. */
  readonly publication: object | undefined;
  /** Whether somebody publishes. */
  readonly status: RoomStatus;
  /** For how long its publisher may send no picture, ms. */
  readonly silentAfterMs: number;
  /** For a slate, whoever sent it. */
  readonly lastGroup: LiveGroup | undefined;
  /** See `LiveLayers.flowing`. */
  readonly layers: readonly LiveLayer[];
  /** See `LiveLayers.best`. */
  readonly best: LiveLayer;
  /** See `LiveLayers.wished`. */
  readonly wished: LiveLayer;
  /** Frames of a layer that are of the present, and short enough to begin with them; empty where there are none. */
  openGroup(layer: LiveLayer): readonly EncodedFrame[];
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** The clock that maps publishers to a timeline; the same one for the same timeline. */
  clockOf(timeline: Timeline, options: FeedOptions): LiveClock;
  /** Passes the request on to who publishes, who merges them: call it as often as needed. */
  requestKeyframe(layer: string): void;
  /** The feed has ended and gets nothing more. */
  remove(feed: LiveFeed): void;
}

/** What viewers of a room get while somebody watches. */
export class LiveFeed implements SourceFeed {
  readonly info: FeedInfo;
  readonly timeline: Timeline;
  readonly closed: Promise<FeedEnd>;
  readonly openGroup: readonly EncodedFrame[];
  readonly lastError = undefined;
  readonly trouble = undefined;
  restarts = 0;
  readonly #host: FeedHost;
  readonly #sink: FeedSink;
  readonly #options: FeedOptions;
  readonly #format: LiveFormat;
  readonly #clock: LiveClock;
  readonly #slate: SlateSwitch<Slate>;
  #resolveClosed!: (end: FeedEnd) => void;
  #end: FeedEnd | undefined;
  readonly #stopListening: StopListening | undefined;
  /** What the renditions in the quality of the source are made of. */
  readonly #main: LayerOutput;
  readonly #layers = new OpenableLayers((layer, onFrame, afterMs) => this.#openLayer(layer, onFrame, afterMs));
  #layersSeen: readonly LiveLayer[];
  readonly #rungs = new Set<LiveRung>();

  constructor(host: FeedHost, sink: FeedSink, options: FeedOptions) {
    this.#host = host;
    this.#sink = sink;
    this.#options = options;
    this.#format = host.format;
    const { codec, widthPx, heightPx, fps, hasAudio } = host.format;
    this.info = { codec, widthPx, heightPx, fps, hasAudio, delivery: 'passthrough' };
    this.timeline = options.timeline ?? new Timeline();
    this.#clock = host.clockOf(this.timeline, options);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#main = new LayerOutput({
      best: () => host.best,
      wished: () => host.wished,
      requestKeyframe: (layer) => host.requestKeyframe(layer),
    });
    this.#layersSeen = host.layers;
    this.openGroup = this.#placeGroup(host.publication, host.openGroup(host.best));
    if (this.openGroup.length > 0) this.#main.begun(host.best);
    this.#slate = new SlateSwitch({
      clock: options.clock,
      silentAfterMs: () => host.silentAfterMs,
      open: () => this.#openSlate(),
    });
    this.#stopListening = whenAborted(options.signal, () => this.#finish({ reason: 'viewer-left' }));
    if (this.end) return;
    if (!host.publication) this.#slate.show();
    else if (this.#main.needsKeyframe) this.requestKeyframe();
  }

  /** Who publishes, and what is shown of it. */
  get live(): NonNullable<SourceFeed['live']> {
    const { state, publisherId } = this.#host.status;
    return { state, publisherId, isWaiting: this.#slate.shown !== undefined };
  }

  get end(): FeedEnd | undefined {
    return this.#end;
  }

  requestKeyframe(): void {
    if (this.#slate.shown) return this.#slate.shown.requestKeyframe();
    this.#main.requestKeyframe();
  }

  /** Those that come, whichever of them the source is. */
  get layers(): readonly SourceLayer[] {
    return this.#layers.of(this.#host.layers);
  }

  /** Whether keyframes of that layer are needed. */
  needs(layer: string): boolean {
    return this.#main.needs(layer) || [...this.#rungs].some((rung) => rung.layer === layer);
  }

  /** The next frame of the publication, in one of its layers. */
  video(publication: object, frame: EncodedFrame, layer: LiveLayer): void {
    if (this.#end) return;
    this.#slate.heard();
    const isMain = this.#main.takes(layer, frame.keyframe);
    if (isMain && frame.keyframe && !this.#fits(layer.video.format)) return this.#finish({ reason: 'replaced' });
    if (isMain) this.#mainVideo(publication, frame);
    // What comes before the best layer does is not shown: the slate is.
    if (!this.#slate.shown) this.#rungVideo(publication, frame, layer.id);
    this.#tellOfLayers();
  }

  #rungVideo(publication: object, { data, keyframe, mediaTimeMs: timeMs }: EncodedFrame, layer: string): void {
    const rungs = [...this.#rungs].filter((rung) => rung.layer === layer);
    if (rungs.length === 0) return;
    const mediaTimeMs = this.#clock.layer(publication, timeMs);
    for (const rung of rungs) rung.write({ data, keyframe, mediaTimeMs });
  }

  #tellOfLayers(): void {
    if (this.#layersSeen === this.#host.layers) return;
    this.#layersSeen = this.#host.layers;
    this.#sink.layersChanged?.();
  }

  #mainVideo(publication: object, frame: EncodedFrame): void {
    const wasWaiting = this.#slate.hide();
    const mediaTimeMs = wasWaiting
      ? this.#clock.videoAfterStandIn(publication, frame.mediaTimeMs)
      : this.#clock.video(publication, frame.mediaTimeMs);
    if (wasWaiting) this.#sink.waiting?.(false);
    if (frame.capturedAtMs !== undefined) this.timeline.captured(mediaTimeMs, frame.capturedAtMs);
    this.#sink.encodedVideo({ data: frame.data, mediaTimeMs, keyframe: frame.keyframe });
  }

  audio(publication: object, packet: EncodedFrame): void {
    const mediaTimeMs = this.#end ? undefined : this.#clock.audio(publication, packet.mediaTimeMs);
    if (mediaTimeMs !== undefined) this.#sink.audio({ data: packet.data, mediaTimeMs, keyframe: true });
  }

  /** Another publication follows: decoding starts again. */
  begin(): void {
    this.restarts++;
    this.#restartOutputs();
    this.#slate.heard();
    // Its codec is known before its first frame: what is needed for it may begin to start.
    if (this.#host.format.codec !== this.#format.codec) this.#finish({ reason: 'replaced' });
    else this.#tellOfLayers();
  }

  /** The publisher is gone, and may come back. */
  lost(): void {
    this.#restartOutputs();
    this.#slate.show();
  }

  close(reason: EndReason = 'viewer-left'): Promise<FeedEnd> {
    this.#finish({ reason });
    return this.closed;
  }

  #finish(end: FeedEnd): void {
    if (this.#end) return;
    this.#end = end;
    for (const rung of [...this.#rungs]) void rung.close();
    this.#stopListening?.();
    this.#host.remove(this);
    // Never rejects.
    void this.#slate.close().then(() => this.#resolveClosed(end));
  }

  /** Renditions follow a stream that becomes smaller, as browsers make it on a bad network; not one that is turned, or grows. */
  #fits(format: LiveFormat): boolean {
    const { codec, widthPx, heightPx, isKnown } = this.#format;
    if (format.codec !== codec) return false;
    if (format.widthPx === widthPx && format.heightPx === heightPx) return true;
    const aspectChange = Math.abs((format.widthPx * heightPx) / (format.heightPx * widthPx) - 1);
    return isKnown && format.widthPx <= widthPx && format.heightPx <= heightPx && aspectChange <= MAX_ASPECT_CHANGE;
  }

  #placeGroup(publication: object | undefined, frames: readonly EncodedFrame[]): readonly EncodedFrame[] {
    const [first, last] = [frames[0], frames.at(-1)];
    if (!publication || !first || !last) return [];
    // The group ends now.
    this.timeline.anchor(0, this.#options.clock.wallClock() - (last.mediaTimeMs - first.mediaTimeMs));
    return frames.map((frame) => ({
      data: frame.data,
      keyframe: frame.keyframe,
      mediaTimeMs: this.#clock.video(publication, frame.mediaTimeMs),
    }));
  }

  /** As they came, since the best layer has its place on the timeline already. */
  #placeLayer(frames: readonly EncodedFrame[]): readonly EncodedFrame[] {
    const { publication } = this.#host;
    if (!publication) return [];
    return frames.flatMap(({ data, keyframe, mediaTimeMs: timeMs }) => {
      const mediaTimeMs = this.#clock.before(publication, timeMs);
      return mediaTimeMs === undefined ? [] : [{ data, keyframe, mediaTimeMs }];
    });
  }

  #openLayer(layer: LiveLayer, onFrame: (frame: EncodedFrame) => void, afterMs: number): LiveRung {
    const begins = afterMs === -Infinity && this.#slate.shown === undefined;
    const rung = new LiveRung({
      layer: layer.id,
      openGroup: begins ? this.#placeLayer(this.#host.openGroup(layer)) : [],
      requestKeyframe: () => (this.#slate.shown ? this.#slate.shown.requestKeyframe() : this.#host.requestKeyframe(layer.id)),
      onFrame,
      onClose: (closed) => this.#rungs.delete(closed),
    });
    this.#rungs.add(rung);
    if (this.#end) void rung.close();
    return rung;
  }

  #restartOutputs(): void {
    this.timeline.captured(this.timeline.newestMs, undefined);
    this.#main.restart();
    for (const rung of this.#rungs) rung.restart();
  }

  #openSlate(): Slate {
    this.#restartOutputs();
    // A publisher that is there may send nothing because nothing moves.
    this.#main.requestKeyframe();
    this.#options.logger.info({ sourceId: this.#host.id }, 'publisher sends nothing; viewers see the slate');
    this.#sink.waiting?.(true);
    const { codec, widthPx, heightPx } = this.info;
    return new Slate({
      owner: `slate of ${this.#host.id}`,
      format: { codec, widthPx, heightPx },
      group: this.#host.lastGroup,
      caption: this.#host.caption,
      mediaTime: () => this.#clock.standIn(),
      onFrame: (frame) => {
        this.#sink.encodedVideo(frame);
        for (const rung of this.#rungs) rung.write(frame);
      },
      deps: this.#options,
    });
  }
}
