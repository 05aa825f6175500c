/**
 * One way through a recording: from the keyframe before a time to the frame of that time as fast as it can be sent, then on in the
 * pace of the playback. Ends where it is left for another place. Reads a little ahead, and no more.
 */
import { delay, type Clock, type Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import {
  DetectionsThen,
  type RecordedFrame,
  type RecordedGroup,
  type RecordedSegment,
  type RecordingArchive,
  type SeenThen,
} from '../../recording/index.js';
import type { FeedSink, FrameUse } from '../source.js';
import { Pace } from './pace.js';
import { PassageQueue, type QueuedVideo } from './passage-queue.js';
import { recordedFrames, type RecordedItem } from './recorded-frames.js';
import type { PlaybackStamps } from './stamps.js';

/** Where a passage delivers, and how. */
export interface PassageOutput {
  /** Takes the frames. */
  readonly sink: FeedSink;
  /** Their media times. */
  readonly stamps: PlaybackStamps;
  /** Somebody wants to know what was seen. */
  readonly isSeenWanted: () => boolean;
  /** Told of each frame before it is delivered. */
  readonly onFrame?: (mediaTimeMs: number, wallMs: number) => void;
  /** Whether frames of a segment can be delivered as these are. */
  readonly fits: (segment: RecordedSegment) => boolean;
}

/** A frame that is shown. */
export interface ShownFrame {
  /** When it was captured, UTC in ms. */
  readonly wallMs: number;
  /** When it is shown. */
  readonly mediaTimeMs: number;
  /** That it is of. */
  readonly segment: RecordedSegment;
}

/** What a passage tells. */
interface PassageListener {
  /** A frame is shown. */
  onShown(shown: ShownFrame): void;
  /** It goes on behind a stretch without frames. */
  onGap(toMs: number, reason: string | undefined): void;
  /** The next frame is of another format than the output takes. */
  onFormat(segment: RecordedSegment, wallMs: number): void;
  /** Nothing more is written yet, or (true) ever will be. */
  onDry(isEnd: boolean): void;
}

/** What is passed through. */
export interface PassageInit extends PassageListener {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** Whose recording it is. */
  readonly sourceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The frame that is shown first: the last one at or before. */
  readonly targetMs: number;
  /** The group that holds it, where that is known. */
  readonly group?: RecordedGroup | undefined;
  /** Where it delivers. */
  readonly output: PassageOutput;
  /** See `Pace`. */
  readonly speed: number;
  /** Goes on from the first frame at once. */
  readonly isRunning: boolean;
}

/** What leads to the first frame leaves in such slices: a burst overflows receivers. */
const SLICE_BYTES = 32 * 1024;
const SLICE_MS = 3;
/** About as many frames a second lead to another. */
const USUAL_FPS = 30;
/** So much faster, viewers who decode for themselves get keyframes alone. */
export const FASTEST_WHOLE = 2;
/** A frame that leads to another takes a viewer so long. */
const DECODING_MS = 1.5;
/** Browsers call a picture frozen that stands for 150 ms more than others. */
const MAX_HOLD_MS = 100;
/** From the first packet to a browser's first picture. */
const JOINING_MS = 50;
const TARGET_ROUNDING_MS = 0.5;

/** One way through a recording. */
export class Passage {
  readonly #init: PassageInit;
  readonly #abort = new AbortController();
  readonly #pace: Pace;
  readonly #queue = new PassageQueue();
  readonly #seen: DetectionsThen;
  readonly #ahead: Promise<unknown> | undefined;
  #targetMs: number;
  /** The newest frame that is not later than the target, while the first one has not been shown. */
  #held: QueuedVideo | undefined;
  #isLeading = true;
  #ledBytes = 0;
  /** Frames that led to the first one. */
  #led = 0;
  #hasLed = false;
  #steps = 0;
  #onStepped: (() => void) | undefined;
  #isRead = false;
  #isAtTail = false;
  #fastFrames = 0;
  #timer: Timer | undefined;

  /** Begins at once. */
  constructor(init: PassageInit) {
    this.#init = init;
    this.#targetMs = init.targetMs;
    this.#pace = new Pace(init.output.stamps, init.speed, init.isRunning);
    this.#seen = new DetectionsThen(init, this.#abort.signal);
    // Beside the frames that lead there.
    this.#ahead = init.group && init.output.isSeenWanted() ? this.#seen.at(init.targetMs, init.group.segment.run) : undefined;
    void this.#read();
  }

  /** How fast, and whether at all; takes effect at once. */
  set(change: { readonly speed?: number; readonly isRunning?: boolean }): void {
    this.#pace.set(change);
    this.#pump();
  }

  /** Goes on from the first frame, which its viewer gets only now. */
  begin(): void {
    this.#pace.set({ isRunning: true });
    if (!this.#isLeading) this.#pace.rebase(this.#pace.wallMs, this.#holdMs + JOINING_MS);
    this.#pump();
  }

  get #holdMs(): number {
    return Math.min(MAX_HOLD_MS, this.#led * DECODING_MS);
  }

  /** Shows the frame after so many; resolves when it is there, or when there are not so many. */
  step(frames: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onStepped?.();
      this.#steps = frames;
      this.#onStepped = resolve;
      this.#pump();
    });
  }

  /** What was seen in the frame that is shown, which is of that segment. */
  seenAt(wallMs: number, { run }: RecordedSegment): Promise<SeenThen> {
    const { archive, sourceId, logger } = this.#init;
    const then = new DetectionsThen({ archive, sourceId, logger }, this.#abort.signal);
    return then.at(wallMs, run).finally(() => then.close());
  }

  /** Nothing more comes of it. Idempotent. */
  close(): void {
    this.#abort.abort();
    this.#timer?.cancel();
    this.#queue.close();
    this.#onStepped?.();
    // Never rejects.
    void this.#seen.close().catch(() => undefined);
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    try {
      for await (const item of recordedFrames(this.#init, this.#targetMs, signal, this.#init.group)) {
        await this.#take(item);
        if (signal.aborted) return;
        this.#pump();
        await this.#queue.room(this.#pace.speed);
      }
      await this.#finishLead();
    } catch (error) {
      this.#init.logger.error({ sourceId: this.#init.sourceId, err: error }, 'a recording cannot be read');
    }
    if (signal.aborted) return;
    this.#isRead = true;
    this.#pump();
  }

  async #take(item: RecordedItem): Promise<void> {
    this.#isAtTail = item.kind === 'tail';
    if (item.kind === 'tail') return this.#finishLead();
    if (item.kind === 'gap') return this.#takeGap(item.toMs, item.reason);
    const { frame, segment } = item;
    if (frame.kind === 'audio') return this.#takeSound(frame);
    const video = { kind: 'video', frame, segment, seen: undefined } as const;
    if (this.#isLeading && frame.wallMs <= this.#targetMs + TARGET_ROUNDING_MS) return this.#lead(video);
    await this.#finishLead();
    const seen = await this.#seenIn(video);
    if (this.#isLeading) this.#showFirst({ ...video, seen });
    else this.#queue.add({ ...video, seen });
  }

  #takeSound(frame: RecordedFrame): void {
    if (!this.#isLeading || frame.wallMs >= this.#targetMs) this.#queue.add({ kind: 'audio', frame });
  }

  async #takeGap(toMs: number, reason: string | undefined): Promise<void> {
    await this.#finishLead();
    if (!this.#isLeading) return this.#queue.add({ kind: 'gap', toMs, reason });
    // There is nothing of the time that is wanted: what comes next is.
    this.#targetMs = toMs;
    this.#init.onGap(toMs, reason);
  }

  async #lead(next: QueuedVideo): Promise<void> {
    const { stamps, fits } = this.#init.output;
    if (!fits(next.segment)) return this.#leave(next);
    const before = this.#held;
    this.#held = next;
    if (!before) return stamps.beginLead(((this.#targetMs - next.frame.wallMs) * USUAL_FPS) / 1000);
    this.#deliver(before, stamps.lead(), { isShown: false });
    this.#hasLed = true;
    this.#led++;
    this.#ledBytes += before.frame.frame.data.length;
    if (this.#ledBytes < SLICE_BYTES) return;
    this.#ledBytes = 0;
    await delay(this.#init.clock, SLICE_MS, this.#abort.signal);
  }

  async #finishLead(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#showFirst({ ...held, seen: await this.#seenIn(held) });
  }

  #showFirst(video: QueuedVideo): void {
    if (this.#abort.signal.aborted) return;
    if (!this.#init.output.fits(video.segment)) return this.#leave(video);
    this.#isLeading = false;
    this.#show(video, this.#init.output.stamps.nowMs, true);
    // What led to it has to be decoded first: without that time the next frame would be shown in its place.
    this.#pace.rebase(video.frame.wallMs, this.#holdMs);
  }

  #leave({ segment, frame }: QueuedVideo): void {
    this.#abort.abort();
    this.#init.onFormat(segment, frame.wallMs);
  }

  async #seenIn({ frame: { wallMs }, segment: { run } }: QueuedVideo): Promise<SeenThen | undefined> {
    if (!this.#init.output.isSeenWanted()) return undefined;
    await this.#ahead;
    return this.#seen.at(wallMs, run);
  }

  /** Delivers what is due, and comes again for the rest. */
  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isLeading && !this.#isRead) return;
    for (let next = this.#queue.next; next && !this.#abort.signal.aborted; next = this.#queue.next) {
      if (this.#steps > 0) {
        this.#queue.shift();
        this.#stepTo(next);
        continue;
      }
      const waitMs = next.kind === 'gap' ? (this.#pace.isRunning ? 0 : Infinity) : this.#pace.waitMs(next.frame.wallMs);
      if (waitMs === Infinity) return;
      if (waitMs > 0) {
        this.#timer = this.#init.clock.after(Math.ceil(waitMs), () => this.#pump());
        return;
      }
      this.#queue.shift();
      this.#play(next);
    }
    this.#dry();
  }

  #dry(): void {
    if (this.#abort.signal.aborted || !(this.#isRead || this.#isAtTail)) return;
    if (this.#isRead) this.#stepped();
    if (this.#isRead || this.#pace.isRunning) this.#init.onDry(this.#isRead);
  }

  #play(next: NonNullable<PassageQueue['next']>): void {
    if (next.kind === 'gap') return this.#skip(next.toMs, next.reason);
    const dueMs = this.#pace.dueMs(next.frame.wallMs);
    if (next.kind === 'audio') return this.#hear(next.frame, dueMs);
    if (!this.#init.output.fits(next.segment)) return this.#leave(next);
    if (this.#pace.speed <= FASTEST_WHOLE) return this.#show(next, dueMs, false);
    const isSent = next.frame.frame.keyframe;
    const isShown = isSent || this.#fastFrames % Math.ceil(this.#pace.speed) === 0;
    this.#fastFrames = isSent ? 1 : this.#fastFrames + 1;
    if (isSent) this.#show(next, dueMs, true);
    else this.#deliver(next, this.#init.output.stamps.shown(dueMs, false), { isSent, isShown });
  }

  #stepTo(next: NonNullable<PassageQueue['next']>): void {
    if (next.kind === 'audio') return;
    if (next.kind === 'gap') return this.#skip(next.toMs, next.reason);
    if (!this.#init.output.fits(next.segment)) return this.#leave(next);
    const { stamps } = this.#init.output;
    if (!this.#hasLed && this.#steps > 1) stamps.beginLead(this.#steps - 1);
    this.#steps--;
    if (this.#steps > 0) {
      this.#deliver(next, stamps.lead(), { isShown: false });
      this.#hasLed = true;
      return;
    }
    this.#show(next, stamps.nowMs, true);
    this.#pace.rebase(next.frame.wallMs);
    this.#stepped();
  }

  #stepped(): void {
    this.#steps = 0;
    this.#onStepped?.();
    this.#onStepped = undefined;
  }

  #skip(toMs: number, reason: string | undefined): void {
    this.#pace.rebase(toMs);
    this.#init.onGap(toMs, reason);
  }

  #hear({ frame }: RecordedFrame, dueMs: number): void {
    if (this.#pace.speed !== 1) return;
    const mediaTimeMs = this.#init.output.stamps.sound(dueMs);
    if (mediaTimeMs !== undefined) this.#init.output.sink.audio({ data: frame.data, mediaTimeMs, keyframe: true });
  }

  /** @param isStill it stands for a while, so that readers are told what is in it though no detector looked at it */
  #show(video: QueuedVideo, dueMs: number, isStill: boolean): void {
    const mediaTimeMs = this.#init.output.stamps.shown(dueMs, this.#hasLed);
    this.#hasLed = false;
    this.#deliver(video, mediaTimeMs, {}, isStill);
    this.#init.onShown({ wallMs: video.frame.wallMs, mediaTimeMs, segment: video.segment });
  }

  #deliver({ frame: { frame, wallMs }, seen }: QueuedVideo, mediaTimeMs: number, use: FrameUse, isStill = false): void {
    const { sink, onFrame } = this.#init.output;
    const { isSent = true, isShown = true } = use;
    onFrame?.(mediaTimeMs, wallMs);
    sink.encodedVideo({ data: frame.data, mediaTimeMs, keyframe: frame.keyframe }, use);
    if (!seen || !isShown) return;
    const message = isSent ? (seen.exact ?? (isStill ? seen.message : undefined)) : undefined;
    sink.seen?.({ mediaTimeMs, objects: seen.objects, message: message && { ...message, mediaTimeMs, wallMs } });
  }
}
