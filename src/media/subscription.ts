/**
 * One reader's cursor on a track: replays the open group of pictures, then follows live. A reader that does
 * not keep up loses frames up to the next keyframe, and only that reader. Numbering (ssrc, sequence numbers,
 * payload type) belongs to the sink behind it, so that what is lost here leaves no gap to ask for.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { FrameSink, PacketizedFrame } from './packetized-frame.js';
import { ReplayPace, type Replay } from './replay-pace.js';

/** What a subscription needs of its track. */
export interface SubscribedTrack {
  /** Video waits for a keyframe before it starts and after a loss; audio starts anywhere. */
  readonly needsKeyframe: boolean;
  /** Passes the request for a keyframe on to the producer; false when it makes none on demand. */
  requestKeyframe(): boolean;
  /** What a replay would cost. */
  replayBytes(): number;
  /** The open group restamped for this subscription's cursor. `afterTimestamp`: the newest timestamp it has sent. */
  replay(afterTimestamp: number | undefined): PacketizedFrame[];
  /** The timestamp that is a frame's own. */
  rtpTimestampAt(mediaTimeMs: number): number;
  /** The subscription is closed and gets nothing more. */
  remove(subscription: Subscription): void;
  readonly clock: Clock;
}

/** Where a subscription begins; see `Track.subscribe`. */
export interface SubscriptionStart {
  /** The newest timestamp that the reader has; undefined: none. */
  readonly afterTimestamp: number | undefined;
  /** Begins with the open group of pictures; undefined: where the reader takes it. */
  readonly replays: boolean | undefined;
}

/** A slow reader: 1 MiB is 4 s of video at 2 Mbit/s. */
const MAX_PENDING_BYTES = 1024 * 1024;
/** The first slice of a replay holds the keyframe, so the picture does not wait. */
const REPLAY_SLICE_BYTES = 32 * 1024;
/** A replay can be asked for by any lost packet: at most one per viewer in this time. */
const MIN_REPLAY_INTERVAL_MS = 500;

/** One reader of a track. */
export class Subscription implements Replay {
  readonly #track: SubscribedTrack;
  readonly #sink: FrameSink;
  readonly #pace: ReplayPace;
  #state: 'live' | 'waiting-for-keyframe' | 'closed';
  #backlog: PacketizedFrame[] = [];
  #replaying: Timer | undefined;
  #lastTimestamp: number | undefined;
  #lastReplayMs = -Infinity;
  #liveFromMs = Infinity;
  #dropped = 0;

  constructor(track: SubscribedTrack, sink: FrameSink, { afterTimestamp, replays }: SubscriptionStart) {
    this.#track = track;
    this.#sink = sink;
    this.#pace = sink.replayPace ?? new ReplayPace(track.clock);
    this.#lastTimestamp = afterTimestamp;
    this.#state = track.needsKeyframe ? 'waiting-for-keyframe' : 'live';
    if (!track.needsKeyframe) return;
    if (replays ?? this.#mayReplay) this.#startReplay();
    else track.requestKeyframe();
  }

  /** Frames this reader lost because it did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The newest timestamp that the reader has; undefined before the first. */
  get lastTimestamp(): number | undefined {
    return this.#lastTimestamp;
  }

  /** Media time from which on frames carry their own timestamps here: later than of those that were replayed on joining. Infinity before. */
  get liveFromMs(): number {
    return this.#liveFromMs;
  }

  /** True for a frame that carries its own timestamp here. */
  isLiveAt(mediaTimeMs: number): boolean {
    return mediaTimeMs >= this.#liveFromMs;
  }

  /**
   * The reader cannot decode (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1). Where the producer makes keyframes
   * on demand the request is passed on to it; otherwise this reader alone gets the open
   * group again: not while the last replay is still under way, nor while the reader is too slow for what it gets or would get.
   */
  requestKeyframe(): void {
    if (this.#state === 'closed' || this.#track.requestKeyframe()) return;
    if (this.#backlog.length > 0 || this.#isSlow() || !this.#mayReplay) return;
    if (this.#track.clock.now() - this.#lastReplayMs >= MIN_REPLAY_INTERVAL_MS) this.#startReplay();
  }

  /** Ends it. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#dropBacklog();
    this.#track.remove(this);
  }

  /** The track's next frame; called by the track alone. */
  deliver(frame: PacketizedFrame): void {
    if (this.#state === 'closed') return;
    const slow = this.#isSlow();
    if (this.#state === 'waiting-for-keyframe') {
      if (slow || !frame.keyframe) {
        if (this.#lastTimestamp !== undefined) this.#dropped++;
        if (!slow) this.#track.requestKeyframe();
        return;
      }
      this.#state = 'live';
    } else if (slow) {
      this.#dropped += 1 + this.#backlog.length;
      this.#dropBacklog();
      if (this.#track.needsKeyframe) this.#state = 'waiting-for-keyframe';
      return;
    }
    this.#liveFromMs = Math.min(this.#liveFromMs, frame.mediaTimeMs);
    if (this.#backlog.length > 0) this.#backlog.push(frame);
    else this.#send(frame);
  }

  /** See `Replay`, as `isOver`; called by the pace alone. */
  sendSlice(): number {
    let bytes = 0;
    let sent = 0;
    for (const frame of this.#backlog) {
      if (bytes >= REPLAY_SLICE_BYTES) break;
      this.#send(frame);
      bytes += frame.sizeBytes;
      sent++;
    }
    this.#backlog.splice(0, sent);
    return bytes;
  }

  /** See there. */
  get isOver(): boolean {
    return this.#backlog.length === 0;
  }

  /** A reader that was too slow must have caught up by half before it gets more. */
  #isSlow(): boolean {
    const maxBytes = this.#sink.maxPendingBytes ?? MAX_PENDING_BYTES;
    return this.#sink.pendingBytes > (this.#state === 'live' ? maxBytes : maxBytes / 2);
  }

  get #mayReplay(): boolean {
    return this.#track.replayBytes() <= (this.#sink.maxReplayBytes ?? Infinity);
  }

  #startReplay(): void {
    const frames = this.#track.replay(this.#lastTimestamp);
    const newest = frames.at(-1);
    if (!newest) return;
    if (newest.rtpTimestamp === this.#track.rtpTimestampAt(newest.mediaTimeMs))
      this.#liveFromMs = Math.min(this.#liveFromMs, newest.mediaTimeMs);
    this.#lastReplayMs = this.#track.clock.now();
    this.#state = 'live';
    this.#dropBacklog();
    this.#backlog = frames;
    this.#replaying = this.#pace.begin(this);
  }

  #dropBacklog(): void {
    this.#replaying?.cancel();
    this.#replaying = undefined;
    this.#backlog = [];
  }

  #send(frame: PacketizedFrame): void {
    this.#lastTimestamp = frame.rtpTimestamp;
    this.#sink.send(frame);
  }
}
