/** H.265 out of NUT, as ffmpeg copies it from files (behind lengths) and from streams (behind start codes). */
import { H265NalType, h265Layer, h265NalType, isIrap, isLeading, lengthPrefixed, readAnnexB, readLengthPrefixed } from '../media/index.js';
import type { CopiedFrame } from './copied-frame.js';
import { malformed, NutReader } from './nut.js';

/** Larger than any frame at the bitrates in use; more means that the stream is not NUT any more. */
const MAX_FRAME_BYTES = 12 << 20;
const PARAMETER_SETS = [H265NalType.vps, H265NalType.sps, H265NalType.pps] as const;
/** Of an HEVCDecoderConfigurationRecord before its arrays (ISO/IEC 14496-15 §8.3.3.1). */
const RECORD_HEAD_BYTES = 23;

/** Takes NUT with one stream of H.265 in chunks of any size and hands out frames. */
export class NutH265Parser {
  readonly #onFrame: (frame: CopiedFrame) => void;
  readonly #reader = new NutReader({
    stream: (codecData) => this.#begin(codecData),
    allocate: (sizeBytes) => {
      if (sizeBytes > MAX_FRAME_BYTES) throw malformed(`a frame of ${sizeBytes} bytes`);
      return Buffer.allocUnsafe(sizeBytes);
    },
    frame: (data, stampMs, isKey) => this.#frame(data, stampMs, isKey),
  });
  /** Undefined: units stand behind start codes. */
  #lengthBytes: number | undefined;
  /** The newest VPS, SPS and PPS. */
  #parameterSets: readonly Buffer[] = [];
  #codecData: Buffer | undefined;
  #newestMs = -Infinity;

  constructor(onFrame: (frame: CopiedFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `FFMPEG_FAILED` when the stream is malformed; it cannot be continued then. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** Headers are repeated now and then; what came in frames meanwhile is newer. */
  #begin(codecData: Buffer): void {
    if (this.#codecData?.equals(codecData)) return;
    this.#codecData = codecData;
    const isRecord = codecData[0] === 1;
    this.#lengthBytes = isRecord ? ((codecData[21] ?? 3) & 3) + 1 : undefined;
    this.#parameterSets = (isRecord ? recordUnits(codecData) : readAnnexB(codecData)).filter(isParameterSet);
  }

  #frame(data: Buffer, stampMs: number, isKey: boolean): void {
    const units = this.#lengthBytes === undefined ? readAnnexB(data) : readLengthPrefixed(data, this.#lengthBytes);
    if (!units) throw malformed('NAL units that do not fit their frame');
    const kept = units.filter(isKept);
    this.#learn(kept);
    const slices = kept.filter(isSlice);
    if (slices.length === 0) return;
    const keyframe = slices.every((unit) => isIrap(h265NalType(unit)));
    const isReordered = stampMs < this.#newestMs || slices.some((unit) => isLeading(h265NalType(unit)));
    this.#newestMs = Math.max(this.#newestMs, stampMs);
    this.#onFrame({
      data: lengthPrefixed(keyframe ? [...this.#parameterSets, ...slices] : kept),
      mediaTimeMs: stampMs,
      keyframe,
      isReordered,
      markedAsKeyframe: isKey,
    });
  }

  /** Sets inside a frame are newer than those of the header, and replace them kind by kind. */
  #learn(units: readonly Buffer[]): void {
    if (!units.some(isParameterSet)) return;
    this.#parameterSets = PARAMETER_SETS.flatMap((type) => {
      const isOfType = (unit: Buffer): boolean => h265NalType(unit) === type;
      const inside = units.filter(isOfType);
      return inside.length > 0 ? inside : this.#parameterSets.filter(isOfType);
    });
  }
}

function isSlice(unit: Buffer): boolean {
  return h265NalType(unit) <= H265NalType.lastSlice;
}

function isParameterSet(unit: Buffer): boolean {
  const type = h265NalType(unit);
  return PARAMETER_SETS.some((wanted) => wanted === type);
}

/** Slices and parameter sets of the base layer; delimiters, filler and SEI say nothing that a viewer needs. */
function isKept(unit: Buffer): boolean {
  return unit.length > 2 && h265Layer(unit) === 0 && (isSlice(unit) || isParameterSet(unit));
}

/** The units of the record's arrays. */
function recordUnits(record: Buffer): readonly Buffer[] {
  const units: Buffer[] = [];
  let at = RECORD_HEAD_BYTES;
  const arrays = record[RECORD_HEAD_BYTES - 1] ?? 0;
  for (let array = 0; array < arrays; array++) {
    if (at + 3 > record.length) throw malformed('a decoder configuration that ends early');
    const count = record.readUInt16BE(at + 1);
    at += 3;
    for (let unit = 0; unit < count; unit++) {
      if (at + 2 > record.length) throw malformed('a decoder configuration that ends early');
      const end = at + 2 + record.readUInt16BE(at);
      if (end > record.length || end === at + 2) throw malformed('a parameter set that does not fit');
      units.push(record.subarray(at + 2, end));
      at = end;
    }
  }
  return units;
}
