/** H.264 from RTP payloads (RFC 6184, packetization-modes 0 and 1) to access units that can be decoded from each IDR picture on. */
import type { AssembledFrame, Depacketizer } from './depacketizer.js';
import { NalType, nalType } from './h264.js';
import { lengthPrefixed } from './nal-units.js';
import { h264Size, parameterSetId, type PictureSize } from './picture-size.js';

/** Access unit delimiter, end of sequence, end of stream, filler: say nothing that a frame of its own does not say. */
const FIRST_DROPPED = 9;
const LAST_DROPPED = 12;
/** Parameter sets that are kept; real streams have one or two of each. */
const MAX_PARAMETER_SETS = 16;

/** Puts access units together. */
export class H264Depacketizer implements Depacketizer {
  /** By their ids, in the order in which they first came. */
  readonly #sps = new Map<number, Buffer>();
  readonly #pps = new Map<number, Buffer>();
  #size: PictureSize | undefined;

  constructor(parameterSets = '') {
    for (const item of parameterSets.split(',').slice(0, 2 * MAX_PARAMETER_SETS)) {
      const unit = Buffer.from(item, 'base64');
      if (unit.length > 1) this.#keepParameterSet(unit);
    }
  }

  get size(): PictureSize | undefined {
    return this.#size;
  }

  beginsFrame(payload: Buffer): boolean {
    const type = firstUnitType(payload);
    return type === NalType.sps || type === FIRST_DROPPED;
  }

  beginsKeyframe(payload: Buffer): boolean {
    return firstUnitType(payload) === NalType.sps;
  }

  assemble(payloads: readonly Buffer[]): AssembledFrame | 'empty' | 'damaged' {
    const units = readUnits(payloads);
    if (!units) return 'damaged';
    const kept = units.filter((unit) => nalType(unit) < FIRST_DROPPED || nalType(unit) > LAST_DROPPED);
    for (const unit of kept) if (isParameterSet(unit)) this.#keepParameterSet(unit);
    const first = kept.find(isSlice);
    if (!first) return 'empty';
    if (nalType(first) !== NalType.idr) return { data: lengthPrefixed(kept), keyframe: false };
    return this.#assembleIdr(first, kept);
  }

  #assembleIdr(firstSlice: Buffer, units: readonly Buffer[]): AssembledFrame | 'damaged' {
    // first_mb_in_slice is 0, written as a single 1 bit: else the picture lacks its beginning.
    if (this.#sps.size === 0 || this.#pps.size === 0 || ((firstSlice[1] ?? 0) & 0x80) === 0) return 'damaged';
    const [sps] = units.filter((unit) => nalType(unit) === NalType.sps);
    this.#size = h264Size(sps ?? [...this.#sps.values()][0] ?? Buffer.alloc(0)) ?? this.#size;
    const pictures = units.filter((unit) => !isParameterSet(unit));
    return { data: lengthPrefixed([...this.#sps.values(), ...this.#pps.values(), ...pictures]), keyframe: true };
  }

  #keepParameterSet(unit: Buffer): void {
    const isSps = nalType(unit) === NalType.sps;
    if (!isSps && nalType(unit) !== NalType.pps) return;
    const id = parameterSetId(unit, isSps);
    if (id === undefined) return;
    const sets = isSps ? this.#sps : this.#pps;
    const [oldest] = sets.keys();
    if (!sets.has(id) && sets.size >= MAX_PARAMETER_SETS && oldest !== undefined) sets.delete(oldest);
    sets.set(id, unit);
  }
}

function isSlice(unit: Buffer): boolean {
  const type = nalType(unit);
  return type >= 1 && type <= NalType.idr;
}

function isParameterSet(unit: Buffer): boolean {
  return nalType(unit) === NalType.sps || nalType(unit) === NalType.pps;
}

/** nal_unit_type of the first unit that begins in a payload; undefined where none does. */
function firstUnitType(payload: Buffer): number | undefined {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === NalType.stapA) return payload[3] === undefined ? undefined : payload[3] & 0x1f;
  if (type !== NalType.fuA) return type;
  return ((payload[1] ?? 0) & 0x80) === 0 ? undefined : (payload[1] ?? 0) & 0x1f;
}

/** The NAL units of the payloads of one frame; undefined where they do not fit together. */
function readUnits(payloads: readonly Buffer[]): Buffer[] | undefined {
  const units: Buffer[] = [];
  /** Of the unit that has begun and not ended. */
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const header = payload[0] ?? 0x80;
    const type = header & 0x1f;
    const isFragment = type === NalType.fuA;
    // forbidden_zero_bit says that something is wrong; a unit that has begun must end before another one begins.
    if (header >= 0x80 || (!isFragment && fragments.length > 0)) return undefined;
    if (type === NalType.stapA) {
      if (!readAggregate(payload, units)) return undefined;
    } else if (isFragment) {
      const fuHeader = payload[1];
      if (fuHeader === undefined || payload.length < 3) return undefined;
      const isStart = (fuHeader & 0x80) !== 0;
      if (isStart === fragments.length > 0) return undefined;
      if (isStart) fragments.push(Buffer.from([(header & 0xe0) | (fuHeader & 0x1f)]));
      fragments.push(payload.subarray(2));
      if ((fuHeader & 0x40) !== 0) {
        units.push(Buffer.concat(fragments));
        fragments = [];
      }
    } else if (type >= 1 && type < NalType.stapA) {
      units.push(payload);
    } else {
      return undefined; // interleaved forms (packetization-mode 2) are never negotiated
    }
  }
  return fragments.length === 0 ? units : undefined;
}

/** Each unit of a STAP-A behind its size in 2 bytes (RFC 6184 §5.7.1). */
function readAggregate(payload: Buffer, units: Buffer[]): boolean {
  let at = 1;
  while (at < payload.length) {
    if (at + 2 > payload.length) return false;
    const end = at + 2 + payload.readUInt16BE(at);
    if (end > payload.length || end === at + 2) return false;
    units.push(payload.subarray(at + 2, end));
    at = end;
  }
  return payload.length > 1;
}
