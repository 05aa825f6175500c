/**
 * H.264 out of FLV as ffmpeg writes it. FLV is chosen because a tag is complete when its frame is, and carries
 * decode time, composition offset and the keyframe bit (Adobe Flash Video File Format 10.1, annex E).
 */
import { MediaPeerError } from '../base/errors.js';
import { lengthPrefixed, NalType, nalType, readLengthPrefixed } from '../media/index.js';
import { ByteQueue } from './byte-queue.js';
import type { CopiedFrame } from './copied-frame.js';

/** Larger than any picture at the bitrates in use; more means that the stream is not FLV any more. */
const MAX_TAG_BYTES = 12 << 20;
const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const TAG_TRAILER_BYTES = 4;
/** ffmpeg writes 31 bits of milliseconds: 24.8 days. */
const TIMESTAMP_PERIOD_MS = 2 ** 31;

/** Takes FLV in chunks of any size and hands out frames. */
export class FlvParser {
  readonly #queue = new ByteQueue();
  readonly #onFrame: (frame: CopiedFrame) => void;
  #headerRead = false;
  #bytesRead = 0;
  #nalLengthBytes = 4;
  #parameterSets: readonly Buffer[] = [];
  #epochMs = 0;
  #lastStampMs = 0;

  constructor(onFrame: (frame: CopiedFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `FFMPEG_FAILED` when the stream is malformed; it cannot be continued then. */
  push(chunk: Buffer): void {
    this.#queue.append(chunk);
    if (!this.#headerRead) {
      if (this.#queue.length < FILE_HEADER_BYTES) return;
      if (this.#queue.peek(3).toString('latin1') !== 'FLV') throw this.#malformed('no FLV signature');
      this.#skip(FILE_HEADER_BYTES);
      this.#headerRead = true;
    }
    while (this.#queue.length >= TAG_HEADER_BYTES) {
      const header = this.#queue.peek(TAG_HEADER_BYTES);
      const bodyBytes = header.readUIntBE(1, 3);
      if (bodyBytes > MAX_TAG_BYTES) throw this.#malformed(`a tag of ${bodyBytes} bytes`);
      if (this.#queue.length < TAG_HEADER_BYTES + bodyBytes + TAG_TRAILER_BYTES) return;
      const type = header.readUInt8(0);
      const stampMs = header.readUIntBE(4, 3) + (header.readUInt8(7) & 0x7f) * 2 ** 24;
      this.#skip(TAG_HEADER_BYTES);
      const body = this.#queue.take(bodyBytes);
      this.#bytesRead += bodyBytes;
      if (this.#queue.peek(TAG_TRAILER_BYTES).readUInt32BE(0) !== TAG_HEADER_BYTES + bodyBytes) throw this.#malformed('a wrong tag size');
      this.#skip(TAG_TRAILER_BYTES);
      if (type === 9) this.#video(body, this.#unwrap(stampMs));
      else if (type !== 8 && type !== 18) throw this.#malformed(`a tag of type ${type}`);
    }
  }

  #video(body: Buffer, decodeTimeMs: number): void {
    if (body.length < 5) throw this.#malformed('a video tag without a header');
    const codec = body.readUInt8(0) & 0x0f;
    if (codec !== 7) throw this.#malformed(`video codec ${codec}, expected 7 (H.264)`);
    const packetType = body.readUInt8(1);
    if (packetType === 0) this.#sequenceHeader(body.subarray(5));
    else if (packetType === 1) this.#accessUnit(body, decodeTimeMs);
  }

  /** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1. */
  #sequenceHeader(record: Buffer): void {
    if (record.length < 7) throw this.#malformed('a short decoder configuration');
    this.#nalLengthBytes = (record.readUInt8(4) & 3) + 1;
    const sets: Buffer[] = [];
    let at = 5;
    for (const mask of [0x1f, 0xff]) {
      if (at >= record.length) throw this.#malformed('a decoder configuration that ends early');
      let count = record.readUInt8(at++) & mask;
      while (count-- > 0) {
        if (at + 2 > record.length) throw this.#malformed('a decoder configuration that ends early');
        const end = at + 2 + record.readUInt16BE(at);
        if (end > record.length || end === at + 2) throw this.#malformed('a parameter set that does not fit');
        sets.push(record.subarray(at + 2, end));
        at = end;
      }
    }
    this.#parameterSets = sets;
  }

  #accessUnit(body: Buffer, decodeTimeMs: number): void {
    const units = readLengthPrefixed(body.subarray(5), this.#nalLengthBytes);
    if (!units) throw this.#malformed('NAL units that do not fit their tag');
    const kept = units.filter((unit) => isKept(nalType(unit)));
    const isIdr = kept.some((unit) => nalType(unit) === NalType.idr);
    if (!kept.some((unit) => nalType(unit) <= NalType.idr)) return;
    const compositionOffsetMs = body.readIntBE(2, 3);
    this.#onFrame({
      data: lengthPrefixed(isIdr ? this.#withParameterSets(kept) : kept),
      mediaTimeMs: decodeTimeMs + compositionOffsetMs,
      keyframe: isIdr,
      // Presentation minus decoding time.
      isReordered: compositionOffsetMs !== 0,
      markedAsKeyframe: body.readUInt8(0) >> 4 === 1,
    });
  }

  /** Sets inside the access unit are newer than those of the header, and replace them kind by kind. */
  #withParameterSets(units: readonly Buffer[]): readonly Buffer[] {
    const of = (list: readonly Buffer[], type: number): Buffer[] => list.filter((unit) => nalType(unit) === type);
    const newest = [NalType.sps, NalType.pps].flatMap((type) => {
      const inside = of(units, type);
      return inside.length > 0 ? inside : of(this.#parameterSets, type);
    });
    this.#parameterSets = newest;
    return [...newest, ...units.filter((unit) => nalType(unit) <= NalType.idr)];
  }

  #unwrap(stampMs: number): number {
    if (stampMs < this.#lastStampMs - TIMESTAMP_PERIOD_MS / 2) this.#epochMs += TIMESTAMP_PERIOD_MS;
    this.#lastStampMs = stampMs;
    return this.#epochMs + stampMs;
  }

  #skip(count: number): void {
    this.#queue.skip(count);
    this.#bytesRead += count;
  }

  #malformed(what: string): MediaPeerError {
    return new MediaPeerError('FFMPEG_FAILED', `the FLV stream of ffmpeg is malformed at byte ${this.#bytesRead}: ${what}`);
  }
}

/** Slices and parameter sets; delimiters, filler and SEI say nothing that a viewer needs. */
function isKept(type: number): boolean {
  return (type >= 1 && type <= NalType.idr) || type === NalType.sps || type === NalType.pps;
}
