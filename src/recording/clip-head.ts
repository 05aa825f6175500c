/**
 * The beginning of a fragmented MP4, told how long it is going to be: whoever plays what is still on its way shows its length
 * then (`mvhd` and `mdhd`, ISO/IEC 14496-12 §8.2.2, §8.4.2; `mehd`, §8.8.2).
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

/** Boxes of one type, one behind the other. */
function* boxesOf(bytes: Buffer, type: string, { begin, end }: Span): Generator<Span> {
  for (let at = begin + BOX_HEADER_BYTES; ;) {
    const found = findBox(bytes, type, at, end);
    if (typeof found !== 'object') return;
    yield found;
    at = found.end;
  }
}

function withDuration(bytes: Buffer, moov: Span, durationMs: number): Buffer {
  const [mvhd] = boxesOf(bytes, 'mvhd', moov);
  const [mvex] = boxesOf(bytes, 'mvex', moov);
  const durationS = durationMs / 1000;
  const duration = mvhd && mvex && durationS > 0 ? tellDuration(bytes, mvhd, durationS) : undefined;
  if (!mvex || duration === undefined) return bytes;
  // Players that count by tracks look there alone.
  for (const trak of boxesOf(bytes, 'trak', moov))
    for (const mdia of boxesOf(bytes, 'mdia', trak)) for (const mdhd of boxesOf(bytes, 'mdhd', mdia)) tellDuration(bytes, mdhd, durationS);
  const [known] = boxesOf(bytes, 'mehd', mvex);
  return known ? bytes : withExtendsHeader(bytes, moov, mvex, duration);
}

/** Into a `mvhd` or `mdhd` of version 0: both tell it at the same place. @returns in its clock; undefined where it does not fit */
function tellDuration(bytes: Buffer, { begin, end }: Span, durationS: number): number | undefined {
  if (end - begin < 28 || bytes[begin + BOX_HEADER_BYTES] !== 0) return undefined;
  const duration = Math.round(durationS * bytes.readUInt32BE(begin + 20));
  if (duration > 0xffffffff) return undefined;
  bytes.writeUInt32BE(duration, begin + 24);
  return duration;
}

function withExtendsHeader(bytes: Buffer, moov: Span, mvex: Span, duration: number): Buffer {
  const mehd = Buffer.alloc(16);
  mehd.writeUInt32BE(mehd.length, 0);
  mehd.write('mehd', 4, 'latin1');
  mehd.writeUInt32BE(duration, 12);
  for (const box of [moov, mvex]) bytes.writeUInt32BE(box.end - box.begin + mehd.length, box.begin);
  const at = mvex.begin + BOX_HEADER_BYTES;
  return Buffer.concat([bytes.subarray(0, at), mehd, bytes.subarray(at)]);
}
