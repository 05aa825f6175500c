/** What is known of the pictures that come into a room, whoever sends them: size, rate, and the newest group. */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { ArrivalRate, BitrateMeter, keyframeProfile, OpenGroup, type EncodedFrame, type VideoCodec } from '../../media/index.js';
import { pictureSize } from '../picture-size.js';

/** What a publisher sends. */
export interface LiveFormat {
  /** `h264` or `vp8`. */
  readonly codec: VideoCodec;
  /** `profile-level-id` of H.264, as the newest keyframe says. */
  readonly h264Profile?: string | undefined;
  /** Even. */
  readonly widthPx: number;
  /** Even. */
  readonly heightPx: number;
  /** Frames per second, as they come; a guess before enough have come. */
  readonly fps: number;
  /** True where the publisher sends sound. */
  readonly hasAudio: boolean;
  /** False before the first keyframe: size and rate are guesses. */
  readonly isKnown: boolean;
}

/** The newest group of pictures, and the codec it is in. */
export interface LiveGroup {
  /** Codec of its frames. */
  readonly codec: VideoCodec;
  /** Encoded frames from a keyframe on, in order. */
  readonly frames: readonly EncodedFrame[];
}

/** Too much to begin with; asking for a keyframe is quicker. Few frames are not, however long they took. */
const MAX_REPLAY_MS = 6_000;
const FEW_FRAMES = 30;
/** What came longer ago is not the present, unless the publisher sends so seldom. */
const MAX_REPLAY_AGE_MS = 1_000;
const MAX_SIDE_PX = 4_096;
/** Before the first keyframe. */
const GUESS = { widthPx: 1280, heightPx: 720, fps: 30 } as const;
const MAX_FPS = 60;
/** Frames until their average says the rate. */
const FRAMES_FOR_RATE = 10;
const WARNING_PERIOD_MS = 1_000;

/** The video of one room, or one layer of it. */
export class LiveVideo {
  readonly #init: { readonly room: string; readonly clock: Clock; readonly logger: Logger };
  readonly #group = OpenGroup.ofEncoded();
  /** What the group is of. */
  #groupCodec: VideoCodec = 'h264';
  #groupOf: object | undefined;
  #keyframeAtMs = -Infinity;
  #format: LiveFormat = { codec: 'h264', ...GUESS, hasAudio: false, isKnown: false };
  #newestTimeMs: number | undefined;
  #newestAtMs = -Infinity;
  #intervalMs = 0;
  #intervals = 0;
  readonly #rate = new ArrivalRate();
  readonly #meter = new BitrateMeter();
  /** Whether the newest keyframe can be used. */
  #isUsable = true;
  #refusedAtMs = -Infinity;

  constructor(init: { readonly room: string; readonly clock: Clock; readonly logger: Logger }) {
    this.#init = init;
  }

  /** What comes, as far as it is known. */
  get format(): LiveFormat {
    return { ...this.#format, fps: this.fps ?? GUESS.fps };
  }

  /** As measured; undefined while too few frames have come. */
  get fps(): number | undefined {
    return this.#intervals < FRAMES_FOR_RATE ? undefined : Math.min(MAX_FPS, Math.max(1, Math.round(1000 / this.#intervalMs)));
  }

  /** False before the first keyframe. */
  get isKnown(): boolean {
    return this.#format.isKnown;
  }

  /** Pixels of a frame. */
  get area(): number {
    return this.#format.widthPx * this.#format.heightPx;
  }

  /** Between two frames on average, ms; 0 before it is known. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Payload bits a second; undefined in the first seconds. */
  get bitrateBps(): number | undefined {
    return this.#meter.bitrateBps;
  }

  /** When the newest frame came, by the monotonic clock. */
  get newestAtMs(): number {
    return this.#newestAtMs;
  }

  /** Whoever sent it; undefined before the first keyframe. */
  get lastGroup(): LiveGroup | undefined {
    return this.#groupOf && { codec: this.#groupCodec, frames: this.#group.frames };
  }

  /** For how long no picture may come before something else is shown, ms. */
  get silentAfterMs(): number {
    return this.#rate.silentAfterMs(this.#init.clock.now());
  }

  /** Since the newest keyframe came. */
  get keyframeAgeMs(): number {
    return this.#init.clock.now() - this.#keyframeAtMs;
  }

  /** The group of that publication where it is of the present, and short enough to begin with it; else empty. */
  openGroupOf(publication: object | undefined): readonly EncodedFrame[] {
    const { frames } = this.#group;
    const [first, last] = [frames[0], frames.at(-1)];
    const ageMs = this.#init.clock.now() - this.#newestAtMs;
    const isPresent =
      this.#groupOf === publication && (ageMs <= MAX_REPLAY_AGE_MS || (this.#rate.isKnown && ageMs < this.silentAfterMs - 1_000));
    return first && last && isPresent && (last.mediaTimeMs - first.mediaTimeMs <= MAX_REPLAY_MS || frames.length <= FEW_FRAMES)
      ? frames
      : [];
  }

  /** What follows is of another publication. @param codec undefined: sound alone */
  begin(codec: VideoCodec | undefined, hasAudio: boolean): void {
    this.#format = { ...this.#format, codec: codec ?? this.#format.codec, h264Profile: undefined, hasAudio, isKnown: false };
    this.#newestTimeMs = undefined;
    this.#intervals = 0;
    this.#isUsable = true;
    this.#rate.reset();
  }

  /** Takes the next frame. False for a keyframe that cannot be used, and for what follows it. */
  take(publication: object, codec: VideoCodec, frame: EncodedFrame): boolean {
    if (frame.keyframe) this.#isUsable = this.#readSize(codec, frame);
    if (!this.#isUsable) return false;
    const nowMs = this.#init.clock.now();
    if (frame.keyframe) {
      this.#groupOf = publication;
      this.#groupCodec = codec;
      this.#keyframeAtMs = nowMs;
    }
    if (this.#groupOf === publication) this.#group.push(frame);
    this.#measure(frame.mediaTimeMs);
    this.#rate.arrived(frame.mediaTimeMs, nowMs);
    this.#meter.add(frame.data.length, nowMs);
    this.#newestAtMs = nowMs;
    return true;
  }

  /** Lets the group go. */
  clear(): void {
    this.#group.clear();
  }

  /** False where the size is none that can be served. */
  #readSize(codec: VideoCodec, frame: EncodedFrame): boolean {
    const { room, clock, logger } = this.#init;
    const size = pictureSize(codec, frame);
    const isUsable = size !== undefined && size.widthPx >= 2 && size.heightPx >= 2 && Math.max(size.widthPx, size.heightPx) <= MAX_SIDE_PX;
    if (isUsable) {
      this.#format = {
        ...this.#format,
        h264Profile: codec === 'h264' ? keyframeProfile(frame.data) : undefined,
        widthPx: size.widthPx & ~1,
        heightPx: size.heightPx & ~1,
        isKnown: true,
      };
      return true;
    }
    const nowMs = clock.now();
    if (nowMs - this.#refusedAtMs >= WARNING_PERIOD_MS) {
      this.#refusedAtMs = nowMs;
      logger.warn(
        { sourceId: room, codec, ...size, bytes: frame.data.length },
        `keyframe of a publisher cannot be used: its size is not 2 to ${MAX_SIDE_PX} pixels a side, or cannot be read`,
      );
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
}
