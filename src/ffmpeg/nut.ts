/**
 * Frames with their timestamps out of NUT (ffmpeg.org/~michael/nut.txt) with one stream, as ffmpeg writes it: decoded
 * pictures, and H.265.
 *
 * A decoder swallows damaged frames, so pictures on a bare pipe cannot be paired with the frames that went in.
 * Among the containers that ffmpeg can write raw video to, NUT alone is both complete as soon as the picture is
 * (Matroska and MP4 hold one back) and stamped. The same holds for H.265: FLV carries none before ffmpeg 6.1, MPEG-TS ends
 * a frame with the next one.
 */
import { MediaPeerError } from '../base/errors.js';
import { ByteQueue } from './byte-queue.js';

/** ffmpeg's options that write NUT without an index, which would grow in its memory for as long as it runs. */
export const NUT_OUTPUT: readonly string[] = ['-write_index', '0', '-f', 'nut'];

const NOTHING = Buffer.alloc(0);
const FILE_ID = Buffer.from('nut/multimedia container\0', 'latin1');
/** First byte of every start code. */
const START_BYTE = 0x4e;
const MAIN = 0x4e4d7a561f5f04adn;
const STREAM = 0x4e5311405bf2f9dbn;
const SYNCPOINT = 0x4e4be4adeeca4569n;
const MAX_HEADER_PACKET_BYTES = 64 << 10;
/** Longest frame header that ffmpeg writes, with room to spare. */
const MAX_FRAME_HEADER_BYTES = 64;

/** A longer frame is written whole, without a header that stands in the main header. */
const MAX_ELIDED_BYTES = 4096;

const FLAG = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

interface FrameCode {
  readonly flags: number;
  readonly ptsDelta: number;
  readonly sizeMul: number;
  readonly sizeLsb: number;
  readonly reserved: number;
  readonly headerIndex: number;
}

interface FrameInProgress {
  readonly data: Buffer;
  filled: number;
  readonly stampMs: number;
  readonly isKey: boolean;
}

/** Where frames go. */
export interface NutSink {
  /** The stream's header has been read. @param codecData what decoders need before the first frame; empty where there is none */
  stream?(codecData: Buffer): void;
  /** Memory for the next frame, of exactly this size. Throws where a frame of this size makes no sense. */
  allocate(sizeBytes: number): Buffer;
  /** A whole frame, in memory that came from `allocate`, with its time of presentation in milliseconds. @param isKey the container calls it a keyframe */
  frame(data: Buffer, stampMs: number, isKey: boolean): void;
}

/** Takes NUT in chunks of any size and hands out frames. */
export class NutReader {
  readonly #queue = new ByteQueue();
  readonly #sink: NutSink;
  #signatureRead = false;
  #timeBases: { readonly num: number; readonly den: number }[] = [];
  #frameCodes: FrameCode[] = [];
  /** What frames may begin with without that it is written again. */
  #elided: Buffer[] = [NOTHING];
  #timeBase = { num: 1, den: 1000 };
  #msbPtsShift = 0;
  #lastPts = 0;
  #frame: FrameInProgress | undefined;

  constructor(sink: NutSink) {
    this.#sink = sink;
  }

