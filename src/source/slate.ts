/**
 * What viewers see while a camera is away: its last picture, darkened, with a line of text, encoded as the camera's
 * stream was so that raw viewers see it, too. Where the last picture cannot be had, a dark one of the right size.
 */
import { whenAborted } from '../base/abort.js';
import { delay } from '../base/clock.js';
import { openDecoder, openEncoder, type Encoder, type FfmpegDeps } from '../ffmpeg/index.js';
import type { EncodedFrame, VideoCodec, PictureColour } from '../media/index.js';
import { PictureSlate, SLATE_FPS, type Caption } from './picture-slate.js';

/** What the slate shows, and where its frames go. */
export interface SlateInit {
  /** For logs and errors. */
  readonly owner: string;
  /** Of what comes out; sides are even. */
  readonly format: { readonly codec: VideoCodec; readonly widthPx: number; readonly heightPx: number };
  /** Ends with the last picture; undefined where nothing is known of it. */
  readonly group: { readonly codec: VideoCodec; readonly frames: readonly EncodedFrame[] } | undefined;
  /** Writes the text. */
  readonly caption: Caption;
  /** Media time of a picture that is shown now. */
  readonly mediaTime: () => number;
  /** An encoded frame of the slate. */
  readonly onFrame: (frame: EncodedFrame) => void;
  /** For the encoder. */
  readonly deps: FfmpegDeps;
}

/** Decoding more than this takes longer than viewers may be left without a picture. */
const MAX_DECODING_MS = 600;
const RESTART_MS = 500;

/** A picture in memory of its own. */
interface LastPicture {
  readonly data: Buffer;
  readonly colour: PictureColour | undefined;
}

/** A slate, encoded. */
export class Slate {
  readonly #init: SlateInit;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #pictures: PictureSlate | undefined;
  #encoder: Encoder | undefined;

  /** Begins at once; the first frame comes when picture and encoder are ready, within a second. */
  constructor(init: SlateInit) {
    this.#init = init;
    this.#ended = this.#run().catch((error: unknown) => init.deps.logger.error({ owner: init.owner, err: error }, 'slate cannot be shown'));
  }

  /** The next frame is a keyframe. */
  requestKeyframe(): void {
    this.#encoder?.requestKeyframe();
  }

  /** Resolves when no process of it is left; never rejects. No frame comes, and no time is asked for, after the call. */
  close(): Promise<void> {
    this.#stop.abort();
    void this.#pictures?.close();
    return this.#ended;
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    const { deps, owner, format, caption, mediaTime } = this.#init;
    const last = await this.#lastPicture();
    if (this.#isStopped()) return;
    this.#pictures = new PictureSlate({
      widthPx: format.widthPx,
      heightPx: format.heightPx,
      last: last?.data,
      colour: last?.colour,
      caption,
      clock: deps.clock,
      mediaTime,
      onPicture: (picture) => {
        this.#encoder?.write(picture);
        picture.release();
      },
      onError: (error) => deps.logger.error({ owner, err: error }, 'slate has no text'),
    });
    while (!this.#isStopped()) {
      await this.#encode();
      if (!this.#isStopped()) await delay(deps.clock, RESTART_MS, this.#stop.signal);
    }
    await this.#pictures.close();
  }

  /** Encodes what is shown until it is stopped, or the encoder ends. */
  async #encode(): Promise<void> {
    const { deps, owner, format, onFrame } = this.#init;
    const encoder = openEncoder({ ...deps, owner, ...format, fps: SLATE_FPS, onFrame: (frame) => !this.#isStopped() && onFrame(frame) });
    this.#encoder = encoder;
    const stopListening = whenAborted(this.#stop.signal, () => void encoder.close());
    const { error } = await encoder.closed;
    stopListening();
    this.#encoder = undefined;
    if (error) deps.logger.warn({ owner, err: error }, 'encoder of the slate ended, restarting');
  }

  /** The last one of the group that was decoded in time, in memory of its own; undefined where none was. */
  async #lastPicture(): Promise<LastPicture | undefined> {
    const { deps, owner, format, group } = this.#init;
    const frames = group?.frames ?? [];
    if (frames.length === 0) return undefined;
    const lastTimeMs = frames.at(-1)?.mediaTimeMs;
    const done = new AbortController();
    let last: LastPicture | undefined;
    const decoder = openDecoder({
      ...deps,
      owner,
      codec: group?.codec ?? format.codec,
      widthPx: format.widthPx,
      heightPx: format.heightPx,
      maxWaiting: frames.length + 1,
      onPicture: (picture) => {
        last = { data: last?.data ?? Buffer.allocUnsafe(picture.data.length), colour: picture.colour };
        picture.data.copy(last.data);
        if (picture.mediaTimeMs === lastTimeMs) done.abort();
      },
    });
    for (const frame of frames) decoder.write(frame);
    void decoder.closed.then(() => done.abort());
    await delay(deps.clock, MAX_DECODING_MS, AbortSignal.any([done.signal, this.#stop.signal]));
    await decoder.close();
    return last;
  }
}
