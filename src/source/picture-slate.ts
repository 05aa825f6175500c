/** The pictures of a slate: the last one of the camera, darkened, with a line of text, again and again; a dark one where there is none. */
import type { Clock, Timer } from '../base/clock.js';
import { i420Size, VideoFrame, type PictureColour } from '../media/index.js';

/** Writes a line of text into a picture that nobody else holds. */
export type Caption = (picture: VideoFrame, text: string) => Promise<void>;

/** What it says. */
const SLATE_TEXT = 'waiting for camera';
/** Enough for a still picture, and for viewers who look whether anything comes. */
export const SLATE_FPS = 5;
/** How much is left of brightness and colour. */
const DIMMED = 0.4;
/** Limited range black, and no colour. */
const [BLACK, GREY] = [16, 128];
const DARK_LUMA = 32;

/** What the slate shows, and how large. */
export interface PictureSlateInit {
  /** Width of its frames, in pixels; even. */
  readonly widthPx: number;
  /** Height of its frames, in pixels; even. */
  readonly heightPx: number;
  /** Of the pictures before and after it, where that is known. */
  readonly colour: PictureColour | undefined;
  /** Its pixels, which are changed; undefined where there was none. */
  readonly last: Buffer | undefined;
  /** Writes the text. */
  readonly caption: Caption;
  readonly clock: Clock;
  /** Media time of a picture that is shown now. */
  readonly mediaTime: () => number;
  /** The picture belongs to the slate. */
  readonly onPicture: (picture: VideoFrame) => void;
  /** The text could not be drawn; the slate continues without it. */
  readonly onError: (error: unknown) => void;
}

/** Makes the frames of a slate. */
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

  async #show({ widthPx, heightPx, colour, last, caption, clock, mediaTime, onPicture, onError }: PictureSlateInit): Promise<void> {
    const isUsable = last?.length === i420Size(widthPx, heightPx);
    const data = isUsable ? last : darkPicture(widthPx, heightPx);
    if (isUsable) dim(data, widthPx * heightPx);
    await caption(new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: 0, colour }), SLATE_TEXT).catch(onError);
    if (this.#isClosed) return;
    // Whoever draws into a picture gets one of its own.
    const show = (): void => onPicture(new VideoFrame({ data: Buffer.from(data), widthPx, heightPx, mediaTimeMs: mediaTime(), colour }));
    show();
    this.#timer = clock.every(1000 / SLATE_FPS, show);
  }
}

/** Stands in where there is no last picture. */
function darkPicture(widthPx: number, heightPx: number): Buffer {
  const data = Buffer.alloc(i420Size(widthPx, heightPx), GREY);
  return data.fill(DARK_LUMA, 0, widthPx * heightPx);
}

/** Less than half as bright, and paler. */
function dim(data: Buffer, lumaBytes: number): void {
  for (let i = 0; i < data.length; i++) {
    const base = i < lumaBytes ? BLACK : GREY;
    data[i] = base + ((data[i] as number) - base) * DIMMED;
  }
}
