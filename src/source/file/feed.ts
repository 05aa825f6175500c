/**
 * A file as a running source: frames and sound on one timeline that never steps back, in an endless loop. ffmpeg
 * processes come and go underneath; a feed ends only when it is closed, when its file goes or changes, or when
 * the file never gave a frame.
 */
import { existsSync } from 'node:fs';
import { whenAborted } from '../../base/abort.js';
import { delay } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import { sourceNotPlayable } from '../../base/refusals.js';
import { Backoff, type CopiedFrame, type ProcessEnd } from '../../ffmpeg/index.js';
import { FramePool, i420Size, Timeline, type EncodedFrame, type EndReason } from '../../media/index.js';
import type { FeedPlan, FileDescription } from '../description.js';
import { isSoundReadAhead, openFeedRun } from './feed-run.js';
import type { MediaRun } from '../media-run.js';
import { Pacer } from './pacer.js';
import type { FeedEnd, FeedInfo, FeedOptions, FeedSink, SourceFeed } from '../source.js';

/** Processes that may fail in a row before the first frame. */
const MAX_FAILED_STARTS = 3;
/** A list of passes lasts for hours: a process that ends this soon has failed, whatever it says. */
const MIN_RUN_MS = 1_000;

/**
 * Starts playing a file; returns at once.
 * @throws MediaPeerError SOURCE_NOT_PLAYABLE when the description says so
 */
export function openFileFeed(description: FileDescription, sink: FeedSink, options: FeedOptions): SourceFeed {
  if (!description.plan) {
    throw sourceNotPlayable(description.id, description.reason ?? 'it has no video stream');
  }
  return new FileFeed(description, description.plan, sink, options);
}

class FileFeed implements SourceFeed {
  readonly info: FeedInfo;
  readonly timeline: Timeline;
  readonly closed: Promise<FeedEnd>;
  restarts = 0;
  lastError: string | undefined;
  trouble: string | undefined;
  readonly #description: FileDescription;
  readonly #plan: FeedPlan;
  readonly #sink: FeedSink;
  readonly #options: FeedOptions;
  readonly #pool: FramePool;
  readonly #stop = new AbortController();
  #end: FeedEnd | undefined;
  #run: MediaRun | undefined;
  /** Added to the stamps of the running process; undefined until its first frame. */
  #offsetMs: number | undefined;
  /** Media time minus monotonic time. */
  #originMs = 0;
  readonly #pictures: Pacer;
  readonly #sound: Pacer;
  /** Newest media time of each kind. */
  #lastVideoMs = -Infinity;
  #lastAudioMs = -Infinity;
  #gaveVideo = false;
  /** The next process leaves the sound out, because the one before may have failed of it. */
  #isSilent = false;

