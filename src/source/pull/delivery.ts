/** What a camera sends, put on the source's timeline and handed on; and a slate for as long as nothing comes. */
import type { CopiedFrame } from '../../ffmpeg/index.js';
import { ArrivalRate, FramePool, i420Size, OpenGroup, type EncodedFrame, type Timeline } from '../../media/index.js';
import { ArrivalClock } from './arrival-clock.js';
import { CopyWatch } from './copy-watch.js';
import type { RunSink } from '../media-run.js';
import { PictureSlate, type Caption } from '../picture-slate.js';
import type { PullPlan } from './plan.js';
import { Slate } from '../slate.js';
import { SlateSwitch } from '../slate-switch.js';
import { SoundClock } from './sound-clock.js';
import type { FeedOptions, FeedSink } from '../source.js';

/** Sound that belongs so much before what was delivered is left out; less is jitter. */
const MAX_SOUND_BACK_MS = 20;
/** How old the picture of the slate may be. A copy of each would cost more than the slate is worth. */
const KEEP_PERIOD_MS = 1_000;

/** Where a camera's frames go, and what is done to them. */
export interface PullDeliveryInit {
  /** Id of the source. */
  readonly name: string;
  /** What is done to the video. */
  readonly plan: PullPlan;
  /** The time of the source, over all connections to the camera. */
  readonly timeline: Timeline;
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** Gets frames, packets of sound and pictures. */
  readonly sink: FeedSink;
  /** Programs, time and bookkeeping. */
  readonly deps: FeedOptions;
  /** Of the camera; outlives the delivery. */
  readonly rate: ArrivalRate;
  /** A picture came. */
  readonly onFrame: () => void;
  /** A picture of that media time was handed on. */
  readonly onDelivered: (mediaTimeMs: number) => void;
  /** It turned out that it cannot be copied; the frame is not handed on. */
  readonly onRefusal: (reason: string) => void;
}

/** What viewers of a camera get, over all connections to it. */
export class PullDelivery implements RunSink {
  /** Buffers of decoded frames. */
  readonly pool: FramePool;
  readonly #init: PullDeliveryInit;
  readonly #slate: SlateSwitch<{ close(): Promise<void> }>;
  /** Media time minus monotonic time. */
  readonly #originMs: number;
  readonly #group = OpenGroup.ofEncoded();
  #copyWatch = new CopyWatch();
  #videoClock: ArrivalClock;
  #soundClock: SoundClock;
  #lastVideoMs: number;
  #lastAudioMs: number;
  #needsKeyframe = true;
  #keptAtMs = -Infinity;
  #kept: Buffer | undefined;
  #isClosed = false;

  constructor(init: PullDeliveryInit) {
    this.#init = init;
    const { timeline, plan, deps } = init;
    const { clock } = deps;
    this.pool = new FramePool(i420Size(plan.widthPx, plan.heightPx));
    timeline.anchor(0, clock.wallClock());
    this.#originMs = Math.max(timeline.mediaTimeAt(clock.wallClock()) ?? 0, timeline.newestMs) - clock.now();
    this.#lastVideoMs = this.#lastAudioMs = timeline.newestMs;
    this.#videoClock = new ArrivalClock(this.#lastVideoMs);
    this.#soundClock = new SoundClock(this.#videoClock, new ArrivalClock(this.#lastAudioMs));
    this.#slate = new SlateSwitch({ clock, silentAfterMs: () => init.rate.silentAfterMs(clock.now()), open: () => this.#openSlate() });
    init.rate.interrupt();
  }

  /** Whether the slate is shown. */
  get isWaiting(): boolean {
    return this.#slate.shown !== undefined;
  }

  /** Media time of what is captured now. */
  get nowMs(): number {
    return this.#originMs + this.#init.deps.clock.now();
  }

  /** What follows is from another connection, with stamps of its own. */
  beginRun(): void {
    this.#init.rate.interrupt();
    this.#videoClock = new ArrivalClock(this.#lastVideoMs);
    this.#soundClock = new SoundClock(this.#videoClock, new ArrivalClock(this.#lastAudioMs));
    this.#copyWatch = new CopyWatch();
    this.#needsKeyframe = true;
  }

