/** SRTCP that the other side sends (RFC 3711 §3.4, RFC 7714 §9). */
import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import {
  CM_TAG_BYTES,
  fillCtrIv,
  fillGcmIv,
  GCM_TAG_BYTES,
  RTCP_LABELS,
  SessionKeys,
  SRTCP_INDEX_BYTES,
  SRTP_AEAD_AES_128_GCM,
  type SrtpMasterKey,
} from './srtp-keys.js';

/** Indexes behind the newest that are still told apart from replays: at least 64 (RFC 3711 §3.3.2). */
const REPLAY_WINDOW = 64;

/** Opens the SRTCP that the other side sends. */
export class SrtcpReceiver {
  readonly #gcm: boolean;
  readonly #keys: SessionKeys;
  #newestIndex = -1;
  /** Bit n: the index n behind the newest was seen. */
  #seen = 0n;

  constructor(master: SrtpMasterKey) {
    this.#gcm = master.profile === SRTP_AEAD_AES_128_GCM;
    this.#keys = new SessionKeys(master, RTCP_LABELS);
  }

  /** The compound packet; undefined where it is not authentic, malformed or a replay. */
  unprotect(packet: Buffer): Buffer | undefined {
    const tagBytes = this.#gcm ? GCM_TAG_BYTES : CM_TAG_BYTES;
    if (packet.length < 8 + tagBytes + SRTCP_INDEX_BYTES) return undefined;
    const trailerAt = packet.length - SRTCP_INDEX_BYTES - (this.#gcm ? 0 : CM_TAG_BYTES);
    const trailer = packet.readUInt32BE(trailerAt);
    const index = trailer % 2 ** 31;
    if (trailer < 2 ** 31 || this.#isReplay(index)) return undefined;
    const opened = this.#gcm ? this.#openGcm(packet, index) : this.#openCm(packet, index);
    if (opened) this.#remember(index);
    return opened;
  }

  #openGcm(packet: Buffer, index: number): Buffer | undefined {
    const header = packet.subarray(0, 8);
    const tagAt = packet.length - SRTCP_INDEX_BYTES - GCM_TAG_BYTES;
    const iv = fillGcmIv(this.#keys.salt, packet.readUInt32BE(4), index);
    const decipher = createDecipheriv('aes-128-gcm', this.#keys.encryption, iv);
    decipher.setAAD(Buffer.concat([header, packet.subarray(packet.length - SRTCP_INDEX_BYTES)]));
    decipher.setAuthTag(packet.subarray(tagAt, tagAt + GCM_TAG_BYTES));
    const body = decipher.update(packet.subarray(8, tagAt));
    try {
      decipher.final();
    } catch {
      return undefined; // not authentic
    }
    return Buffer.concat([header, body]);
  }

  #openCm(packet: Buffer, index: number): Buffer | undefined {
    const signed = packet.subarray(0, packet.length - CM_TAG_BYTES);
    const tag = createHmac('sha1', this.#keys.authentication).update(signed).digest().subarray(0, CM_TAG_BYTES);
    if (!timingSafeEqual(tag, packet.subarray(signed.length))) return undefined;
    const iv = fillCtrIv(this.#keys.salt, packet.readUInt32BE(4), index);
    const body = createDecipheriv('aes-128-ctr', this.#keys.encryption, iv).update(signed.subarray(8, signed.length - SRTCP_INDEX_BYTES));
    return Buffer.concat([packet.subarray(0, 8), body]);
  }

  #isReplay(index: number): boolean {
    const behind = this.#newestIndex - index;
    return behind >= 0 && (behind >= REPLAY_WINDOW || ((this.#seen >> BigInt(behind)) & 1n) === 1n);
  }

  #remember(index: number): void {
    const ahead = index - this.#newestIndex;
    if (ahead > 0) {
      this.#seen = ahead >= REPLAY_WINDOW ? 1n : BigInt.asUintN(REPLAY_WINDOW, (this.#seen << BigInt(ahead)) | 1n);
      this.#newestIndex = index;
    } else {
      this.#seen |= 1n << BigInt(-ahead);
    }
  }
}
