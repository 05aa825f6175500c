/** H.264 into FLV, to feed a decoder: the counterpart of `FlvParser`, with stamps of the writer's own. */
import { avcConfiguration, lengthPrefixed, NalType, nalType, readLengthPrefixed, type EncodedFrame } from '../media/index.js';

const FILE_HEADER = Buffer.from('464c5601010000000900000000', 'hex');

/** Turns frames into the bytes of an FLV stream. */
export class FlvWriter {
  #headerWritten = false;
  #parameterSets: Buffer | undefined;

  /**
   * The bytes of one frame at `stampMs`; empty before the first keyframe with its parameter sets, and for data
   * that is not an access unit. New parameter sets are announced before their keyframe.
   */
  frame(frame: EncodedFrame, stampMs: number): readonly Buffer[] {
    const units = readLengthPrefixed(frame.data);
    if (!units) return [];
    const chunks: Buffer[] = [];
    const sps = units.filter((unit) => nalType(unit) === NalType.sps);
    const pps = units.filter((unit) => nalType(unit) === NalType.pps);
    const record = frame.keyframe ? avcConfiguration(sps.slice(0, 1), pps) : undefined;
    if (record) {
      if (!this.#headerWritten) chunks.push(FILE_HEADER);
      this.#headerWritten = true;
      if (!this.#parameterSets?.equals(record)) chunks.push(...tag(Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), record]), stampMs));
      this.#parameterSets = record;
    }
    if (!this.#headerWritten) return [];
    const slices = units.filter((unit) => nalType(unit) !== NalType.sps && nalType(unit) !== NalType.pps);
    if (slices.length === 0) return [];
    const body = Buffer.concat([Buffer.from([frame.keyframe ? 0x17 : 0x27, 1, 0, 0, 0]), lengthPrefixed(slices)]);
    return [...chunks, ...tag(body, stampMs)];
  }
}

function tag(body: Buffer, stampMs: number): Buffer[] {
  const header = Buffer.alloc(11);
  header.writeUInt8(9, 0);
  header.writeUIntBE(body.length, 1, 3);
  header.writeUIntBE(stampMs % 2 ** 24, 4, 3);
  header.writeUInt8(Math.floor(stampMs / 2 ** 24) & 0x7f, 7);
  const trailer = Buffer.allocUnsafe(4);
  trailer.writeUInt32BE(header.length + body.length);
  return [header, body, trailer];
}
