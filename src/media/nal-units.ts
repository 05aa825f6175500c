/** Access units of H.264 and H.265 as NAL units, each behind its length (ISO/IEC 14496-15 §5.3.2) or behind a start code (Annex B of either). */

const START_CODE = Buffer.from([0, 0, 1]);

/** The units of an access unit, as views; undefined when the lengths do not fit. Empty units are left out. */
export function readLengthPrefixed(data: Buffer, lengthBytes = 4): readonly Buffer[] | undefined {
  const units: Buffer[] = [];
  let at = 0;
  while (at < data.length) {
    if (at + lengthBytes > data.length) return undefined;
    const end = at + lengthBytes + data.readUIntBE(at, lengthBytes);
    if (end > data.length) return undefined;
    if (end > at + lengthBytes) units.push(data.subarray(at + lengthBytes, end));
    at = end;
  }
  return units;
}

/** Puts each unit behind its length in 4 bytes, into one new buffer. */
export function lengthPrefixed(units: readonly Buffer[]): Buffer {
  const data = Buffer.allocUnsafe(units.reduce((sum, unit) => sum + 4 + unit.length, 0));
  let at = 0;
  for (const unit of units) {
    at = data.writeUInt32BE(unit.length, at);
    at += unit.copy(data, at);
  }
  return data;
}

/** The units of a byte stream (Annex B), as views; what stands before the first start code is left out. */
export function readAnnexB(data: Buffer): readonly Buffer[] {
  const units: Buffer[] = [];
  let begin: number | undefined;
  const end = (at: number): void => {
    if (begin === undefined) return;
    let last = at;
    // trailing_zero_8bits, and the zero_byte of the next start code: a unit never ends with a zero.
    while (last > begin && data[last - 1] === 0) last--;
    if (last > begin) units.push(data.subarray(begin, last));
  };
  for (let at = data.indexOf(START_CODE); at >= 0; at = data.indexOf(START_CODE, at + START_CODE.length)) {
    end(at);
    begin = at + START_CODE.length;
  }
  end(data.length);
  return units;
}
