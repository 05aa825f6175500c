/**
 * One room that somebody publishes to, or may come back to: who that is, what the newest pictures are, and the feeds
 * that watch it. It ends when its publisher leaves, or stays away for longer than the grace time.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { EncodedFrame, EndReason, Publication, PublicationRequest, Timeline } from '../../media/index.js';
import { LiveClock } from './clock.js';
import { LiveFeed, type FeedHost } from './feed.js';
import { describeLayer } from './openable-layers.js';
import type { RoomStatus } from './room-status.js';
import { emptySource, liveSource, notLive } from './source.js';
import { LiveLayers, type LiveLayer } from './layers.js';
import type { LiveFormat, LiveGroup } from './video.js';
import type { Caption } from '../picture-slate.js';
import type { FeedOptions, FeedSink, RoomState, Source, SourceFeed } from '../source.js';

/** What a room needs. */
export interface LiveRoomInit {
  /** Its name, and the id of the source. */
  readonly id: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that viewers wait for a publisher that was lost. */
  readonly graceMs: number;
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** Told of each change of `status`; the last one is `empty`. */
  readonly onChange: () => void;
}

/** While somebody watches, groups are kept about this long: decoders and viewers that start begin with all of it. */
const KEYFRAME_INTERVAL_MS = 4_000;

/** A room that is published to. */
export class LiveRoom implements FeedHost {
  readonly id: string;
  readonly caption: Caption;
  readonly #init: LiveRoomInit;
  readonly #feeds = new Set<LiveFeed>();
  readonly #clocks = new WeakMap<Timeline, LiveClock>();
  readonly #layers: LiveLayers;
  #request: PublicationRequest | undefined;
  #publisherId: string | undefined;
  #state: RoomState = 'empty';
  #grace: Timer | undefined;

  constructor(init: LiveRoomInit) {
    this.#init = init;
    this.id = init.id;
    this.caption = init.caption;
    this.#layers = new LiveLayers({ room: init.id, clock: init.clock, logger: init.logger });
  }

