/** What must be known of the NAL units of H.264. */

/** nal_unit_type (ITU-T H.264 table 7-1; aggregation and fragmentation: RFC 6184 §5.4). Coded slices are 1 to 5. */
export const NalType = { idr: 5, sps: 7, pps: 8, stapA: 24, fuA: 28 } as const;

/** nal_unit_type of a unit. */
export function nalType(unit: Buffer): number {
  return unit.readUInt8(0) & 0x1f;
}
