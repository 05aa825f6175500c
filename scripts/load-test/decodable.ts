/** Recognises, in RTP payloads, a picture that decoding can start with. */

const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_STAP_A = 24;
const NAL_FU_A = 28;

/**
 * True when these payloads, all of one access unit in order, hold an SPS, a PPS and the start of an IDR
 * picture (RFC 6184 §5.4: single NAL units, STAP-A and FU-A).
 */
export function isH264Keyframe(payloads: readonly Buffer[]): boolean {
  const types = new Set(payloads.flatMap(nalTypes));
  return types.has(NAL_SPS) && types.has(NAL_PPS) && types.has(NAL_IDR);
}

function nalTypes(payload: Buffer): number[] {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === NAL_FU_A) {
    const header = payload[1] ?? 0;
    // Only the first fragment counts: a picture whose start is missing cannot be decoded.
    return (header & 0x80) === 0 ? [] : [header & 0x1f];
  }
  if (type !== NAL_STAP_A) return [type];
  const types: number[] = [];
  for (let offset = 1; offset + 2 < payload.length; offset += 2 + payload.readUInt16BE(offset))
    types.push((payload[offset + 2] ?? 0) & 0x1f);
  return types;
}

/** True when these payloads, all of one frame in order, are a VP8 key frame from its first byte on (RFC 7741 §4.2, §4.3). */
export function isVp8Keyframe(payloads: readonly Buffer[]): boolean {
  const first = payloads[0];
  if (!first) return false;
  const descriptor = first[0] ?? 0;
  const startsFrame = (descriptor & 0x10) !== 0 && (descriptor & 0x07) === 0;
  let offset = 1;
  if ((descriptor & 0x80) !== 0) {
    const extensions = first[offset++] ?? 0;
    if ((extensions & 0x80) !== 0) offset += ((first[offset] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if ((extensions & 0x40) !== 0) offset++;
    if ((extensions & 0x30) !== 0) offset++;
  }
  return startsFrame && offset < first.length && ((first[offset] ?? 0) & 0x01) === 0;
}