  /** The chunk is not needed after the call. Throws `FFMPEG_FAILED` when the stream is malformed; it cannot be continued then. */
  push(chunk: Buffer): void {
    this.#queue.append(chunk);
    if (!this.#signatureRead) {
      if (this.#queue.length < FILE_ID.length) return this.#queue.keep();
      if (!this.#queue.take(FILE_ID.length).equals(FILE_ID)) throw malformed('no NUT signature');
      this.#signatureRead = true;
    }
    while (this.#queue.length > 0 && this.#step());
    this.#queue.keep();
  }

  /** Reads one thing; false when more bytes are needed. */
  #step(): boolean {
    if (this.#frame) return this.#fill(this.#frame);
    return this.#queue.peek(1)[0] === START_BYTE ? this.#headerPacket() : this.#frameHeader();
  }

  #fill(frame: FrameInProgress): boolean {
    const { data } = frame;
    frame.filled += this.#queue.moveTo(data, frame.filled, data.length - frame.filled);
    if (frame.filled < data.length) return false;
    this.#frame = undefined;
    this.#sink.frame(data, frame.stampMs, frame.isKey);
    return true;
  }

  #headerPacket(): boolean {
    const head = new Cursor(this.#queue.peek(8 + 10 + 4));
    const startCode = head.u64();
    const forward = head.unsigned();
    if (forward > MAX_HEADER_PACKET_BYTES) throw malformed(`a header of ${forward} bytes`);
    if (forward > 4096) head.skip(4);
    if (head.isShort || this.#queue.length < head.at + forward) return false;
    this.#queue.skip(head.at);
    const content = new Cursor(this.#queue.take(forward).subarray(0, -4));
    if (startCode === MAIN) this.#mainHeader(content);
    else if (startCode === STREAM) this.#streamHeader(content);
    else if (startCode === SYNCPOINT) this.#syncpoint(content);
    if (content.isShort) throw malformed('a header that ends early');
    return true;
  }

  #mainHeader(content: Cursor): void {
    const version = content.unsigned();
    if (version < 2 || version > 3) throw malformed(`NUT version ${version}`);
    if (content.unsigned() !== 1) throw malformed('more than one stream');
    content.unsigned(); // max_distance
    this.#timeBases = Array.from({ length: Math.min(content.unsigned(), 16) }, () => ({
      num: content.unsigned(),
      den: content.unsigned(),
    }));
    this.#frameCodes = readFrameCodes(content);
    const headers = Math.min(content.unsigned(), 127);
    this.#elided = [NOTHING];
    for (let i = 0; i < headers; i++) this.#elided.push(content.bytes(content.unsigned()));
  }

  #streamHeader(content: Cursor): void {
    content.unsigned(); // stream_id
    content.unsigned(); // stream_class
    content.skip(content.unsigned()); // fourcc
    const timeBase = this.#timeBases[content.unsigned()];
    if (!timeBase || timeBase.num === 0 || timeBase.den === 0) throw malformed('a stream without a time base');
    this.#timeBase = timeBase;
    this.#msbPtsShift = content.unsigned();
    if (this.#msbPtsShift > 30) throw malformed('an impossible timestamp width');
    content.unsigned(); // max_pts_distance
    content.unsigned(); // decode_delay
    content.unsigned(); // stream_flags
    this.#sink.stream?.(content.bytes(content.unsigned()));
  }

