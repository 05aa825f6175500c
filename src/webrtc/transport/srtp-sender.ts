/** SRTP and SRTCP that this side sends (RFC 3711, RFC 7714). */
import { createCipheriv, createHmac } from 'node:crypto';
import {
  CM_TAG_BYTES,
  fillCtrIv,
  fillGcmIv,
  GCM_TAG_BYTES,
  rolloverCounter,
  RTCP_LABELS,
  RTP_LABELS,
  SessionKeys,
  SRTCP_INDEX_BYTES,
  SRTP_AEAD_AES_128_GCM,
  type SrtpMasterKey,
} from './srtp-keys.js';

/** Protects what this side sends. */
export class SrtpSender {
  readonly #gcm: boolean;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  #rtcpIndex = 0;

  constructor(master: SrtpMasterKey) {
    this.#gcm = master.profile === SRTP_AEAD_AES_128_GCM;
    this.#rtp = new SessionKeys(master, RTP_LABELS);
    this.#rtcp = new SessionKeys(master, RTCP_LABELS);
  }

  /**
   * Writes the protected packet into `out` at `offset` and returns its size.
   *
   * @param index rollover counter × 2^16 + sequence number. An index of one ssrc stands for one header and payload
   *   forever: sending the same packet again is fine, another one under the same index breaks the cipher.
   */
  protectRtp(header: Buffer, payload: Buffer, index: number, out: Buffer, offset: number): number {
    const ssrc = header.readUInt32BE(8);
    const size = header.length + payload.length;
    header.copy(out, offset);
    if (this.#gcm) {
      const cipher = createCipheriv('aes-128-gcm', this.#rtp.encryption, fillGcmIv(this.#rtp.salt, ssrc, index));
      cipher.setAAD(header);
      cipher.update(payload).copy(out, offset + header.length);
      cipher.final();
      cipher.getAuthTag().copy(out, offset + size);
      return size + GCM_TAG_BYTES;
    }
    createCipheriv('aes-128-ctr', this.#rtp.encryption, fillCtrIv(this.#rtp.salt, ssrc, index))
      .update(payload)
      .copy(out, offset + header.length);
    const tag = createHmac('sha1', this.#rtp.authentication)
      .update(out.subarray(offset, offset + size))
      .update(rolloverCounter(index))
      .digest();
    tag.copy(out, offset + size, 0, CM_TAG_BYTES);
    return size + CM_TAG_BYTES;
  }

  /** The protected form of a compound RTCP packet (RFC 3711 §3.4, RFC 7714 §9). */
  protectRtcp(compound: Buffer): Buffer {
    const index = this.#rtcpIndex;
    this.#rtcpIndex = (index + 1) % 2 ** 31;
    const ssrc = compound.readUInt32BE(4);
    const trailer = Buffer.allocUnsafe(SRTCP_INDEX_BYTES);
    trailer.writeUInt32BE(2 ** 31 + index);
    const header = compound.subarray(0, 8);
    const body = compound.subarray(8);
    if (this.#gcm) {
      const cipher = createCipheriv('aes-128-gcm', this.#rtcp.encryption, fillGcmIv(this.#rtcp.salt, ssrc, index));
      cipher.setAAD(Buffer.concat([header, trailer]));
      const encrypted = cipher.update(body);
      cipher.final();
      return Buffer.concat([header, encrypted, cipher.getAuthTag(), trailer]);
    }
    const encrypted = createCipheriv('aes-128-ctr', this.#rtcp.encryption, fillCtrIv(this.#rtcp.salt, ssrc, index)).update(body);
    const packet = Buffer.concat([header, encrypted, trailer]);
    return Buffer.concat([packet, createHmac('sha1', this.#rtcp.authentication).update(packet).digest().subarray(0, CM_TAG_BYTES)]);
  }
}
