/**
 * The decoded pictures of a source: decoded once, whatever the number of consumers, and only while there is
 * one. A source that is transcoded brings its pictures; one that is copied gets a decoder here, which starts
 * with the open group of pictures so that the first picture does not wait for the next keyframe.
 */
import type { Timer } from '../base/clock.js';
import { openDecoder, type Decoder } from '../ffmpeg/index.js';
import { FramePool, i420Size, OpenGroup, type EncodedFrame, type VideoCodec, type VideoFrame } from '../media/index.js';
import type { PipelineDeps } from './deps.js';
import type { FrameFormat } from './encoded-rendition.js';
import { Supervised } from './supervised.js';

/** Takes a picture for the time of the call; retains it to keep it longer. */
export type PictureConsumer = (picture: VideoFrame) => void;

/** Frames that may wait for the decoder beside those it starts with: 1 s at 30 fps. */
const MAX_WAITING = 30;
/** More are not on their way through a decoder. */
const MAX_HIDDEN = 1_000;
/** A picture that stands longer is kept, for whoever comes meanwhile. */
const STANDS_S = 0.9;
/** So long the next picture is waited for before the one that stands is given once more. */
const REPEAT_AFTER_MS = 250;

/** What the decoder of a source does. */
export interface DecoderActivity {
  /** Frames that came out so far. */
  readonly framesDecoded: number;
  /** Frames that the running decoder was not given because it was behind. */
  readonly framesDropped: number;
  /** How often it ended by itself and was started again. */
  readonly restarts: number;
}

/** Where frames come from. */
export interface FrameHubInit {
  /** For logs and errors. */
  readonly name: string;
  /** Of the pictures, and the codec of the frames of a copied source. */
  readonly format: FrameFormat & { readonly codec: VideoCodec; readonly longestFrameS?: number; readonly burstFrames?: number };
  /** What came before: frames from the newest keyframe on. */
  readonly openGroup?: readonly EncodedFrame[];
  /** A decoder waits for a keyframe; said once, and asked for until it comes. */
  readonly onKeyframeNeeded?: () => void;
  /** The source's media time of now. */
  readonly mediaTime?: () => number | undefined;
  /** Programs, time and bookkeeping. */
  readonly deps: PipelineDeps;
}

/** The decoded frames of one source. */
export class FrameHub {
  readonly #init: FrameHubInit;
  #consumers: readonly PictureConsumer[] = [];
  /** For a decoder that starts late. */
  readonly #group = OpenGroup.ofEncoded();
  #decoder: Supervised<Decoder> | undefined;
  /** Pictures up to here were decoded only to reach the present. */
  #skipUntilMs = -Infinity;
  /** Media times of frames that are decoded only to reach another one. */
  readonly #hidden = new Set<number>();
  #framesDecoded = 0;
  #framesSkipped = 0;
  /** Of decoders that are gone. */
  #restartsBefore = 0;
  #isSkipping = false;
  /** The picture that stands, of a source whose pictures stand for long. */
  #standing: VideoFrame | undefined;
  readonly #copies: FramePool;
  #repeat: Timer | undefined;
  #isClosed = false;

  constructor(init: FrameHubInit) {
    this.#init = init;
    this.#copies = new FramePool(i420Size(init.format.widthPx, init.format.heightPx));
    for (const frame of init.openGroup ?? []) this.#group.push(frame);
  }

  /** Frames from the newest keyframe on; empty where there is none, or the group became too long. */
  get openGroup(): readonly EncodedFrame[] {
    return this.#group.frames;
  }

