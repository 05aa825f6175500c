/**
 * Opus packets out of Ogg (RFC 3533, RFC 7845). ffmpeg is told to write one packet a page, so a page is
 * complete when its packet is; several packets a page and packets over several pages are understood too.
 */
import type { EncodedFrame } from '../media/index.js';
import { ByteQueue } from './byte-queue.js';

const PAGE_HEADER_BYTES = 27;
const MAX_PACKET_BYTES = 64 << 10;
const CAPTURE_PATTERN = Buffer.from('OggS');

/** Takes Ogg in chunks of any size and hands out packets with the time at which they begin. */
export class OggOpusParser {
  readonly #queue = new ByteQueue();
  readonly #onPacket: (packet: EncodedFrame) => void;
  #preSkip = 0;
  /** Begin of a packet that goes on in the next page. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  /** Pages that were skipped because they were damaged. */
  damagedPages = 0;

  constructor(onPacket: (packet: EncodedFrame) => void) {
    this.#onPacket = onPacket;
  }

  /** Never throws: what is damaged is skipped, up to the next sound page. */
  push(chunk: Buffer): void {
    this.#queue.append(chunk);
    for (;;) {
      if (!this.#synchronise() || this.#queue.length < PAGE_HEADER_BYTES) return;
      const segments = this.#queue.peek(PAGE_HEADER_BYTES).readUInt8(26);
      if (this.#queue.length < PAGE_HEADER_BYTES + segments) return;
      const header = this.#queue.peek(PAGE_HEADER_BYTES + segments);
      const bodyBytes = header.subarray(PAGE_HEADER_BYTES).reduce((sum, lacing) => sum + lacing, 0);
      const pageBytes = header.length + bodyBytes;
      if (this.#queue.length < pageBytes) return;
      const page = Buffer.from(this.#queue.peek(pageBytes));
      const checksum = page.readUInt32LE(22);
      page.writeUInt32LE(0, 22);
      if (page.readUInt8(4) !== 0 || oggChecksum(page) !== checksum) {
        this.damagedPages++;
        this.#partial = [];
        this.#partialBytes = 0;
        this.#queue.skip(CAPTURE_PATTERN.length);
        continue;
      }
      this.#queue.skip(pageBytes);
      this.#page(page, header.length);
    }
  }

  /** Moves to the next capture pattern; false when there is none yet. */
  #synchronise(): boolean {
    while (this.#queue.length >= CAPTURE_PATTERN.length) {
      if (this.#queue.peek(CAPTURE_PATTERN.length).equals(CAPTURE_PATTERN)) return true;
      const window = this.#queue.peek(4096);
      const at = window.indexOf(CAPTURE_PATTERN, 1);
      this.#queue.skip(at >= 0 ? at : window.length - (CAPTURE_PATTERN.length - 1));
    }
    return false;
  }

  #page(page: Buffer, bodyAt: number): void {
    const continued = (page.readUInt8(5) & 1) !== 0;
    const granule = page.readBigInt64LE(6);
    if (!continued) {
      this.#partial = [];
      this.#partialBytes = 0;
    }
    let skipping = continued && this.#partial.length === 0;
    const packets: Buffer[] = [];
    let from = bodyAt;
    let at = bodyAt;
    for (const lacing of page.subarray(PAGE_HEADER_BYTES, bodyAt)) {
      at += lacing;
      if (lacing === 255) continue;
      if (!skipping) packets.push(Buffer.concat([...this.#partial, page.subarray(from, at)]));
      skipping = false;
      this.#partial = [];
      this.#partialBytes = 0;
      from = at;
    }
    if (from < at && !skipping && this.#partialBytes + at - from <= MAX_PACKET_BYTES) {
      this.#partial.push(page.subarray(from, at));
      this.#partialBytes += at - from;
    }
    this.#packets(packets, granule);
  }

  /** The granule position is the end of the page's last packet, in samples at 48 kHz, pre-skip included. */
  #packets(packets: readonly Buffer[], granule: bigint): void {
    const audio = packets.filter((packet) => {
      if (packet.length === 0 || packet.subarray(0, 8).toString('latin1') === 'OpusTags') return false;
      if (packet.subarray(0, 8).toString('latin1') !== 'OpusHead') return true;
      if (packet.length >= 12) this.#preSkip = packet.readUInt16LE(10);
      return false;
    });
    const durations = audio.map(opusPacketSamples);
    let begin = Number(granule) - this.#preSkip - durations.reduce((sum, samples) => sum + samples, 0);
    audio.forEach((data, i) => {
      this.#onPacket({ data, mediaTimeMs: begin / 48, keyframe: true });
      begin += durations[i] as number;
    });
  }
}

/** Samples at 48 kHz in an Opus packet, from its TOC byte (RFC 6716 §3.1); 0 when it is malformed. */
export function opusPacketSamples(packet: Buffer): number {
  if (packet.length === 0) return 0;
  const toc = packet.readUInt8(0);
  const config = toc >> 3;
  const frameSamples =
    config < 12
      ? ([480, 960, 1920, 2880][config & 3] as number)
      : config < 16
        ? ([480, 960][config & 1] as number)
        : ([120, 240, 480, 960][config & 3] as number);
  const code = toc & 3;
  if (code < 3) return frameSamples * (code === 0 ? 1 : 2);
  return packet.length < 2 ? 0 : frameSamples * (packet.readUInt8(1) & 0x3f);
}

const CHECKSUM_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let remainder = i << 24;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 0x8000_0000 ? (remainder << 1) ^ 0x04c1_1db7 : remainder << 1;
  return remainder >>> 0;
});

/** CRC-32 with polynomial 0x04c11db7, not reflected, over the page with a zero checksum field (RFC 3533 §6). */
export function oggChecksum(page: Buffer): number {
  let crc = 0;
  for (const byte of page) crc = ((crc << 8) ^ (CHECKSUM_TABLE[(crc >>> 24) ^ byte] as number)) >>> 0;
  return crc;
}
