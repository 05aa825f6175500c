/** VP8 into IVF, to feed a decoder: the counterpart of `IvfParser`, with stamps of the writer's own. */
import type { EncodedFrame } from '../media/index.js';

/** Turns frames into the bytes of an IVF stream whose ticks are milliseconds. */
export class IvfWriter {
  #headerWritten = false;

  /** The bytes of one frame at `stampMs`; empty before the first keyframe. */
  frame(frame: EncodedFrame, stampMs: number): readonly Buffer[] {
    if (frame.data.length === 0 || (!this.#headerWritten && !frame.keyframe)) return [];
    const header = Buffer.alloc(12);
    header.writeUInt32LE(frame.data.length, 0);
    header.writeBigUInt64LE(BigInt(stampMs), 4);
    const chunks = this.#headerWritten ? [header, frame.data] : [fileHeader(frame.data), header, frame.data];
    this.#headerWritten = true;
    return chunks;
  }
}

/** The size in it is that of the first keyframe (RFC 6386 §9.1); decoders follow the keyframes from there on. */
function fileHeader(keyframe: Buffer): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(32, 6);
  header.write('VP80', 8, 'latin1');
  if (keyframe.length >= 10) {
    header.writeUInt16LE(keyframe.readUInt16LE(6) & 0x3fff, 12);
    header.writeUInt16LE(keyframe.readUInt16LE(8) & 0x3fff, 14);
  }
  header.writeUInt32LE(1000, 16);
  header.writeUInt32LE(1, 20);
  return header;
}
