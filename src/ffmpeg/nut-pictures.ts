/** Decoded pictures of one size out of NUT. */
import { malformed, NutReader } from './nut.js';

/** Where pictures go. */
export interface PictureSink {
  /** Memory for the next picture. */
  allocate(): Buffer;
  /** A whole picture, in memory that came from `allocate`, with its time in milliseconds. */
  picture(data: Buffer, stampMs: number): void;
}

/** Takes NUT with one raw video stream in chunks of any size and hands out pictures of a known size. */
export class NutParser {
  readonly #reader: NutReader;

  constructor(pictureBytes: number, sink: PictureSink) {
    this.#reader = new NutReader({
      allocate: (sizeBytes) => {
        if (sizeBytes !== pictureBytes) throw malformed(`a picture of ${sizeBytes} bytes, expected ${pictureBytes}`);
        return sink.allocate();
      },
      frame: (data, stampMs) => sink.picture(data, stampMs),
    });
  }

  /** The chunk is not needed after the call. Throws `FFMPEG_FAILED` when the stream is malformed; it cannot be continued then. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }
}
