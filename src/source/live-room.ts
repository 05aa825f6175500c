/**
 * One room that somebody publishes to, or may come back to: who that is, what the newest pictures are, and the feeds
 * that watch it. It ends when its publisher leaves, or stays away for longer than the grace time.
 */
import type { Clock, Timer } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { Logger } from '../logger.js';
import { OpenGroup, type EncodedFrame, type EndReason, type Timeline, type VideoCodec } from '../media/index.js';
import { KeyframeRequests } from './keyframe-requests.js';
import { LiveClock } from './live-clock.js';
import { LiveFeed, type FeedHost, type LiveFormat, type LiveGroup } from './live-feed.js';
import type { Publication, PublicationRequest, RoomStatus } from './live-publication.js';
import { pictureSize } from './picture-size.js';
import type { Caption } from './picture-slate.js';
import type { FeedOptions, FeedSink, RoomState, Source, SourceFeed } from './source.js';

export interface LiveRoomInit {
  readonly id: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly graceMs: number;
  readonly caption: Caption;
  /** Told of each change of `status`; the last one is `empty`. */
  readonly onChange: () => void;
}

/** While somebody watches, groups are kept about this long: decoders and viewers that start begin with all of it. */
const KEYFRAME_INTERVAL_MS = 4_000;
/** Too much to begin with; asking for a keyframe is quicker. */
const MAX_REPLAY_MS = 6_000;
/** What came longer ago is not the present. */
const MAX_REPLAY_AGE_MS = 1_000;
const MAX_SIDE_PX = 4_096;
/** Before the first keyframe. */
const GUESS = { widthPx: 1280, heightPx: 720, fps: 30 } as const;
const MAX_FPS = 60;
/** Frames until their average says the rate. */
const FRAMES_FOR_RATE = 10;

export class LiveRoom implements FeedHost {
  readonly id: string;
  readonly caption: Caption;
  readonly #init: LiveRoomInit;
  readonly #feeds = new Set<LiveFeed>();
  readonly #clocks = new WeakMap<Timeline, LiveClock>();
  readonly #group = OpenGroup.ofEncoded();
  readonly #keyframes: KeyframeRequests;
  /** What the group is of. */
  #groupCodec: VideoCodec = 'h264';
  #groupOf: object | undefined;
  #keyframeAtMs = -Infinity;
  #request: PublicationRequest | undefined;
  #publisherId: string | undefined;
  #state: RoomState = 'empty';
  #format: LiveFormat = { codec: 'h264', ...GUESS, hasAudio: false, isKnown: false };
  #grace: Timer | undefined;
  #newestTimeMs: number | undefined;
  #newestAtMs = -Infinity;
  #intervalMs = 0;
  #intervals = 0;
  /** Whether the newest keyframe can be used. */
  #isUsable = true;
  #refusedAtMs = -Infinity;

  constructor(init: LiveRoomInit) {
    this.#init = init;
    this.id = init.id;
    this.caption = init.caption;
    this.#keyframes = new KeyframeRequests(init.clock, () => this.#request?.requestKeyframe());
  }