  /** What the decoder did; undefined while none is needed. */
  get activity(): DecoderActivity | undefined {
    if (this.#consumers.length === 0) return undefined;
    return {
      framesDecoded: this.#framesDecoded,
      framesDropped: this.#decoder?.current?.skipped ?? 0,
      restarts: this.#decoder?.restarts ?? 0,
    };
  }

  /** Of all its decoders since it was made. */
  get counts(): { readonly decoded: number; readonly dropped: number; readonly restarts: number } {
    const restarts = this.#restartsBefore + (this.#decoder?.restarts ?? 0);
    return { decoded: this.#framesDecoded, dropped: this.#framesSkipped, restarts };
  }

  /** Why nothing is decoded; undefined while it is, or need not be. */
  get trouble(): string | undefined {
    return this.#decoder?.trouble;
  }

  /** Adds a consumer that reads pictures. */
  add(consumer: PictureConsumer): void {
    this.#consumers = [consumer, ...this.#consumers];
    this.repeatSoon();
  }

  /** Adds a consumer that draws: it comes last, and draws into a picture that nobody else holds. */
  addLast(consumer: PictureConsumer): void {
    this.#consumers = [...this.#consumers, consumer];
    this.repeatSoon();
  }

  async remove(consumer: PictureConsumer): Promise<void> {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
    if (this.#consumers.length > 0) return;
    const decoder = this.#decoder;
    this.#decoder = undefined;
    this.#restartsBefore += decoder?.restarts ?? 0;
    if (decoder) this.#forget();
    await decoder?.close();
  }

  /** The frame of that time, which comes next, is decoded only to reach another one. */
  hide(mediaTimeMs: number): void {
    if (this.#hidden.size >= MAX_HIDDEN) for (const oldest of this.#hidden) if (this.#hidden.delete(oldest)) break;
    this.#hidden.add(mediaTimeMs);
  }

  /** The next frame of a copied source. */
  encoded(frame: EncodedFrame): void {
    this.#group.push(frame);
    if (this.#consumers.length === 0) return;
    // A decoder that starts is given the open group, this frame included.
    if (this.#decoder) this.#decode(this.#decoder.current, frame);
    else this.#decoder = this.#startDecoder();
  }

  /** The next picture, decoded here or by a transcoded source. Owned by the caller. */
  picture(picture: VideoFrame): void {
    this.#framesDecoded++;
    if (picture.mediaTimeMs < this.#skipUntilMs || this.#hidden.has(picture.mediaTimeMs)) return;
    if (this.#isSlow) this.#keep(picture);
    for (const consumer of this.#consumers) consumer(picture);
  }

  /** Somebody needs a picture: the one that stands is given once more unless the next comes first, which may take minutes. */
  repeatSoon(): void {
    if (!this.#isSlow || this.#repeat || this.#isClosed) return;
    const seen = this.#framesDecoded;
    this.#repeat = this.#init.deps.clock.after(REPEAT_AFTER_MS, () => {
      this.#repeat = undefined;
      if (this.#framesDecoded === seen && this.#consumers.length > 0) this.#giveAgain();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#repeat?.cancel();
    this.#forget();
    this.#consumers = [];
    this.#group.clear();
    await this.#decoder?.close();
  }

  get #isSlow(): boolean {
    const { fps, longestFrameS = 1 / fps } = this.#init.format;
    return longestFrameS > STANDS_S;
  }

  #keep(picture: VideoFrame): void {
    this.#forget();
    this.#standing = picture.retain();
  }

  #forget(): void {
    this.#standing?.release();
    this.#standing = undefined;
  }

  /** With a time of its own, so that nobody takes it for late. A source that is copied may not have been decoded yet. */
  #giveAgain(): void {
    if (!this.#standing) {
      if (this.openGroup.length > 0) this.#decoder ??= this.#startDecoder();
      return;
    }
    const { data, widthPx, heightPx, mediaTimeMs, colour } = this.#standing;
    const copy = this.#copies.take();
    data.copy(copy);
    const again = this.#copies.frame({
      data: copy,
      widthPx,
      heightPx,
      mediaTimeMs: Math.max(mediaTimeMs + 1, this.#init.mediaTime?.() ?? 0),
      colour,
    });
    for (const consumer of this.#consumers) consumer(again);
    again.release();
  }

  #decode(decoder: Decoder | undefined, frame: EncodedFrame): void {
    if (!decoder) return;
    const isSkipped = !decoder.write(frame);
    if (isSkipped) this.#framesSkipped++;
    if (isSkipped && !this.#isSkipping) this.#init.onKeyframeNeeded?.();
    this.#isSkipping = isSkipped;
  }

  #startDecoder(): Supervised<Decoder> {
    const { name, format, deps } = this.#init;
    const { codec, widthPx, heightPx } = format;
    return new Supervised({
      name: `decoder of ${name}`,
      clock: deps.clock,
      logger: deps.logger,
      open: (worked) => {
        const decoder = openDecoder({
          ...deps.ffmpeg,
          owner: name,
          codec,
          widthPx,
          heightPx,
          maxWaiting: this.openGroup.length + (format.burstFrames ?? MAX_WAITING),
          onPicture: (picture) => {
            worked();
            this.picture(picture);
          },
        });
        this.#skipUntilMs = this.openGroup.at(-1)?.mediaTimeMs ?? -Infinity;
        for (const frame of this.openGroup) decoder.write(frame);
        if (this.openGroup.length === 0) this.#init.onKeyframeNeeded?.();
        return decoder;
      },
    });
  }
}
