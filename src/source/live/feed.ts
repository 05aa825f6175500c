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
import type { FeedEnd, FeedInfo, FeedOptions, FeedSink, SourceFeed } from '../source.js';

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
  /** Of the present, short enough to begin with it; empty where there is none. */
  readonly openGroup: readonly EncodedFrame[];
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** The clock that maps publishers to a timeline; the same one for the same timeline. */
  clockOf(timeline: Timeline, options: FeedOptions): LiveClock;
  /** Passes the request on to who publishes, who merges them: call it as often as needed. */
  requestKeyframe(): void;
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
  #needsKeyframe: boolean;

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
    this.openGroup = this.#placeGroup(host.publication, host.openGroup);
    this.#needsKeyframe = this.openGroup.length === 0;
    this.#slate = new SlateSwitch({
      clock: options.clock,
      silentAfterMs: () => host.silentAfterMs,
      open: () => this.#openSlate(),
    });
    this.#stopListening = whenAborted(options.signal, () => this.#finish({ reason: 'viewer-left' }));
    if (this.end) return;
    if (!host.publication) this.#slate.show();
    else if (this.#needsKeyframe) this.requestKeyframe();
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
    this.#host.requestKeyframe();
  }

  /** The next frame of the publication. */
  video(publication: object, frame: EncodedFrame): void {
    if (this.#end) return;
    this.#slate.heard();
    if (frame.keyframe && !this.#fits(this.#host.format)) return this.#finish({ reason: 'replaced' });
    if (this.#needsKeyframe && !frame.keyframe) return this.#host.requestKeyframe();
    this.#needsKeyframe = false;
    const wasWaiting = this.#slate.hide();
    const mediaTimeMs = wasWaiting
      ? this.#clock.videoAfterStandIn(publication, frame.mediaTimeMs)
      : this.#clock.video(publication, frame.mediaTimeMs);
    if (wasWaiting) this.#sink.waiting?.(false);
    this.#sink.encodedVideo({ data: frame.data, mediaTimeMs, keyframe: frame.keyframe });
  }

  audio(publication: object, packet: EncodedFrame): void {
    const mediaTimeMs = this.#end ? undefined : this.#clock.audio(publication, packet.mediaTimeMs);
    if (mediaTimeMs !== undefined) this.#sink.audio({ data: packet.data, mediaTimeMs, keyframe: true });
  }

  /** Another publication follows: decoding starts again. */
  begin(): void {
    this.restarts++;
    this.#needsKeyframe = true;
    this.#slate.heard();
    // Its codec is known before its first frame: what is needed for it may begin to start.
    if (this.#host.format.codec !== this.#format.codec) this.#finish({ reason: 'replaced' });
  }

  /** The publisher is gone, and may come back. */
  lost(): void {
    this.#needsKeyframe = true;
    this.#slate.show();
  }

  close(reason: EndReason = 'viewer-left'): Promise<FeedEnd> {
    this.#finish({ reason });
    return this.closed;
  }

  #finish(end: FeedEnd): void {
    if (this.#end) return;
    this.#end = end;
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

  #openSlate(): Slate {
    this.#needsKeyframe = true;
    // A publisher that is there may send nothing because nothing moves.
    this.#host.requestKeyframe();
    this.#options.logger.info({ sourceId: this.#host.id }, 'publisher sends nothing; viewers see the slate');
    this.#sink.waiting?.(true);
    const { codec, widthPx, heightPx } = this.info;
    return new Slate({
      owner: `slate of ${this.#host.id}`,
      format: { codec, widthPx, heightPx },
      group: this.#host.lastGroup,
      caption: this.#host.caption,
      mediaTime: () => this.#clock.standIn(),
      onFrame: (frame) => this.#sink.encodedVideo(frame),
      deps: this.#options,
    });
  }
}
