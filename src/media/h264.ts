/** H.264 access units as length-prefixed NAL units (ISO/IEC 14496-15 §5.3, length size 4), and what must be known of them. */

/** NAL unit types (ITU-T H.264 table 7-1, RFC 6184 §5.4). */
export const NAL_IDR = 5;
export const NAL_SEI = 6;
export const NAL_SPS = 7;
export const NAL_PPS = 8;
export const NAL_AUD = 9;
export const NAL_FILLER = 12;
export const NAL_STAP_A = 24;
export const NAL_FU_A = 28;

/** Type of a NAL unit. */
export function nalType(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** The NAL units of an access unit, as views. A unit that claims more bytes than there are ends the list. */
export function* nalUnits(accessUnit: Buffer): Generator<Buffer> {
  let offset = 0;
  while (offset + 4 <= accessUnit.length) {
    const length = accessUnit.readUInt32BE(offset);
    offset += 4;
    if (length === 0) continue;
    if (offset + length > accessUnit.length) return;
    yield accessUnit.subarray(offset, offset + length);
    offset += length;
  }
}

/** NAL units joined into one access unit. */
export function accessUnit(nals: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const nal of nals) {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(nal.length);
    parts.push(length, nal);
  }
  return Buffer.concat(parts);
}