  /** Nothing is handed on any more. Resolves when nothing of it runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#slate.close();
  }

  video(frame: CopiedFrame): void {
    if (this.#isClosed) return;
    const refusal = this.#copyWatch.refusal(frame, this.#init.deps.clock.now());
    if (refusal !== undefined) return this.#init.onRefusal(refusal);
    if (this.#needsKeyframe && !frame.keyframe) return;
    this.#needsKeyframe = false;
    this.#cameBack(frame.mediaTimeMs);
    this.#deliverEncoded({ data: frame.data, mediaTimeMs: this.#videoTime(frame.mediaTimeMs), keyframe: frame.keyframe });
  }

  picture(data: Buffer, stampMs: number): void {
    if (this.#isClosed) return this.pool.give(data);
    this.#cameBack(stampMs);
    const mediaTimeMs = this.#videoTime(stampMs);
    this.#delivered(mediaTimeMs);
    const { widthPx, heightPx } = this.#init.plan;
    const now = this.#init.deps.clock.now();
    if (now - this.#keptAtMs >= KEEP_PERIOD_MS) {
      this.#keptAtMs = now;
      this.#kept ??= Buffer.allocUnsafeSlow(data.length);
      data.copy(this.#kept);
    }
    const picture = this.pool.frame({ data, widthPx, heightPx, mediaTimeMs, colour: this.#init.plan.colour.delivered });
    this.#init.sink.picture(picture);
    picture.release();
  }

  audio(packet: EncodedFrame): void {
    if (this.#isClosed) return;
    const placedMs = this.#soundClock.at(packet.mediaTimeMs, this.nowMs);
    if (placedMs < this.#lastAudioMs - MAX_SOUND_BACK_MS) return;
    const mediaTimeMs = (this.#lastAudioMs = Math.max(placedMs, this.#lastAudioMs + 1));
    this.#init.timeline.delivered(mediaTimeMs);
    this.#init.sink.audio({ data: packet.data, mediaTimeMs, keyframe: true });
  }

  #videoTime(stampMs: number): number {
    // The slate's pictures lie on the timeline, too.
    const nowMs = this.nowMs;
    const placedMs = this.#videoClock.at(stampMs, nowMs);
    this.#soundClock.pictureLag(nowMs - placedMs);
    return Math.max(placedMs, this.#lastVideoMs + 2);
  }

  #deliverEncoded(frame: EncodedFrame): void {
    this.#delivered(frame.mediaTimeMs);
    this.#group.push(frame);
    this.#init.sink.encodedVideo(frame);
  }

  #delivered(mediaTimeMs: number): void {
    this.#lastVideoMs = mediaTimeMs;
    this.#init.timeline.delivered(mediaTimeMs);
    this.#init.onDelivered(mediaTimeMs);
  }

  #cameBack(stampMs: number): void {
    this.#init.rate.arrived(stampMs, this.#init.deps.clock.now());
    this.#slate.heard();
    this.#init.onFrame();
    if (this.#slate.hide()) this.#init.sink.waiting?.(false);
  }

  #openSlate(): { close(): Promise<void> } {
    this.#init.deps.logger.info({ sourceId: this.#init.name }, 'camera sends nothing; the slate is shown');
    this.#init.sink.waiting?.(true);
    return this.#init.plan.delivery === 'passthrough' ? this.#encodedSlate() : this.#pictureSlate();
  }

  #encodedSlate(): Slate {
    const { name, plan, caption, deps } = this.#init;
    return new Slate({
      owner: name,
      format: { codec: plan.copiedCodec, ...(plan.copiedSize ?? plan) },
      group: { codec: plan.copiedCodec, frames: this.#group.frames },
      caption,
      mediaTime: () => this.nowMs,
      onFrame: (frame) => {
        if (frame.mediaTimeMs <= this.#lastVideoMs) return;
        this.#delivered(frame.mediaTimeMs);
        this.#init.sink.encodedVideo(frame);
      },
      deps,
    });
  }

  #pictureSlate(): PictureSlate {
    const { name, plan, caption, deps } = this.#init;
    const last = this.#kept;
    this.#kept = undefined;
    this.#keptAtMs = -Infinity;
    return new PictureSlate({
      widthPx: plan.widthPx,
      heightPx: plan.heightPx,
      colour: plan.colour.delivered,
      last,
      caption,
      clock: deps.clock,
      mediaTime: () => this.nowMs,
      onPicture: (picture) => {
        if (picture.mediaTimeMs > this.#lastVideoMs) {
          this.#delivered(picture.mediaTimeMs);
          this.#init.sink.picture(picture);
        }
        picture.release();
      },
      onError: (error) => deps.logger.error({ sourceId: name, err: error }, 'slate has no text'),
    });
  }
}
