/** H.264 access units as length-prefixed NAL units (ISO/IEC 14496-15 §5.3.2), and what must be known of them. */

/** nal_unit_type (ITU-T H.264 table 7-1; aggregation and fragmentation: RFC 6184 §5.4). Coded slices are 1 to 5. */
export const NalType = { idr: 5, sps: 7, pps: 8, stapA: 24, fuA: 28 } as const;

/** nal_unit_type of a unit. */
export function nalType(unit: Buffer): number {
  return unit.readUInt8(0) & 0x1f;
}

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
