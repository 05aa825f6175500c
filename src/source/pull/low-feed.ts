/** One connection to the second stream of a camera: its frames, with the media times of the nearest frames of the first one. */
import { messageOf } from '../../base/errors.js';
import { inWords, type CopiedFrame } from '../../ffmpeg/index.js';
import { ArrivalRate, FramePool, i420Size, type EncodedFrame } from '../../media/index.js';
import type { LayerFeed } from '../layer.js';
import type { MediaRun } from '../media-run.js';
import { pictureSize } from '../picture-size.js';
import type { FeedOptions } from '../source.js';
import { ArrivalClock } from './arrival-clock.js';
import { CopyWatch } from './copy-watch.js';
import type { LowKnowledge, LowStream } from './low-stream.js';
import { NearestFrames } from './nearest-frames.js';
import { openPullRun } from './run.js';

/** What is read, and where it goes. */
export interface LowFeedInit {
  /** Id of the source. */
  readonly name: string;
  /** What is told of its end. */
  readonly low: LowStream;
  /** What it was found to send. */
  readonly known: LowKnowledge;
  /** Programs, time and bookkeeping. */
  readonly deps: FeedOptions;
  /** Media time of what is captured now. */
  readonly nowMs: () => number;
  /** Takes each frame, at ascending times. */
  readonly onFrame: (frame: EncodedFrame) => void;
}

/** One connection. */
export class LowFeed implements LayerFeed {
  readonly closed: Promise<void>;
  readonly #init: LowFeedInit;
  readonly #clock = new ArrivalClock();
  readonly #watch = new CopyWatch();
  readonly #rate = new ArrivalRate();
  readonly #nearest: NearestFrames;
  readonly #startedMs: number;
  #run: MediaRun | undefined;
  #needsKeyframe = true;
  #isClosed = false;

  constructor(init: LowFeedInit) {
    this.#init = init;
    this.#startedMs = init.deps.clock.now();
    this.#nearest = new NearestFrames(init.deps.clock, init.onFrame);
    this.closed = this.#live();
  }

  /** A picture of the first stream was handed on. */
  first(mediaTimeMs: number): void {
    this.#nearest.first(mediaTimeMs);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    // Its end is awaited by `closed`; it never rejects.
    void this.#run?.close();
    return this.closed;
  }

  async #live(): Promise<void> {
    const { name, low, known, deps } = this.#init;
    try {
      const pool = new FramePool(i420Size(known.plan.widthPx, known.plan.heightPx));
      this.#run = await openPullRun(
        {
          owner: `second stream of ${name}`,
          input: low.input,
          plan: known.plan,
          pool,
          isPatient: false,
          isMute: true,
          deadAfterMs: () => this.#rate.deadAfterMs(deps.clock.now()),
        },
        deps,
        { video: (frame) => this.#video(frame), picture: (data) => pool.give(data), audio: () => undefined },
      );
      if (this.#isClosed) void this.#run.close();
      const { error } = await this.#run.closed;
      this.#ended(error ? inWords(error.message) : 'the camera closed the connection');
    } catch (error) {
      this.#ended(messageOf(error));
    } finally {
      this.#nearest.close();
    }
  }

  #ended(reason: string): void {
    if (!this.#isClosed) this.#failed(reason);
    this.#isClosed = true;
  }

  #video({ data, keyframe, ...frame }: CopiedFrame): void {
    if (this.#isClosed) return;
    const { low, nowMs, deps } = this.#init;
    const refusal = this.#watch.refusal({ data, keyframe, ...frame }, deps.clock.now());
    if (refusal !== undefined) return this.#giveUp(() => low.refuse(refusal));
    if (keyframe && !this.#isAsKnown(data, keyframe)) return this.#giveUp(() => this.#failed('it sends another size now'));
    if (this.#needsKeyframe && !keyframe) return;
    this.#needsKeyframe = false;
    this.#rate.arrived(frame.mediaTimeMs, deps.clock.now());
    low.meter.add(data.length, deps.clock.now());
    const aboutMs = this.#clock.at(frame.mediaTimeMs, nowMs());
    this.#nearest.second({ data, keyframe, mediaTimeMs: aboutMs }, aboutMs);
  }

  #failed(reason: string): void {
    const { low, deps } = this.#init;
    low.failed(reason, deps.clock.now() - this.#startedMs);
  }

  #giveUp(tell: () => void): void {
    tell();
    void this.close();
  }

  #isAsKnown(data: Buffer, keyframe: boolean): boolean {
    const { known } = this.#init;
    const size = pictureSize('h264', { data, keyframe, mediaTimeMs: 0 });
    return size === undefined || (size.widthPx === known.widthPx && size.heightPx === known.heightPx);
  }
}
