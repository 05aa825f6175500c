/**
 * The decoded pictures of a source: decoded once, whatever the number of consumers, and only while there is
 * one. A source that is transcoded brings its pictures; one that is copied gets a decoder here, which starts
 * with the open group of pictures so that the first picture does not wait for the next keyframe.
 */
import { openDecoder, type Decoder } from '../ffmpeg/index.js';
import { OpenGroup, type EncodedFrame, type VideoCodec, type VideoFrame } from '../media/index.js';
import type { PipelineDeps } from './deps.js';
import type { PictureFormat } from './encoded-rendition.js';
import { Supervised } from './supervised.js';

/** Takes a picture for the time of the call; retains it to keep it longer. */
export type PictureConsumer = (picture: VideoFrame) => void;

/** Frames that may wait for the decoder beside those it starts with: 1 s at 30 fps. */
const MAX_WAITING = 30;

export interface DecoderActivity {
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly restarts: number;
}

export interface PictureHubInit {
  /** For logs and errors. */
  readonly name: string;
  /** Of the pictures, and the codec of the frames of a copied source. */
  readonly format: PictureFormat & { readonly codec: VideoCodec };
  /** What came before: frames from the newest keyframe on. */
  readonly openGroup?: readonly EncodedFrame[];
  /** A decoder waits for a keyframe. */
  readonly onKeyframeNeeded?: () => void;
  readonly deps: PipelineDeps;
}

export class PictureHub {
  readonly #init: PictureHubInit;
  #consumers: readonly PictureConsumer[] = [];
  /** For a decoder that starts late. */
  readonly #group = OpenGroup.ofEncoded();
  #decoder: Supervised<Decoder> | undefined;
  /** Pictures up to here were decoded only to reach the present. */
  #skipUntilMs = -Infinity;
  #framesDecoded = 0;
  #isSkipping = false;

  constructor(init: PictureHubInit) {
    this.#init = init;
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

  /** Why nothing is decoded; undefined while it is, or need not be. */
  get trouble(): string | undefined {
    return this.#decoder?.trouble;
  }

  /** Adds a consumer that reads pictures. */
  add(consumer: PictureConsumer): void {
    this.#consumers = [consumer, ...this.#consumers];
  }

  /** Adds a consumer that draws: it comes last, and draws into a picture that nobody else holds. */
  addLast(consumer: PictureConsumer): void {
    this.#consumers = [...this.#consumers, consumer];
  }

  async remove(consumer: PictureConsumer): Promise<void> {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
    if (this.#consumers.length > 0) return;
    const decoder = this.#decoder;
    this.#decoder = undefined;
    await decoder?.close();
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
    if (picture.mediaTimeMs < this.#skipUntilMs) return;
    for (const consumer of this.#consumers) consumer(picture);
  }

  async close(): Promise<void> {
    this.#consumers = [];
    this.#group.clear();
    await this.#decoder?.close();
  }

  #decode(decoder: Decoder | undefined, frame: EncodedFrame): void {
    if (!decoder) return;
    const isSkipped = !decoder.write(frame);
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
          maxWaiting: this.openGroup.length + MAX_WAITING,
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
