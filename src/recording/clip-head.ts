/**
 * The beginning of a fragmented MP4, told how long it is going to be: whoever plays what is still on its way shows its length
 * then (`mvhd`, ISO/IEC 14496-12 §8.2.2; `mehd`, §8.8.2).
 */

const MAX_HEAD_BYTES = 1 << 20;
const BOX_HEADER_BYTES = 8;

/** Holds the first boxes back until they are whole, and hands on everything else as it comes. */
export class ClipHead {
  readonly #durationMs: number;
  #held: Buffer | undefined = Buffer.alloc(0);

  /** @param durationMs about how long it is going to be */
  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** What can be handed on by now; empty: nothing. */
  push(chunk: Buffer): Buffer {
    if (!this.#held) return chunk;
    const bytes = Buffer.concat([this.#held, chunk]);
    const moov = findBox(bytes, 'moov', 0, bytes.length);
    this.#held = bytes;
    if (moov === 'short' && bytes.length < MAX_HEAD_BYTES) return Buffer.alloc(0);
    this.#held = undefined;
    return typeof moov === 'object' ? withDuration(bytes, moov, this.#durationMs) : bytes;
  }
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

/** `short`: it may be in what is not there yet. */
function findBox(bytes: Buffer, type: string, from: number, to: number): Span | 'short' | 'none' {
  let at = from;
  while (at + BOX_HEADER_BYTES <= to) {
    const size = bytes.readUInt32BE(at);
    // Boxes of 64 bits, or to the end, are none of a head.
    if (size < BOX_HEADER_BYTES) return 'none';
    const isWanted = bytes.toString('latin1', at + 4, at + 8) === type;
    if (at + size > to) return 'short';
    if (isWanted) return { begin: at, end: at + size };
    at += size;
  }
  return 'short';
}

function withDuration(bytes: Buffer, moov: Span, durationMs: number): Buffer {
  const inside = moov.begin + BOX_HEADER_BYTES;
  const mvhd = findBox(bytes, 'mvhd', inside, moov.end);
  const mvex = findBox(bytes, 'mvex', inside, moov.end);
  if (typeof mvhd !== 'object' || typeof mvex !== 'object' || bytes[mvhd.begin + BOX_HEADER_BYTES] !== 0) return bytes;
  const timescale = bytes.readUInt32BE(mvhd.begin + 20);
  const duration = Math.round((durationMs / 1000) * timescale);
  if (duration <= 0 || duration > 0xffffffff) return bytes;
  bytes.writeUInt32BE(duration, mvhd.begin + 24);
  if (typeof findBox(bytes, 'mehd', mvex.begin + BOX_HEADER_BYTES, mvex.end) === 'object') return bytes;
  const mehd = Buffer.alloc(16);
  mehd.writeUInt32BE(mehd.length, 0);
  mehd.write('mehd', 4, 'latin1');
  mehd.writeUInt32BE(duration, 12);
  for (const box of [moov, mvex]) bytes.writeUInt32BE(box.end - box.begin + mehd.length, box.begin);
  const at = mvex.begin + BOX_HEADER_BYTES;
  return Buffer.concat([bytes.subarray(0, at), mehd, bytes.subarray(at)]);
}