  constructor(description: FileDescription, plan: FeedPlan, sink: FeedSink, options: FeedOptions) {
    this.#description = description;
    this.#plan = plan;
    this.#sink = sink;
    this.#options = options;
    this.timeline = options.timeline ?? new Timeline();
    const { widthPx, heightPx, fps, peakFps, longestFrameS, delivery, copiedCodec: codec, copiedSize } = plan;
    const hasAudio = plan.audioIndex !== undefined;
    this.info = { widthPx, heightPx, fps, peakFps, longestFrameS, delivery, codec, copiedSize, hasAudio };
    // A process that does not read in real time is held back, and its sound with its pictures.
    const holdBack = plan.jumps && ((isAhead: boolean): void => this.#run?.hold(isAhead));
    this.#pictures = new Pacer(options.clock, holdBack);
    this.#sound = new Pacer(options.clock, isSoundReadAhead(plan) ? () => undefined : undefined);
    this.#pool = new FramePool(i420Size(widthPx, heightPx));
    this.closed = this.#play();
  }

  get end(): FeedEnd | undefined {
    return this.#end;
  }

  close(reason: EndReason = 'viewer-left'): Promise<FeedEnd> {
    this.#finish({ reason });
    return this.closed;
  }

  /** The whole life of a feed. */
  async #play(): Promise<FeedEnd> {
    const stopListening = whenAborted(this.#options.signal, () => this.#finish({ reason: 'viewer-left' }));
    const unwatch = this.#description.watch?.onChange((change) => {
      this.#finish({ reason: change === 'removed' ? 'source-ended' : 'replaced' });
    });
    try {
      return await this.#keepRunning();
    } finally {
      unwatch?.();
      stopListening();
    }
  }

  /** One process after the other until the end is decided. */
  async #keepRunning(): Promise<FeedEnd> {
    const { clock, logger } = this.#options;
    const sourceId = this.#description.id;
    const backoff = new Backoff(this.#options.backoff);
    for (let end = this.end; ; end = this.end) {
      if (end) return end;
      const startedMs = clock.now();
      const error = await this.#runOnce();
      if (this.end) continue;
      const waitMs = error ? backoff.next(clock.now() - startedMs) : 0;
      if (error && !existsSync(this.#description.file)) this.#finish({ reason: 'source-ended' });
      else if (error && !this.#gaveVideo && backoff.failures >= MAX_FAILED_STARTS) this.#finish(this.#failure(error));
      else {
        this.restarts++;
        if (error) this.lastError = this.trouble = error.message;
        logger[error ? 'warn' : 'info']({ sourceId, err: error, waitMs, restarts: this.restarts }, 'file is played again');
        if (waitMs > 0) await delay(clock, waitMs, this.#stop.signal);
      }
    }
  }

  /** Runs one process to its end; what it failed of, or undefined when it came to the end of its list of passes. */
  async #runOnce(): Promise<MediaPeerError | undefined> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    this.#offsetMs = undefined;
    try {
      const spec = {
        owner: `feed ${this.#description.id}`,
        file: this.#description.file,
        plan: this.#isSilent ? { ...this.#plan, audioIndex: undefined } : this.#plan,
        pool: this.#pool,
      };
      this.#run = await openFeedRun(spec, this.#options, {
        video: (frame) => this.#video(frame),
        picture: (data, stampMs) => this.#picture(data, stampMs),
        audio: (packet) => this.#audio(packet),
      });
      if (this.#end) void this.#run.close();
      const end = await this.#run.closed;
      this.#leaveSoundOutAfter(end);
      const isTooShort = clock.now() - startedMs < MIN_RUN_MS;
      return end.error ?? (isTooShort ? new MediaPeerError('FFMPEG_FAILED', `ffmpeg ended at once${end.lastLines}`) : undefined);
    } catch (error) {
      return new MediaPeerError('FFMPEG_FAILED', `the feed could not be started: ${messageOf(error)}`, { cause: error });
    } finally {
      this.#run = undefined;
      this.#pictures.clear();
      this.#sound.clear();
    }
  }

  /** Pictures do not wait for sound: a process that gave up is followed by one without; if that gives up as well, the sound was innocent. */
  #leaveSoundOutAfter({ exitCode, requested, lastLines }: ProcessEnd): void {
    const gaveUp = !requested && exitCode !== null && exitCode !== 0;
    this.#isSilent = gaveUp && !this.#isSilent && this.#plan.audioIndex !== undefined;
    if (this.#isSilent)
      this.#options.logger.warn({ sourceId: this.#description.id, lastLines }, 'sound is ignored; it may be why the file failed');
  }

  #failure(error: MediaPeerError): FeedEnd {
    const failure = sourceNotPlayable(this.#description.id, error.message, { cause: error, details: error.details });
    return { reason: 'source-failed', error: failure };
  }

  #finish(end: FeedEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#stop.abort();
    // Its end is awaited by the loop; it never rejects.
    void this.#run?.close();
  }

  #video(frame: CopiedFrame): void {
    if (this.#end) return;
    const refusal = copyRefusal(frame, this.#gaveVideo);
    if (refusal !== undefined && this.#description.watch) return this.#description.watch.mustTranscode(refusal);
    const mediaTimeMs = this.#mediaTime(frame.mediaTimeMs);
    this.#pictures.add(mediaTimeMs - this.#originMs, () => this.#deliverVideo({ data: frame.data, mediaTimeMs, keyframe: frame.keyframe }));
  }

  #deliverVideo(frame: EncodedFrame): void {
    if (this.#end || frame.mediaTimeMs <= this.#lastVideoMs) return;
    this.#gotVideo(frame.mediaTimeMs);
    this.#sink.encodedVideo(frame);
  }

  #picture(data: Buffer, stampMs: number): void {
    if (this.#end) return this.#pool.give(data);
    const mediaTimeMs = this.#mediaTime(stampMs);
    this.#pictures.add(
      mediaTimeMs - this.#originMs,
      () => this.#deliverPicture(data, mediaTimeMs),
      () => this.#pool.give(data),
    );
  }

  #deliverPicture(data: Buffer, mediaTimeMs: number): void {
    if (this.#end || mediaTimeMs <= this.#lastVideoMs) return this.#pool.give(data);
    this.#gotVideo(mediaTimeMs);
    const { widthPx, heightPx } = this.#plan;
    const picture = this.#pool.frame({ data, widthPx, heightPx, mediaTimeMs, colour: this.#plan.colour.delivered });
    this.#sink.picture(picture);
    picture.release();
  }

  #audio(packet: EncodedFrame): void {
    if (this.#end) return;
    const mediaTimeMs = this.#mediaTime(packet.mediaTimeMs);
    this.#sound.add(mediaTimeMs - this.#originMs, () => this.#deliverAudio({ data: packet.data, mediaTimeMs, keyframe: true }));
  }

  #deliverAudio(packet: EncodedFrame): void {
    if (this.#end || packet.mediaTimeMs <= this.#lastAudioMs) return;
    this.#lastAudioMs = packet.mediaTimeMs;
    this.timeline.delivered(packet.mediaTimeMs);
    this.#sink.audio(packet);
  }

  #gotVideo(mediaTimeMs: number): void {
    this.#lastVideoMs = mediaTimeMs;
    this.timeline.delivered(mediaTimeMs);
    this.#gaveVideo = true;
    this.trouble = undefined;
  }

  /**
   * A process's stamp on the source's timeline. The first frame of a process, picture or sound, is put where the
   * wall clock is, and in any case behind what was delivered before, be it by this feed or the one it replaces.
   */
  #mediaTime(stampMs: number): number {
    if (this.#offsetMs === undefined) {
      const beginMs = this.#beginMs();
      this.#offsetMs = beginMs - stampMs;
      this.#originMs = beginMs - this.#options.clock.now();
    }
    return stampMs + this.#offsetMs;
  }

  #beginMs(): number {
    const wallClockMs = this.#options.clock.wallClock();
    const elapsedMs = this.timeline.mediaTimeAt(wallClockMs);
    if (elapsedMs === undefined) {
      this.timeline.anchor(0, wallClockMs);
      return 0;
    }
    return Math.max(elapsedMs, this.timeline.newestMs + 1000 / this.#plan.peakFps);
  }
}

/** What the probe could not see: signs that a browser would not play the copy. */
function copyRefusal(frame: CopiedFrame, gaveVideo: boolean): string | undefined {
  if (frame.isReordered) return 'it has B-frames, which browsers cannot play over WebRTC';
  if (!gaveVideo && !frame.keyframe) return 'it does not begin with a frame that can be decoded on its own';
  if (frame.markedAsKeyframe && !frame.keyframe) return 'its keyframes are not IDR pictures, which browsers wait for';
  return undefined;
}
