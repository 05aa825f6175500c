/** The slate of a source whose pictures are decoded anyway: its last picture, darkened, with a line of text, again and again. */
import type { Clock, Timer } from '../clock.js';
import { i420Size, VideoFrame } from '../media/index.js';
import { darkPicture, dim, SLATE_FPS, SLATE_TEXT, type Caption } from './slate.js';

export interface PictureSlateInit {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Its pixels, which are changed; undefined where there was none. */
  readonly last: Buffer | undefined;
  readonly caption: Caption;
  readonly clock: Clock;
  /** Media time of a picture that is shown now. */
  readonly mediaTime: () => number;
  /** The picture belongs to the slate. */
  readonly onPicture: (picture: VideoFrame) => void;
  readonly onError: (error: unknown) => void;
}

export class PictureSlate {
  #isClosed = false;
  #timer: Timer | undefined;
  readonly #ready: Promise<void>;

  /** Begins at once. */
  constructor(init: PictureSlateInit) {
    this.#ready = this.#show(init);
  }

  /** No picture comes after the call. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#ready;
  }

  async #show({ widthPx, heightPx, last, caption, clock, mediaTime, onPicture, onError }: PictureSlateInit): Promise<void> {
    const isUsable = last?.length === i420Size(widthPx, heightPx);
    const data = isUsable ? last : darkPicture(widthPx, heightPx);
    if (isUsable) dim(data, widthPx * heightPx);
    await caption(new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: 0 }), SLATE_TEXT).catch(onError);
    if (this.#isClosed) return;
    // Whoever draws into a picture gets one of its own.
    const show = (): void => onPicture(new VideoFrame({ data: Buffer.from(data), widthPx, heightPx, mediaTimeMs: mediaTime() }));
    show();
    this.#timer = clock.every(1000 / SLATE_FPS, show);
  }
}
