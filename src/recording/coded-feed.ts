/** Hands the frames of a clip to ffmpeg as they were recorded: as fragments of one MP4, picture and sound together. */
import { MediaPeerError } from '../base/errors.js';
import { FragmentWriter, videoConfig, type EncodedFrame } from '../media/index.js';
import type { ClipFrame } from './clip-frames.js';
import type { ClipPlan } from './clip-plan.js';
import type { ClipProcess } from './clip-process.js';

/** What is written at once. */
const FRAGMENT_MS = 500;

/** What is fed, and to whom. */
export interface CodedFeedInit {
  /** Of the clip. */
  readonly plan: ClipPlan;
  /** What writes it. */
  readonly process: Pick<ClipProcess, 'write'>;
}

/** Feeds one clip that is copied, or encoded by who reads it. */
export class CodedFeed {
  readonly #init: CodedFeedInit;
  #writer: FragmentWriter | undefined;

  constructor(init: CodedFeedInit) {
    this.#init = init;
  }

  /** Takes the next frame; waits while ffmpeg is behind. @throws MediaPeerError FFMPEG_FAILED, RECORDING_DAMAGED */
  async write({ kind, frame }: ClipFrame): Promise<void> {
    // Sound before the first picture is none of the clip's.
    if (!this.#writer && kind === 'audio') return;
    this.#writer ??= await this.#begin(frame);
    const { pendingFromMs } = this.#writer;
    if (pendingFromMs !== undefined && frame.mediaTimeMs - pendingFromMs >= FRAGMENT_MS)
      await this.#flush(kind === 'video' ? frame.mediaTimeMs : undefined);
    this.#writer.add(kind, frame);
  }

  /** The last frames. @throws MediaPeerError FFMPEG_FAILED */
  finish(): Promise<void> {
    return this.#flush();
  }

  /** Nothing is held. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #begin({ data }: EncodedFrame): Promise<FragmentWriter> {
    const { video, hasSound, request } = this.#init.plan;
    const config = videoConfig(video.codec, data);
    if (!config)
      throw new MediaPeerError('RECORDING_DAMAGED', `the recording of '${request.sourceId}' does not begin with a keyframe there`);
    const writer = new FragmentWriter({ video: config, hasSound, anchorMs: 0, provenance: undefined, startMs: 0 });
    await this.#init.process.write([writer.initialization()]);
    return writer;
  }

  async #flush(nextVideoMs?: number): Promise<void> {
    const fragment = this.#writer?.take(nextVideoMs);
    if (fragment) await this.#init.process.write([fragment.data]);
  }
}
