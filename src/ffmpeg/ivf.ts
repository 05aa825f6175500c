/** VP8 frames out of IVF as ffmpeg writes it: a 32 byte header, then size, time and data of each frame. */
import { MediaPeerError } from '../base/errors.js';
import type { EncodedFrame } from '../media/index.js';
import { ByteQueue } from './byte-queue.js';

const FILE_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;
const MAX_FRAME_BYTES = 12 << 20;

/** Takes IVF in chunks of any size and hands out frames. */
export class IvfParser {
  readonly #queue = new ByteQueue();
  readonly #onFrame: (frame: EncodedFrame) => void;
  /** Milliseconds of one tick; 0 until the header is read. */
  #tickMs = 0;

  constructor(onFrame: (frame: EncodedFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `FFMPEG_FAILED` when the stream is malformed; it cannot be continued then. */
  push(chunk: Buffer): void {
    this.#queue.append(chunk);
    if (this.#tickMs === 0) {
      if (this.#queue.length < FILE_HEADER_BYTES) return;
      this.#tickMs = readTickMs(this.#queue.take(FILE_HEADER_BYTES));
    }
    while (this.#queue.length >= FRAME_HEADER_BYTES) {
      const header = this.#queue.peek(FRAME_HEADER_BYTES);
      const sizeBytes = header.readUInt32LE(0);
      if (sizeBytes > MAX_FRAME_BYTES) throw malformed(`a frame of ${sizeBytes} bytes`);
      if (this.#queue.length < FRAME_HEADER_BYTES + sizeBytes) return;
      const ticks = Number(header.readBigUInt64LE(4));
      this.#queue.skip(FRAME_HEADER_BYTES);
      if (sizeBytes === 0) continue;
      const data = this.#queue.take(sizeBytes);
      // RFC 6386 §9.1: the lowest bit of the first byte is 0 in a key frame.
      this.#onFrame({ data, mediaTimeMs: ticks * this.#tickMs, keyframe: (data.readUInt8(0) & 1) === 0 });
    }
  }
}

function readTickMs(header: Buffer): number {
  const codec = header.toString('latin1', 8, 12);
  if (header.toString('latin1', 0, 4) !== 'DKIF') throw malformed('no DKIF signature');
  if (codec !== 'VP80') throw malformed(`codec '${codec}', expected 'VP80'`);
  const [denominator, numerator] = [header.readUInt32LE(16), header.readUInt32LE(20)];
  if (denominator === 0 || numerator === 0) throw malformed('a time base of zero');
  return (numerator / denominator) * 1000;
}

function malformed(what: string): MediaPeerError {
  return new MediaPeerError('FFMPEG_FAILED', `the IVF stream of ffmpeg is malformed: ${what}`);
}
