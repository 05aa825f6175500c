/**
 * Decoded pictures with their timestamps out of NUT (ffmpeg.org/~michael/nut.txt), as ffmpeg writes it.
 *
 * A decoder swallows damaged frames, so pictures on a bare pipe cannot be paired with the frames that went in.
 * Among the containers that ffmpeg can write raw video to, NUT alone is both complete as soon as the picture is
 * (Matroska and MP4 hold one back) and stamped.
 */
import { MediaPeerError } from '../base/errors.js';
import { ByteQueue } from './byte-queue.js';

const FILE_ID = Buffer.from('nut/multimedia container\0', 'latin1');
/** First byte of every start code. */
const START_BYTE = 0x4e;
const MAIN = 0x4e4d7a561f5f04adn;
const STREAM = 0x4e5311405bf2f9dbn;
const SYNCPOINT = 0x4e4be4adeeca4569n;
const MAX_HEADER_PACKET_BYTES = 64 << 10;
/** Longest frame header that ffmpeg writes, with room to spare. */
const MAX_FRAME_HEADER_BYTES = 64;

const FLAG = {
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

interface PictureInProgress {
  readonly data: Buffer;
  filled: number;
  readonly stampMs: number;
}

/** Where pictures go. */
export interface NutSink {
  /** Memory for the next picture. */
  allocate(): Buffer;
  /** A whole picture, in memory that came from `allocate`, with its time in milliseconds. */
  picture(data: Buffer, stampMs: number): void;
}

/** Takes NUT with one raw video stream in chunks of any size and hands out pictures of a known size. */
export class NutParser {
  readonly #queue = new ByteQueue();
  readonly #pictureBytes: number;
  readonly #sink: NutSink;
  #signatureRead = false;
  #timeBases: { readonly num: number; readonly den: number }[] = [];
  #frameCodes: FrameCode[] = [];
  #elidedBytes: number[] = [0];
  #timeBase = { num: 1, den: 1000 };
  #msbPtsShift = 0;
  #lastPts = 0;
  #picture: PictureInProgress | undefined;

  constructor(pictureBytes: number, sink: NutSink) {
    this.#pictureBytes = pictureBytes;
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
    if (this.#picture) return this.#fillPicture(this.#picture);
    return this.#queue.peek(1)[0] === START_BYTE ? this.#headerPacket() : this.#frameHeader();
  }

  #fillPicture(picture: PictureInProgress): boolean {
    picture.filled += this.#queue.moveTo(picture.data, picture.filled, this.#pictureBytes - picture.filled);
    if (picture.filled < this.#pictureBytes) return false;
    this.#picture = undefined;
    this.#sink.picture(picture.data, picture.stampMs);
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
    this.#elidedBytes = [0];
    for (let i = 0; i < headers; i++) {
      const length = content.unsigned();
      content.skip(length);
      this.#elidedBytes.push(length);
    }
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
    let sizeBytes = flags & FLAG.sizeMsb ? code.sizeLsb + code.sizeMul * cursor.unsigned() : code.sizeLsb;
    if (flags & FLAG.matchTime) cursor.unsigned();
    const headerIndex = flags & FLAG.headerIndex ? cursor.unsigned() : code.headerIndex;
    const reserved = flags & FLAG.reserved ? cursor.unsigned() : code.reserved;
    for (let i = 0; i < reserved && !cursor.isShort; i++) cursor.unsigned();
    if (sizeBytes <= 4096) sizeBytes -= this.#elidedBytes[headerIndex] ?? 0;
    if (flags & FLAG.checksum) cursor.skip(4);
    if (cursor.isShort) {
      if (this.#queue.length >= MAX_FRAME_HEADER_BYTES) throw malformed('a frame header without an end');
      return false;
    }
    if (sizeBytes !== this.#pictureBytes) throw malformed(`a picture of ${sizeBytes} bytes, expected ${this.#pictureBytes}`);
    this.#queue.skip(cursor.at);
    this.#lastPts = pts;
    const stampMs = (pts * this.#timeBase.num * 1000) / this.#timeBase.den;
    this.#picture = { data: this.#sink.allocate(), filled: 0, stampMs };
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

  skip(count: number): void {
    if (this.at + count > this.#data.length) this.isShort = true;
    else this.at += count;
  }
}

function malformed(what: string): MediaPeerError {
  return new MediaPeerError('FFMPEG_FAILED', `the NUT stream of ffmpeg is malformed: ${what}`);
}