  get status(): RoomStatus {
    return { room: this.id, state: this.#state, publisherId: this.#publisherId };
  }

  get format(): LiveFormat {
    return this.#layers.format;
  }

  get publication(): object | undefined {
    return this.#request;
  }

  get silentAfterMs(): number {
    return this.#layers.best.video.silentAfterMs;
  }

  get lastGroup(): LiveGroup | undefined {
    return this.#layers.lastGroup;
  }

  get layers(): readonly LiveLayer[] {
    return this.#layers.flowing;
  }

  get best(): LiveLayer {
    return this.#layers.best;
  }

  get wished(): LiveLayer {
    return this.#layers.wished;
  }

  openGroup(layer: LiveLayer): readonly EncodedFrame[] {
    return layer.video.openGroupOf(this.#request);
  }

  /** As a source, as it is now. */
  get source(): Source {
    if (this.#state === 'empty') return emptySource(this.id);
    const { codec, h264Profile, widthPx, heightPx, hasAudio, isKnown } = this.format;
    return {
      ...liveSource(this.id),
      state: this.#state,
      widthPx: isKnown ? widthPx : null,
      heightPx: isKnown ? heightPx : null,
      fps: this.#layers.best.video.fps ?? null,
      videoCodec: codec,
      h264Profile,
      layers: this.layers.map(({ video }) => describeLayer(video.format)),
      audioCodec: hasAudio ? 'opus' : null,
      hasAudio,
      playable: true,
      open: (sink, options) => this.#open(sink, options),
    };
  }

  /**
   * Takes what a publisher sends; the one before is ended.
   * @throws MediaPeerError ROOM_TAKEN
   */
  publish(request: PublicationRequest): Publication {
    const before = this.#request;
    const aliveForMs = request.takeover ? 0 : (before?.aliveForMs() ?? 0);
    if (aliveForMs > 0) {
      throw new MediaPeerError(
        'ROOM_TAKEN',
        `room '${this.id}' already has a publisher; use another room, or wait until that one has left`,
        { retryAfterS: Math.ceil(aliveForMs / 1000), details: { sourceId: this.id } },
      );
    }
    this.#grace?.cancel();
    this.#grace = undefined;
    this.#request = request;
    this.#publisherId = request.clientId;
    this.#state = 'live';
    this.#layers.begin(request);
    before?.end('publisher-replaced');
    for (const feed of [...this.#feeds]) feed.begin();
    this.#init.logger.info(
      { sourceId: this.id, clientId: request.clientId, codec: request.video, hasAudio: request.hasAudio, isTakeover: before !== undefined },
      'publisher began',
    );
    this.#init.onChange();
    return {
      video: (frame, layer) => this.#request === request && this.#takeVideo(request, frame, layer),
      keyframeNeeded: (layer) => this.#request === request && this.#keyframeNeeded(layer),
      audio: (packet) => this.#request === request && this.#takeAudio(request, packet),
      close: (how) => this.#request === request && this.#publisherGone(how),
    };
  }

  /** Asks the camera to reconnect; false where there is none. */
  requestReconnect(reason: string): boolean {
    this.#request?.requestReconnect(reason);
    return this.#request !== undefined;
  }

  requestKeyframe(layer: string): void {
    this.#request?.requestKeyframe(layer === '' ? undefined : layer);
  }

  clockOf(timeline: Timeline, { clock }: FeedOptions): LiveClock {
    const known = this.#clocks.get(timeline);
    if (known) return known;
    const made = new LiveClock(timeline, clock);
    this.#clocks.set(timeline, made);
    return made;
  }

  remove(feed: LiveFeed): void {
    this.#feeds.delete(feed);
  }

  /** Ends it for its publisher and its viewers. Idempotent. */
  close(reason: EndReason): void {
    const request = this.#request;
    this.#empty(reason);
    request?.end(reason);
  }

  #open(sink: FeedSink, options: FeedOptions): SourceFeed {
    if (this.#state === 'empty') throw notLive(this.id);
    const feed = new LiveFeed(this, sink, options);
    if (!feed.end) this.#feeds.add(feed);
    return feed;
  }

  #takeVideo(publication: PublicationRequest, frame: EncodedFrame, id = ''): void {
    const layer = this.#layers.of(id);
    if (frame.data.length === 0 || !layer) return;
    // Whoever watches waits for a keyframe that can be used.
    if (!this.#layers.take(publication, frame, id)) {
      if (frame.keyframe && this.#isWatched(id)) this.requestKeyframe(id);
      return;
    }
    for (const feed of [...this.#feeds]) feed.video(publication, frame, layer);
    // Browsers send no keyframe unless they are asked.
    if (layer.video.keyframeAgeMs >= KEYFRAME_INTERVAL_MS && this.#isWatched(id)) this.requestKeyframe(id);
  }

  /** Of a layer that nobody watches none is asked for, once it is known how large it is; the best is kept ready for who comes. */
  #keyframeNeeded(id: string): void {
    const layer = this.#layers.of(id);
    if (layer && (!layer.video.isKnown || this.wished === layer || this.#isWatched(id))) this.requestKeyframe(id);
  }

  #isWatched(layer: string): boolean {
    return [...this.#feeds].some((feed) => feed.needs(layer));
  }

  #takeAudio(publication: PublicationRequest, packet: EncodedFrame): void {
    for (const feed of this.#feeds) feed.audio(publication, packet);
  }

  #publisherGone(how: 'left' | 'lost'): void {
    this.#request = undefined;
    this.#init.logger.info({ sourceId: this.id, clientId: this.#publisherId, how, graceMs: this.#init.graceMs }, 'publisher gone');
    if (how === 'left' || this.#init.graceMs === 0) return this.#empty('source-ended');
    this.#state = 'waiting';
    this.#grace = this.#init.clock.after(this.#init.graceMs, () => this.#empty('source-ended'));
    for (const feed of [...this.#feeds]) feed.lost();
    this.#init.onChange();
  }

  #empty(reason: EndReason): void {
    if (this.#state === 'empty') return;
    this.#state = 'empty';
    this.#grace?.cancel();
    this.#request = undefined;
    this.#publisherId = undefined;
    this.#layers.clear();
    for (const feed of [...this.#feeds]) void feed.close(reason);
    this.#init.onChange();
  }
}
