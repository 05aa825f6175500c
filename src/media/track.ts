/**
 * One encoded rendition of a source: written once, read by many. Each frame is packetized once; the payloads
 * are immutable and shared. The track only reports demand and passes keyframe requests on; who produces it decides.
 */
import type { Clock } from '../base/clock.js';
import { EndListeners } from '../base/listeners.js';
import { silentLogger, type Logger } from '../base/logger.js';
import { PAIRING_TOLERANCE_TICKS } from './detection-message.js';
import { clockRateHz, type Codec, type EncodedFrame } from './encoded-frame.js';
import type { EndReason } from './end-reason.js';
import { Gop } from './gop.js';
import type { FrameSink, PacketizedFrame } from './packetized-frame.js';
import { packetize } from './packetizer.js';
import { Subscription, type SubscribedTrack } from './subscription.js';
import type { Timeline } from './timeline.js';

/** A frame that is sent with another's timestamp keeps so far from every true one that no message pairs with it. */
const CLEAR_TICKS = PAIRING_TOLERANCE_TICKS + 1;
/** Ticks between replayed frames on join. */
const REPLAY_STEP_TICKS = 100;

/** What a track carries. */
export interface TrackInit {
  /** For logs and statistics: `street/raw/h264`. */
  readonly name: string;
  /** What its frames are. */
  readonly codec: Codec;
  /** The source's. */
  readonly timeline: Timeline;
  readonly clock: Clock;
  /** Is told of listeners that throw. Default: nobody is. */
  readonly logger?: Logger;
  /**
   * A reader needs a keyframe: called as often as one asks, merged by whoever asks the producer (`KeyframeRequests`).
   * False when the producer makes none on demand (a copied file). Default: it makes none.
   */
  readonly onKeyframeRequest?: () => boolean;
}

/** What went through a track since it was opened. */
export interface TrackStats {
  /** Frames written so far. */
  readonly frames: number;
  /** Keyframes among them. */
  readonly keyframes: number;
  /** Bytes of their payloads. */
  readonly bytes: number;
  /** RTP payloads that they became. */
  readonly packets: number;
  /** Over the last seconds. 0 before the second frame. */
  readonly fps: number;
  /** Payload bits a second over the last seconds. */
  readonly bitrateBps: number;
  /** Between the last two keyframes; undefined before the second. */
  readonly keyframeIntervalMs: number | undefined;
}

/** How frames of a track are tied to those of its source: each has the media time of the very frame that shows the same, or that of the nearest one. */
export type FramePairing = 'exact' | 'nearest';

/** One encoded rendition of a source, or its sound. */
export class Track {
  /** For the log: `street/raw/h264`. */
  readonly name: string;
  /** What its frames are. */
  readonly codec: Codec;
  /** Maps its media time to wall-clock time. */
  readonly timeline: Timeline;
  /** How its frames are tied to those of the source now; whoever writes it says so. Default `exact`. */
  pairing: FramePairing = 'exact';
  readonly #clock: Clock;
  readonly #clockRateHz: number;
  readonly #gop = new Gop();
  readonly #subscriptions = new Set<Subscription>();
  readonly #taps = new Set<(frame: EncodedFrame) => void>();
  readonly #subscribed: SubscribedTrack;
  readonly #meter = new RateMeter();
  readonly #ending: EndListeners<EndReason>;
  #lastFrame: PacketizedFrame | undefined;
  #frameIntervalTicks = 3000;
  #lastKeyframeMediaTimeMs: number | undefined;
  #keyframeIntervalMs: number | undefined;
  #frames = 0;
  #keyframes = 0;
  #bytes = 0;
  #packets = 0;

