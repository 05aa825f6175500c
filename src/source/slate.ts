/**
 * What viewers see while a camera is away: its last picture, darkened, with a line of text, encoded as the camera's
 * stream was so that raw viewers see it, too. Where the last picture cannot be had, a dark one of the right size.
 */
import { delay } from '../clock.js';
import { messageOf } from '../errors.js';
import { openDecoder, openEncoder, type Encoder, type FfmpegDeps } from '../ffmpeg/index.js';
import { i420Size, VideoFrame, type EncodedFrame, type VideoCodec } from '../media/index.js';

/** Writes a line of text into a picture that nobody else holds. */
export type Caption = (picture: VideoFrame, text: string) => Promise<void>;

export interface SlateInit {
  /** For logs and errors. */
  readonly owner: string;
  /** Of what comes out; sides are even. */
  readonly format: { readonly codec: VideoCodec; readonly widthPx: number; readonly heightPx: number };
  /** Ends with the last picture; undefined where nothing is known of it. */
  readonly group: { readonly codec: VideoCodec; readonly frames: readonly EncodedFrame[] } | undefined;
  readonly caption: Caption;
  /** Media time of a picture that is shown now. */
  readonly mediaTime: () => number;
  readonly onFrame: (frame: EncodedFrame) => void;
  readonly deps: FfmpegDeps;
}

/** What it says. */
export const SLATE_TEXT = 'waiting for camera';
/** Enough for a still picture, and for viewers who look whether anything comes. */
export const SLATE_FPS = 5;
/** Decoding more than this takes longer than viewers may be left without a picture. */
const MAX_DECODING_MS = 600;
/** How much is left of brightness and colour. */
const DIMMED = 0.4;
/** Limited range black, and no colour. */
const [BLACK, GREY] = [16, 128];
const DARK_LUMA = 32;
const RESTART_MS = 500;

export class Slate {
  readonly #init: SlateInit;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #encoder: Encoder | undefined;

  /** Begins at once; the first frame comes when picture and encoder are ready, within a second. */
  constructor(init: SlateInit) {
    this.#init = init;
    this.#ended = this.#run().catch((error: unknown) => init.deps.logger.error({ owner: init.owner, error: messageOf(error) }, 'slate cannot be shown'));
  }

  requestKeyframe(): void {
    this.#encoder?.requestKeyframe();
  }

  /** Resolves when no process of it is left; never rejects. No frame comes after the call. */
  close(): Promise<void> {
    this.#stop.abort();
    return this.#ended;
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    const { deps, owner, caption } = this.#init;
    const picture = await this.#lastPicture();
    if (this.#isStopped()) return;
    await caption(picture, SLATE_TEXT).catch((error: unknown) => deps.logger.error({ owner, error: messageOf(error) }, 'slate has no text'));
    while (!this.#isStopped()) {
      await this.#show(picture);
      if (!this.#isStopped()) await delay(deps.clock, RESTART_MS, this.#stop.signal);
    }
  }

  /** Encodes the picture again and again until it is stopped, or the encoder ends. */
  async #show(picture: VideoFrame): Promise<void> {
    const { deps, owner, format, mediaTime, onFrame } = this.#init;
    const encoder = openEncoder({ ...deps, owner, ...format, fps: SLATE_FPS, onFrame: (frame) => !this.#isStopped() && onFrame(frame) });
    this.#encoder = encoder;
    const show = (): void => {
      // The pixels are shared by all of them; each has its own time.
      encoder.write(new VideoFrame({ data: picture.data, widthPx: picture.widthPx, heightPx: picture.heightPx, mediaTimeMs: mediaTime() }));
    };
    show();
    const timer = deps.clock.every(1000 / SLATE_FPS, show);
    const stop = (): void => void encoder.close();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    if (this.#isStopped()) stop();
    const { error } = await encoder.closed;
    this.#stop.signal.removeEventListener('abort', stop);
    timer.cancel();
    this.#encoder = undefined;
    if (error) deps.logger.warn({ owner, error: error.message }, 'encoder of the slate ended, restarting');
  }

  /** Dimmed, in memory of its own. */
  async #lastPicture(): Promise<VideoFrame> {
    const { widthPx, heightPx } = this.#init.format;
    const data = darkPicture(widthPx, heightPx);
    if ((this.#init.group?.frames.length ?? 0) > 0 && (await this.#decodeInto(data))) dim(data, widthPx * heightPx);
    return new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: 0 });
  }

  /** Decodes the group; `data` holds the last picture that came in time. False where none did. */
  async #decodeInto(data: Buffer): Promise<boolean> {
    const { deps, owner, format, group } = this.#init;
    const frames = group?.frames ?? [];
    const lastTimeMs = frames.at(-1)?.mediaTimeMs;
    const done = new AbortController();
    let hasPicture = false;
    const decoder = openDecoder({
      ...deps,
      owner,
      codec: group?.codec ?? format.codec,
      widthPx: format.widthPx,
      heightPx: format.heightPx,
      maxWaiting: frames.length + 1,
      onPicture: (picture) => {
        picture.data.copy(data);
        hasPicture = true;
        if (picture.mediaTimeMs === lastTimeMs) done.abort();
      },
    });
    for (const frame of frames) decoder.write(frame);
    void decoder.closed.then(() => done.abort());
    await delay(deps.clock, MAX_DECODING_MS, AbortSignal.any([done.signal, this.#stop.signal]));
    await decoder.close();
    return hasPicture;
  }
}

/** Stands in where there is no last picture. */
export function darkPicture(widthPx: number, heightPx: number): Buffer {
  const data = Buffer.alloc(i420Size(widthPx, heightPx), GREY);
  return data.fill(DARK_LUMA, 0, widthPx * heightPx);
}

/** Half as bright, and paler. */
export function dim(data: Buffer, lumaBytes: number): void {
  for (let i = 0; i < data.length; i++) {
    const base = i < lumaBytes ? BLACK : GREY;
    data[i] = base + ((data[i] as number) - base) * DIMMED;
  }
}
