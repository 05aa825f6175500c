/** Clips of recordings, as MP4 that is sent while it is made: copied where that is possible, encoded where it is wanted or needed. */
import type { Readable } from 'node:stream';
import { MediaPeerError } from '../base/errors.js';
import { capacityReached, serverClosing } from '../base/refusals.js';
import type { FfmpegDeps } from '../ffmpeg/index.js';
import { AnnotatedFeed, type Draw } from './annotated-feed.js';
import { clipFrames, type ClipFrame } from './clip-frames.js';
import { withSilence } from './clip-silence.js';
import { clipOutput } from './clip-options.js';
import { planClip, type ClipPlan, type ClipRequest } from './clip-plan.js';
import { ClipProcess } from './clip-process.js';
import { CodedFeed } from './coded-feed.js';
import type { PlaybackEncodes } from './playback-encodes.js';
import type { RecordingArchive, TimeRange } from './recorded.js';
import { DetectionsThen } from './seen-then.js';

/** What clips are made of. */
export interface ClipsInit {
  /** What clips are of. */
  readonly archive: RecordingArchive;
  /** What makes them. */
  readonly ffmpeg: FfmpegDeps;
  /** Places of encodes, shared with playbacks. */
  readonly encodes: PlaybackEncodes;
  /** What draws what was seen of a source in that time into pictures of that height, in pixels. */
  readonly openDraw: (sourceId: string, within: TimeRange, heightPx: number) => Promise<Draw>;
}

/** A clip that is on its way. */
export interface Clip {
  /** Its bytes; destroying it ends what makes them. */
  readonly stream: Readable;
  /** Its first frame, Unix milliseconds. */
  readonly startMs: number;
  /** About how long it is. */
  readonly durationMs: number;
  /** False where pictures were copied. */
  readonly isEncoded: boolean;
}

/** Copied ones take little but the disk. */
const MAX_COPIES = 4;

/** A player that has enough for now reads on sooner. */
const STALLED_MS = 60_000;

/** What takes the frames of a clip. */
interface Feed {
  write(frame: ClipFrame): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Makes all clips. */
export class Clips {
  readonly #init: ClipsInit;
  readonly #running = new Map<ClipProcess, Promise<void>>();
  #copies = 0;

  constructor(init: ClipsInit) {
    this.#init = init;
  }

  /**
   * Begins a clip; resolves when its first bytes are there.
   * @throws MediaPeerError QUERY_INVALID, RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_DAMAGED, CLIP_FORMAT_CHANGES, CAPACITY_REACHED, FFMPEG_FAILED
   */
  async open(request: ClipRequest, signal: AbortSignal): Promise<Clip> {
    const { archive, ffmpeg } = this.#init;
    const plan = await planClip(archive, request, ffmpeg.clock.wallClock());
    signal.throwIfAborted();
    const giveBack = await this.#takePlace(plan);
    const leaving = new AbortController();
    const process = new ClipProcess(ffmpeg, {
      owner: `clip of ${request.sourceId}`,
      // What is live goes first: one thread.
      input: ['-threads', '1', '-f', request.isAnnotated ? 'matroska' : 'mov'],
      output: clipOutput(plan, ffmpeg.tools),
      durationMs: plan.durationMs,
      isEncoded: plan.isEncoded,
    });
    const stop = (): void => leaving.abort(new MediaPeerError('FFMPEG_FAILED', 'the clip is not wanted any more'));
    process.output.once('close', stop);
    const running = Promise.all([this.#feed(plan, process, leaving.signal), process.closed]).then(() => {
      giveBack();
      this.#running.delete(process);
    });
    this.#running.set(process, running);
    const leave = (): void => process.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      await process.started;
    } catch (error) {
      process.close();
      await running;
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    return { stream: process.output, ...factsOf(plan) };
  }

  /** What `open` would begin, without a clip being made. @throws MediaPeerError as `open` does, save CAPACITY_REACHED and FFMPEG_FAILED */
  async describe(request: ClipRequest): Promise<Omit<Clip, 'stream'>> {
    const { archive, ffmpeg } = this.#init;
    return factsOf(await planClip(archive, request, ffmpeg.clock.wallClock()));
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    for (const process of this.#running.keys()) process.close(serverClosing());
    await Promise.all(this.#running.values());
  }

  /** Never rejects: whoever reads the clip is told. */
  async #feed(plan: ClipPlan, process: ClipProcess, signal: AbortSignal): Promise<void> {
    const { archive, ffmpeg } = this.#init;
    let feed: Feed | undefined;
    try {
      feed = plan.request.isAnnotated ? await this.#annotated(plan, process, signal) : new CodedFeed({ plan, process });
      const frames = clipFrames({ archive, plan, signal, logger: ffmpeg.logger });
      for await (const frame of plan.hasSound ? withSilence(frames) : frames) await feed.write(frame);
      await feed.finish();
      process.endInput();
    } catch (error) {
      process.close(error instanceof Error ? error : new Error(String(error)));
    } finally {
      await feed?.close();
    }
  }

  async #annotated(plan: ClipPlan, process: ClipProcess, signal: AbortSignal): Promise<Feed> {
    const { archive, ffmpeg, openDraw } = this.#init;
    const { sourceId, toMs } = plan.request;
    const draw = await openDraw(sourceId, { fromMs: plan.startMs, toMs }, plan.video.heightPx);
    const seen = new DetectionsThen({ archive, sourceId, logger: ffmpeg.logger }, signal);
    const feed = new AnnotatedFeed({ deps: ffmpeg, plan, process, seen, draw });
    return {
      write: (frame) => feed.write(frame),
      finish: () => feed.finish(),
      close: async () => {
        await feed.close();
        await seen.close();
      },
    };
  }

  /** Whoever has stopped reading makes room for others. @throws MediaPeerError CAPACITY_REACHED */
  async #takePlace({ isEncoded }: ClipPlan): Promise<() => void> {
    try {
      return this.#freePlace(isEncoded);
    } catch (error) {
      const [stalled] = [...this.#running.keys()]
        .filter((each) => each.isEncoded === isEncoded && each.unreadMs > STALLED_MS)
        .sort((a, b) => b.unreadMs - a.unreadMs);
      if (!stalled) throw error;
      stalled.close(capacityReached('nobody has read on in this clip, and others wait for its place'));
      await this.#running.get(stalled);
      return this.#freePlace(isEncoded);
    }
  }

  /** @throws MediaPeerError CAPACITY_REACHED */
  #freePlace(isEncoded: boolean): () => void {
    if (isEncoded) return this.#init.encodes.take();
    if (this.#copies >= MAX_COPIES) throw capacityReached(`${MAX_COPIES} clips are being made`);
    this.#copies++;
    return () => {
      this.#copies--;
    };
  }
}

function factsOf({ startMs, trimMs, durationMs, isEncoded }: ClipPlan): Omit<Clip, 'stream'> {
  return { startMs: startMs + trimMs, durationMs, isEncoded };
}