  constructor(init: TrackInit) {
    this.name = init.name;
    this.codec = init.codec;
    this.timeline = init.timeline;
    this.#clock = init.clock;
    this.#ending = new EndListeners(init.logger ?? silentLogger, `track ${init.name}`);
    this.#clockRateHz = clockRateHz(init.codec);
    this.#subscribed = {
      needsKeyframe: init.codec !== 'opus',
      requestKeyframe: init.onKeyframeRequest ?? (() => false),
      replayBytes: () => this.replayBytes,
      replay: (afterTimestamp) => this.#replay(afterTimestamp),
      rtpTimestampAt: (mediaTimeMs) => this.rtpTimestampAt(mediaTimeMs),
      remove: (subscription) => void this.#subscriptions.delete(subscription),
      clock: init.clock,
    };
  }

  /** Subscriptions that are open. */
  get viewers(): number {
    return this.#subscriptions.size;
  }

  /** True once a frame has been written. */
  get hasMedia(): boolean {
    return this.#lastFrame !== undefined;
  }

  /** Of the newest frame; -Infinity before the first. */
  get lastMediaTimeMs(): number {
    return this.#lastFrame?.mediaTimeMs ?? -Infinity;
  }

  /** Of the open group of pictures, which a replay would send; 0 where there is none to replay. */
  get replayBytes(): number {
    return this.#gop.sizeBytes;
  }

  /** Counts so far, and rates of the last seconds. */
  get stats(): TrackStats {
    return {
      frames: this.#frames,
      keyframes: this.#keyframes,
      bytes: this.#bytes,
      packets: this.#packets,
      ...this.#meter.read(this.#clock.now()),
      keyframeIntervalMs: this.#keyframeIntervalMs,
    };
  }

  /** Hands the next frame to every subscription. Never waits. Ignored after `close`. */
  write(frame: EncodedFrame): void {
    if (this.#ending.reason !== undefined) return;
    for (const tap of this.#taps) tap(frame);
    const payloads = packetize(this.codec, frame.data);
    if (payloads.length === 0) return;
    const packetized: PacketizedFrame = {
      codec: this.codec,
      payloads,
      rtpTimestamp: this.rtpTimestampAt(frame.mediaTimeMs),
      mediaTimeMs: frame.mediaTimeMs,
      capturedAtMs: this.#capturedAt(frame.mediaTimeMs),
      keyframe: frame.keyframe,
      sizeBytes: payloads.reduce((sum, payload) => sum + payload.length, 0),
    };
    this.#count(packetized);
    if (this.codec !== 'opus') this.#gop.push(packetized);
    for (const subscription of this.#subscriptions) subscription.deliver(packetized);
  }

  /**
   * Starts a reader: the open group of pictures first, then live; or with the next keyframe, which is asked for. Close the
   * subscription to stop.
   * @param afterTimestamp the newest timestamp that the reader has of an earlier subscription; all others lie after it.
   * @param replays the open group first. Default: where that is not too much for the reader (`maxReplayBytes`).
   */
  subscribe(sink: FrameSink, afterTimestamp?: number, replays?: boolean): Subscription {
    const subscription = new Subscription(this.#subscribed, sink, { afterTimestamp, replays });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Hands each frame as it was written, from now on, to somebody who keeps it instead of sending it: he is no viewer. `tap` must
   * neither wait nor throw. Call the returned function to stop.
   */
  tap(tap: (frame: EncodedFrame) => void): () => void {
    this.#taps.add(tap);
    return () => void this.#taps.delete(tap);
  }

  /** Ends the track for all its readers. Idempotent. */
  close(reason: EndReason): void {
    if (this.#ending.reason !== undefined) return;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#taps.clear();
    this.#gop.clear();
    this.#ending.end(reason);
  }

  /**
   * Calls `listener` once, when the track ends; at once where it has. Call the returned function to stop listening:
   * a track may outlive its readers by days, and must not hold them.
   */
  onClosed(listener: (reason: EndReason) => void): () => void {
    return this.#ending.onEnded(listener);
  }

  /** The track's RTP timestamp (unsigned, 32 bit) of a media time. */
  rtpTimestampAt(mediaTimeMs: number): number {
    return (Math.round((mediaTimeMs * this.#clockRateHz) / 1000) % 2 ** 32) >>> 0;
  }

  /**
   * A newcomer's replay ends at the newest frame's own timestamp. One for a reader that already has timestamps must
   * lie after them: up to the newest frame where there is room (a stream that flows again), else squeezed into the
   * gap before the next frame.
   */
  #replay(afterTimestamp: number | undefined): PacketizedFrame[] {
    const live = this.#lastFrame?.rtpTimestamp;
    const count = this.#gop.frames.length;
    if (live === undefined || count === 0) return [];
    if (afterTimestamp === undefined) return this.#gop.restamped(live, REPLAY_STEP_TICKS);
    return this.#replayUpTo(live, afterTimestamp) ?? this.#replayAfter(live, afterTimestamp);
  }

  /** Between what the reader has and the newest frame, which ends it; undefined where there is no room. */
  #replayUpTo(live: number, afterTimestamp: number): PacketizedFrame[] | undefined {
    const steps = this.#gop.frames.length - 2;
    const room = ticksFrom(afterTimestamp, live) - 2 * CLEAR_TICKS;
    const step = steps > 0 ? Math.min(REPLAY_STEP_TICKS, Math.floor(room / steps)) : CLEAR_TICKS;
    if (room < 0 || step < 1) return undefined;
    const before = this.#gop.restamped(live - CLEAR_TICKS + step, step).slice(0, -1);
    return [...before, ...this.#gop.frames.slice(-1)];
  }

  /** Between the newest frame and the next one: the last of these repeats the newest. */
  #replayAfter(live: number, afterTimestamp: number): PacketizedFrame[] {
    const count = this.#gop.frames.length;
    const begin = Math.max(CLEAR_TICKS, ticksFrom(live, afterTimestamp) + 1);
    const end = Math.floor(this.#frameIntervalTicks * 0.9) - CLEAR_TICKS;
    if (end < begin) return [];
    const step = Math.min(REPLAY_STEP_TICKS, Math.floor((end - begin) / count));
    return step < 1 ? [] : this.#gop.restamped(live + begin + step * (count - 1), step);
  }

  /** Not in the future: a file is read a little ahead of the clock that its media time is tied to. */
  #capturedAt(mediaTimeMs: number): number | undefined {
    const capturedAtMs = this.timeline.capturedAt(mediaTimeMs);
    return capturedAtMs === undefined ? undefined : Math.min(capturedAtMs, this.#clock.wallClock());
  }

  #count(frame: PacketizedFrame): void {
    const last = this.#lastFrame;
    if (last) {
      const step = (frame.rtpTimestamp - last.rtpTimestamp) >>> 0;
      if (step > 0 && step < this.#clockRateHz) this.#frameIntervalTicks = step;
    }
    this.#lastFrame = frame;
    this.#frames++;
    this.#bytes += frame.sizeBytes;
    this.#packets += frame.payloads.length;
    this.#meter.add(this.#clock.now(), frame.sizeBytes);
    if (frame.keyframe && this.codec !== 'opus') {
      this.#keyframes++;
      if (this.#lastKeyframeMediaTimeMs !== undefined) this.#keyframeIntervalMs = frame.mediaTimeMs - this.#lastKeyframeMediaTimeMs;
      this.#lastKeyframeMediaTimeMs = frame.mediaTimeMs;
    }
  }
}

/** Signed distance of 32-bit timestamps. */
function ticksFrom(from: number, to: number): number {
  return (to - from) | 0;
}

/** Frames and bits a second over the last two to four seconds. */
class RateMeter {
  #windowStartMs: number | undefined;
  #frames = 0;
  #bytes = 0;
  #fps = 0;
  #bitrateBps = 0;

  add(nowMs: number, bytes: number): void {
    this.#windowStartMs ??= nowMs;
    this.#roll(nowMs);
    this.#frames++;
    this.#bytes += bytes;
  }

  read(nowMs: number): { fps: number; bitrateBps: number } {
    this.#roll(nowMs);
    return { fps: this.#fps, bitrateBps: this.#bitrateBps };
  }

  #roll(nowMs: number): void {
    if (this.#windowStartMs === undefined) return;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < 2000) return;
    this.#fps = (this.#frames * 1000) / elapsedMs;
    this.#bitrateBps = (this.#bytes * 8000) / elapsedMs;
    this.#frames = 0;
    this.#bytes = 0;
    this.#windowStartMs = nowMs;
  }
}
