/** What must be known of the NAL units of H.265: their types, and where decoding can begin. */

/** nal_unit_type (ITU-T H.265 table 7-1; aggregation and fragmentation: RFC 7798 §4.4). Coded slices are 0 to 31. */
export const H265NalType = { lastSlice: 31, vps: 32, sps: 33, pps: 34, aggregation: 48, fragmentation: 49 } as const;

/** Bytes of the header of a unit (§7.3.1.2). */
export const H265_HEADER_BYTES = 2;

/** nal_unit_type of a unit. */
export function h265NalType(unit: Buffer): number {
  return (unit.readUInt8(0) >> 1) & 0x3f;
}

/** nuh_layer_id of a unit; 0 is the picture that everybody decodes, others refine it. */
export function h265Layer(unit: Buffer): number {
  return unit.length < H265_HEADER_BYTES ? 0 : ((unit.readUInt8(0) & 1) << 5) | (unit.readUInt8(1) >> 3);
}

/** Whether decoding can begin with a slice of this type: IDR, CRA, BLA (§3.74, IRAP). */
export function isIrap(type: number): boolean {
  return type >= 16 && type <= 23;
}

/** Whether a slice is shown before the IRAP picture that it follows (RADL, RASL, §3.76): its stream has reordered pictures. */
export function isLeading(type: number): boolean {
  return type >= 6 && type <= 9;
}