  get status(): RoomStatus {
    return { room: this.id, state: this.#state, publisherId: this.#publisherId };
  }

  get format(): LiveFormat {
    const fps = this.#intervals < FRAMES_FOR_RATE ? GUESS.fps : Math.min(MAX_FPS, Math.max(1, Math.round(1000 / this.#intervalMs)));
    return { ...this.#format, fps };
  }

  get publication(): object | undefined {
    return this.#request;
  }

  get lastGroup(): LiveGroup | undefined {
    return this.#groupOf && { codec: this.#groupCodec, frames: this.#group.frames };
  }

  get openGroup(): readonly EncodedFrame[] {
    const { frames } = this.#group;
    const [first, last] = [frames[0], frames.at(-1)];
    const isPresent = this.#groupOf === this.#request && this.#init.clock.now() - this.#newestAtMs <= MAX_REPLAY_AGE_MS;
    return first && last && isPresent && last.mediaTimeMs - first.mediaTimeMs <= MAX_REPLAY_MS ? frames : [];
  }

  /** As a source, as it is now. */
  get source(): Source {
    if (this.#state === 'empty') return emptySource(this.id);
    const { codec, widthPx, heightPx, hasAudio, isKnown } = this.#format;
    return {
      ...liveSource(this.id),
      state: this.#state,
      widthPx: isKnown ? widthPx : null,
      heightPx: isKnown ? heightPx : null,
      fps: this.#intervals < FRAMES_FOR_RATE ? null : this.format.fps,
      videoCodec: codec,
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
    if (before && !request.takeover && before.isAlive()) {
      throw new MediaPeerError('ROOM_TAKEN', `somebody publishes to room '${this.id}' already; take another room, or wait until that one has left`, { retryAfterS: 5 });
    }
    this.#grace?.cancel();
    this.#grace = undefined;
    this.#request = request;
    this.#publisherId = request.clientId;
    this.#state = 'live';
    this.#format = { ...this.#format, codec: request.video ?? this.#format.codec, hasAudio: request.hasAudio, isKnown: false };
    this.#newestTimeMs = undefined;
    this.#intervals = 0;
    this.#isUsable = true;
    before?.end('publisher-replaced');
    for (const feed of [...this.#feeds]) feed.begin();
    this.#init.logger.info({ sourceId: this.id, clientId: request.clientId, codec: request.video, hasAudio: request.hasAudio, isTakeover: before !== undefined }, 'publisher began');
    this.#init.onChange();
    return {
      video: (frame) => this.#request === request && this.#video(request, frame),
      audio: (packet) => this.#request === request && this.#audio(request, packet),
      close: (how) => this.#request === request && this.#publisherGone(how),
    };
  }

  /** Asks the camera to reconnect; false where there is none. */
  requestReconnect(reason: string): boolean {
    this.#request?.requestReconnect(reason);
    return this.#request !== undefined;
  }

  requestKeyframe(): void {
    if (this.#request) this.#keyframes.request();
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
    if (this.#state === 'empty') throw new MediaPeerError('SOURCE_NOT_LIVE', notLive(this.id), { retryAfterS: RETRY_AFTER_S });
    const feed = new LiveFeed(this, sink, options);
    if (!feed.end) this.#feeds.add(feed);
    return feed;
  }

  #video(publication: PublicationRequest, frame: EncodedFrame): void {
    if (frame.data.length === 0 || publication.video === undefined) return;
    if (frame.keyframe) this.#isUsable = this.#readSize(publication.video, frame);
    // What follows a keyframe that cannot be used cannot be, either.
    if (!this.#isUsable) return;
    const nowMs = this.#init.clock.now();
    if (frame.keyframe) {
      this.#groupOf = publication;
      this.#groupCodec = publication.video;
      this.#keyframeAtMs = nowMs;
      this.#keyframes.answered();
    }
    if (this.#groupOf === publication) this.#group.push(frame);
    this.#measure(frame.mediaTimeMs);
    this.#newestAtMs = nowMs;
    for (const feed of [...this.#feeds]) feed.video(publication, frame);
    // Browsers send no keyframe unless they are asked.
    if (this.#feeds.size > 0 && nowMs - this.#keyframeAtMs >= KEYFRAME_INTERVAL_MS && this.#keyframes.sinceLastMs >= KEYFRAME_INTERVAL_MS) this.requestKeyframe();
  }

  #audio(publication: PublicationRequest, packet: EncodedFrame): void {
    for (const feed of this.#feeds) feed.audio(publication, packet);
  }

  /** False for a keyframe that cannot be used: whoever watches waits for one that can. */
  #readSize(codec: VideoCodec, frame: EncodedFrame): boolean {
    const size = pictureSize(codec, frame);
    const isUsable = size !== undefined && size.widthPx >= 2 && size.heightPx >= 2 && Math.max(size.widthPx, size.heightPx) <= MAX_SIDE_PX;
    if (isUsable) {
      this.#format = { ...this.#format, widthPx: size.widthPx & ~1, heightPx: size.heightPx & ~1, isKnown: true };
      return true;
    }
    const nowMs = this.#init.clock.now();
    if (nowMs - this.#refusedAtMs >= 1000) {
      this.#refusedAtMs = nowMs;
      this.#init.logger.warn({ sourceId: this.id, codec, ...size, bytes: frame.data.length }, `keyframe of a publisher cannot be used: its size is not 2 to ${MAX_SIDE_PX} pixels a side, or cannot be read`);
    }
    return false;
  }

  /** Average time between frames. */
  #measure(timeMs: number): void {
    const stepMs = timeMs - (this.#newestTimeMs ?? timeMs);
    this.#newestTimeMs = timeMs;
    if (stepMs <= 0 || stepMs > 1000) return;
    this.#intervals++;
    this.#intervalMs += (stepMs - this.#intervalMs) / Math.min(this.#intervals, 60);
  }

  #publisherGone(how: 'left' | 'lost'): void {
    this.#request = undefined;
    this.#keyframes.answered();
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
    this.#keyframes.answered();
    this.#request = undefined;
    this.#publisherId = undefined;
    this.#group.clear();
    for (const feed of [...this.#feeds]) void feed.close(reason);
    this.#init.onChange();
  }
}

const RETRY_AFTER_S = 5;

function notLive(room: string): string {
  return `nobody publishes to room '${room}' right now`;
}

/** What does not change of a room. */
function liveSource(room: string): Pick<Source, 'kind' | 'id' | 'name' | 'sizeBytes' | 'durationS' | 'delivery'> {
  return { kind: 'live', id: room, name: room, sizeBytes: null, durationS: null, delivery: 'passthrough' };
}

/** A room that nobody publishes to. */
export function emptySource(room: string): Source {
  return {
    ...liveSource(room),
    state: 'empty',
    widthPx: null,
    heightPx: null,
    fps: null,
    videoCodec: null,
    audioCodec: null,
    hasAudio: false,
    playable: false,
    reason: notLive(room),
    open: () => {
      throw new MediaPeerError('SOURCE_NOT_LIVE', notLive(room), { retryAfterS: RETRY_AFTER_S });
    },
  };
}
