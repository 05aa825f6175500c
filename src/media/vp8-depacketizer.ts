/** VP8 frames from RTP payloads (RFC 7741). */
import type { AssembledFrame, Depacketizer } from './depacketizer.js';
import { vp8Size, type PictureSize } from './picture-size.js';

/** Puts frames together. */
export class Vp8Depacketizer implements Depacketizer {
  #size: PictureSize | undefined;

  get size(): PictureSize | undefined {
    return this.#size;
  }

  beginsFrame(payload: Buffer): boolean {
    // S, and partition 0: the first partition of a frame begins here (§4.2).
    return ((payload[0] ?? 0) & 0x17) === 0x10;
  }

  beginsKeyframe(payload: Buffer): boolean {
    if (!this.beginsFrame(payload)) return false;
    const at = descriptorBytes(payload);
    // P of the frame's header is 0 for a keyframe (§4.3).
    return at !== undefined && ((payload[at] ?? 1) & 1) === 0;
  }

  assemble(payloads: readonly Buffer[]): AssembledFrame | 'damaged' {
    const [first] = payloads;
    if (!first || !this.beginsFrame(first)) return 'damaged';
    const parts: Buffer[] = [];
    for (const [i, payload] of payloads.entries()) {
      const at = descriptorBytes(payload);
      if (at === undefined || (i > 0 && this.beginsFrame(payload))) return 'damaged';
      parts.push(payload.subarray(at));
    }
    const data = Buffer.concat(parts);
    const keyframe = ((data[0] ?? 1) & 1) === 0;
    if (!keyframe) return { data, keyframe };
    const size = vp8Size(data);
    if (!size) return 'damaged';
    this.#size = size;
    return { data, keyframe };
  }
}

/** Size of the payload descriptor (§4.2); undefined where nothing of a frame follows it. */
function descriptorBytes(payload: Buffer): number | undefined {
  const first = payload[0] ?? 0;
  let bytes = 1;
  if ((first & 0x80) !== 0) {
    const extension = payload[bytes++] ?? 0;
    const hasPictureId = (extension & 0x80) !== 0;
    const hasTl0PicIdx = (extension & 0x40) !== 0;
    const hasTidOrKeyIdx = (extension & 0x30) !== 0;
    if (hasPictureId) bytes += ((payload[bytes] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if (hasTl0PicIdx) bytes++;
    if (hasTidOrKeyIdx) bytes++;
  }
  return bytes < payload.length ? bytes : undefined;
}