  #syncpoint(content: Cursor): void {
    const coded = content.unsigned();
    const from = this.#timeBases[coded % this.#timeBases.length] ?? this.#timeBase;
    const ticks = Math.floor(coded / Math.max(1, this.#timeBases.length));
    this.#lastPts = Math.floor((ticks * from.num * this.#timeBase.den) / (from.den * this.#timeBase.num));
  }

  #frameHeader(): boolean {
    const cursor = new Cursor(this.#queue.peek(MAX_FRAME_HEADER_BYTES));
    const code = this.#frameCodes[cursor.u8()];
    if (!code) throw malformed('a frame before its headers');
    const flags = code.flags & FLAG.coded ? code.flags ^ cursor.unsigned() : code.flags;
    if (flags & (FLAG.invalid | FLAG.sideData)) throw malformed('an unexpected frame code');
    if (flags & FLAG.streamId) cursor.unsigned();
    const pts = flags & FLAG.codedPts ? this.#fullPts(cursor.unsigned()) : this.#lastPts + code.ptsDelta;
    const sizeBytes = flags & FLAG.sizeMsb ? code.sizeLsb + code.sizeMul * cursor.unsigned() : code.sizeLsb;
    if (flags & FLAG.matchTime) cursor.unsigned();
    const headerIndex = flags & FLAG.headerIndex ? cursor.unsigned() : code.headerIndex;
    const reserved = flags & FLAG.reserved ? cursor.unsigned() : code.reserved;
    for (let i = 0; i < reserved && !cursor.isShort; i++) cursor.unsigned();
    if (flags & FLAG.checksum) cursor.skip(4);
    if (cursor.isShort) {
      if (this.#queue.length >= MAX_FRAME_HEADER_BYTES) throw malformed('a frame header without an end');
      return false;
    }
    const elided = (sizeBytes <= MAX_ELIDED_BYTES && this.#elided[headerIndex]) || NOTHING;
    if (elided.length > sizeBytes) throw malformed(`a frame of ${sizeBytes} bytes that begins with ${elided.length}`);
    this.#queue.skip(cursor.at);
    this.#lastPts = pts;
    const stampMs = (pts * this.#timeBase.num * 1000) / this.#timeBase.den;
    const data = this.#sink.allocate(sizeBytes);
    this.#frame = { data, filled: elided.copy(data), stampMs, isKey: (flags & FLAG.key) !== 0 };
    return true;
  }

  /** Small values are the lowest bits of the time, to be completed from the one before. */
  #fullPts(coded: number): number {
    const span = 2 ** this.#msbPtsShift;
    if (coded >= span) return coded - span;
    const from = this.#lastPts - Math.floor((span - 1) / 2);
    return from + ((((coded - from) % span) + span) % span);
  }
}

/** The table that expands the first byte of a frame. */
function readFrameCodes(content: Cursor): FrameCode[] {
  const table: FrameCode[] = [];
  const invalid = { flags: FLAG.invalid, ptsDelta: 0, sizeMul: 1, sizeLsb: 0, reserved: 0, headerIndex: 0 };
  let [ptsDelta, sizeMul, headerIndex] = [0, 1, 0];
  while (table.length < 256 && !content.isShort) {
    const flags = content.unsigned();
    const fields = content.unsigned();
    if (fields > 0) ptsDelta = content.signed();
    if (fields > 1) sizeMul = content.unsigned();
    if (fields > 2) content.unsigned(); // stream_id
    const size = fields > 3 ? content.unsigned() : 0;
    const reserved = fields > 4 ? content.unsigned() : 0;
    const count = fields > 5 ? content.unsigned() : sizeMul - size;
    if (fields > 6) content.unsigned(); // match_time_delta
    if (fields > 7) headerIndex = content.unsigned();
    for (let i = 8; i < Math.min(fields, 64); i++) content.unsigned();
    if (count <= 0) throw malformed('an empty run of frame codes');
    for (let i = 0; i < count && table.length < 256; i++) {
      if (table.length === START_BYTE) table.push(invalid);
      table.push({ flags, ptsDelta, sizeMul, sizeLsb: size + i, reserved, headerIndex });
    }
  }
  return table.slice(0, 256);
}

/** Reads numbers; what lies beyond the end reads as 0 and makes the cursor `isShort`. */
class Cursor {
  at = 0;
  isShort = false;
  readonly #data: Buffer;

  constructor(data: Buffer) {
    this.#data = data;
  }

  u8(): number {
    const value = this.#data[this.at];
    if (value === undefined) this.isShort = true;
    else this.at++;
    return value ?? 0;
  }

  u64(): bigint {
    let value = 0n;
    for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(this.u8());
    return value;
  }

  /** `v` of the NUT specification: 7 bits a byte, the highest bit says that more follow. */
  unsigned(): number {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = this.u8();
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    throw malformed('a number without an end');
  }

  /** `s` of the NUT specification. */
  signed(): number {
    const value = this.unsigned() + 1;
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2;
  }

  /** A copy; shorter where they lie beyond the end. */
  bytes(count: number): Buffer {
    const begin = this.at;
    this.skip(count);
    return Buffer.from(this.#data.subarray(begin, this.at));
  }

  skip(count: number): void {
    if (this.at + count > this.#data.length) this.isShort = true;
    else this.at += count;
  }
}

/** FFMPEG_FAILED: what ffmpeg wrote is not as it should be. */
export function malformed(what: string): MediaPeerError {
  return new MediaPeerError('FFMPEG_FAILED', `the NUT stream of ffmpeg is malformed: ${what}`);
}
