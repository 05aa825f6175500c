/**
 * SRTP and SRTCP (RFC 3711, RFC 7714) over the keys of a DTLS handshake. Own, because it is most of what a sent
 * packet costs: the library's general path makes a header object, a promise and several copies for each.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Protection profiles by their DTLS numbers (RFC 5764 §4.1.2, RFC 7714 §14.2), preferred first. */
export const SRTP_AEAD_AES_128_GCM = 0x0007;
export const SRTP_AES128_CM_HMAC_SHA1_80 = 0x0001;
export type SrtpProfile = typeof SRTP_AEAD_AES_128_GCM | typeof SRTP_AES128_CM_HMAC_SHA1_80;

const GCM_TAG_BYTES = 16;
const CM_TAG_BYTES = 10;
/** The encrypted flag and 31-bit index that end an SRTCP packet. */
const SRTCP_INDEX_BYTES = 4;
const RTP_LABELS = { encryption: 0, authentication: 1, salt: 2 } as const;
const RTCP_LABELS = { encryption: 3, authentication: 4, salt: 5 } as const;

/** Master key (16 bytes) and salt (12 bytes for GCM, 14 for CM) of one direction. */
export interface SrtpMasterKey {
  readonly profile: SrtpProfile;
  readonly key: Buffer;
  readonly salt: Buffer;
}

export function saltBytes(profile: SrtpProfile): 12 | 14 {
  return profile === SRTP_AEAD_AES_128_GCM ? 12 : 14;
}

/** Bytes that protection adds to an RTP packet. */
export function srtpOverheadBytes(profile: SrtpProfile): number {
  return profile === SRTP_AEAD_AES_128_GCM ? GCM_TAG_BYTES : CM_TAG_BYTES;
}

/** Session keys, derived once (RFC 3711 §4.3, key derivation rate 0). */
class SessionKeys {
  readonly encryption: KeyObject;
  readonly authentication: KeyObject;
  readonly salt: Buffer;

  constructor(master: SrtpMasterKey, labels: typeof RTP_LABELS | typeof RTCP_LABELS) {
    this.encryption = createSecretKey(derive(master, labels.encryption, 16));
    this.authentication = createSecretKey(derive(master, labels.authentication, 20));
    this.salt = derive(master, labels.salt, saltBytes(master.profile));
  }
}

function derive(master: SrtpMasterKey, label: number, bytes: number): Buffer {
  // A 12-byte salt takes the left end of the 14 bytes that the derivation works on (RFC 7714 §11).
  const iv = Buffer.alloc(16);
  master.salt.copy(iv);
  iv[7] = (iv[7] ?? 0) ^ label;
  return createCipheriv('aes-128-ctr', master.key, iv).update(Buffer.alloc(bytes));
}

// Scratch space: used within one synchronous call.
const gcmIv = Buffer.alloc(12);
const ctrIv = Buffer.alloc(16);
const word = Buffer.alloc(4);

/** RFC 7714 §8.1 (RTP) and §9.1 (RTCP, where `high` is 0 and `low` the index). */
function fillGcmIv(salt: Buffer, ssrc: number, high: number, low: number): Buffer {
  gcmIv[0] = 0;
  gcmIv[1] = 0;
  gcmIv.writeUInt32BE(ssrc, 2);
  gcmIv.writeUInt16BE(Math.floor(high / 65536), 6);
  gcmIv.writeUInt16BE(high % 65536, 8);
  gcmIv.writeUInt16BE(low, 10);
  for (let i = 0; i < 12; i++) gcmIv[i] = (gcmIv[i] as number) ^ (salt[i] as number);
  return gcmIv;
}

/** RFC 3711 §4.1.1: salt × 2^16 XOR ssrc × 2^64 XOR index × 2^16. */
function fillCtrIv(salt: Buffer, ssrc: number, index: number): Buffer {
  ctrIv.writeUInt32BE(0, 0);
  ctrIv.writeUInt32BE(ssrc, 4);
  ctrIv.writeUIntBE(index, 8, 6);
  ctrIv.writeUInt16BE(0, 14);
  for (let i = 0; i < 14; i++) ctrIv[i] = (ctrIv[i] as number) ^ (salt[i] as number);
  return ctrIv;
}

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
   *   for ever: sending the same packet again is fine, another one under the same index breaks the cipher.
   */
  protectRtp(header: Buffer, payload: Buffer, index: number, out: Buffer, offset: number): number {
    const ssrc = header.readUInt32BE(8);
    const size = header.length + payload.length;
    header.copy(out, offset);
    if (this.#gcm) {
      const cipher = createCipheriv('aes-128-gcm', this.#rtp.encryption, fillGcmIv(this.#rtp.salt, ssrc, Math.floor(index / 65536), index % 65536));
      cipher.setAAD(header);
      cipher.update(payload).copy(out, offset + header.length);
      cipher.final();
      cipher.getAuthTag().copy(out, offset + size);
      return size + GCM_TAG_BYTES;
    }
    createCipheriv('aes-128-ctr', this.#rtp.encryption, fillCtrIv(this.#rtp.salt, ssrc, index)).update(payload).copy(out, offset + header.length);
    word.writeUInt32BE(Math.floor(index / 65536));
    const tag = createHmac('sha1', this.#rtp.authentication).update(out.subarray(offset, offset + size)).update(word).digest();
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
      const cipher = createCipheriv('aes-128-gcm', this.#rtcp.encryption, fillGcmIv(this.#rtcp.salt, ssrc, Math.floor(index / 65536), index % 65536));
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
    const iv = fillGcmIv(this.#keys.salt, packet.readUInt32BE(4), Math.floor(index / 65536), index % 65536);
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

/** Numbers behind the newest of a source that are still told apart from replays: repairs come late. A multiple of 32. */
const RTP_REPLAY_WINDOW = 1024;
/** Sources of one transport that are followed. Who sends is authenticated, so this bounds memory, not an attack. */
const MAX_SOURCES = 64;

/** What is known of one ssrc. */
interface RtpSource {
  /** Newest rollover counter × 2^16 + sequence number. */
  newestIndex: number;
  /** One bit for each of the newest indexes, in the place of the index modulo the window. */
  readonly seen: Uint32Array;
  /** Order of the latest use. */
  usedAt: number;
}

/** Opens the RTP that the other side sends. */
export class SrtpReceiver {
  readonly #gcm: boolean;
  readonly #keys: SessionKeys;
  readonly #sources = new Map<number, RtpSource>();
  #opened = 0;

  constructor(master: SrtpMasterKey) {
    this.#gcm = master.profile === SRTP_AEAD_AES_128_GCM;
    this.#keys = new SessionKeys(master, RTP_LABELS);
  }

  /** The RTP packet, in memory of its own; undefined where it is not authentic, malformed or a replay. Never throws. */
  unprotect(packet: Buffer): Buffer | undefined {
    const tagAt = packet.length - (this.#gcm ? GCM_TAG_BYTES : CM_TAG_BYTES);
    const headerBytes = rtpHeaderBytes(packet);
    if (headerBytes === undefined || tagAt < headerBytes) return undefined;
    const ssrc = packet.readUInt32BE(8);
    const source = this.#sources.get(ssrc);
    const index = guessIndex(source?.newestIndex, packet.readUInt16BE(2));
    if (index < 0 || (source && isSeen(source, index))) return undefined;
    const opened = this.#gcm ? this.#openGcm(packet, headerBytes, tagAt, ssrc, index) : this.#openCm(packet, headerBytes, tagAt, ssrc, index);
    if (opened) this.#remember(ssrc, source, index);
    return opened;
  }

  #openGcm(packet: Buffer, headerBytes: number, tagAt: number, ssrc: number, index: number): Buffer | undefined {
    const header = packet.subarray(0, headerBytes);
    const decipher = createDecipheriv('aes-128-gcm', this.#keys.encryption, fillGcmIv(this.#keys.salt, ssrc, Math.floor(index / 65536), index % 65536));
    decipher.setAAD(header);
    decipher.setAuthTag(packet.subarray(tagAt));
    const payload = decipher.update(packet.subarray(headerBytes, tagAt));
    try {
      decipher.final();
    } catch {
      return undefined; // not authentic
    }
    return Buffer.concat([header, payload]);
  }

  #openCm(packet: Buffer, headerBytes: number, tagAt: number, ssrc: number, index: number): Buffer | undefined {
    word.writeUInt32BE(Math.floor(index / 65536));
    const tag = createHmac('sha1', this.#keys.authentication).update(packet.subarray(0, tagAt)).update(word).digest();
    if (!timingSafeEqual(tag.subarray(0, CM_TAG_BYTES), packet.subarray(tagAt))) return undefined;
    const decipher = createDecipheriv('aes-128-ctr', this.#keys.encryption, fillCtrIv(this.#keys.salt, ssrc, index));
    return Buffer.concat([packet.subarray(0, headerBytes), decipher.update(packet.subarray(headerBytes, tagAt))]);
  }

  #remember(ssrc: number, known: RtpSource | undefined, index: number): void {
    const source = known ?? this.#addSource(ssrc, index);
    source.usedAt = this.#opened++;
    // What the window moves over has not been seen.
    for (let i = Math.max(source.newestIndex + 1, index - RTP_REPLAY_WINDOW + 1); i <= index; i++) markSeen(source, i, false);
    source.newestIndex = Math.max(source.newestIndex, index);
    markSeen(source, index, true);
  }

  #addSource(ssrc: number, index: number): RtpSource {
    if (this.#sources.size >= MAX_SOURCES) {
      const [oldest] = [...this.#sources].sort(([, a], [, b]) => a.usedAt - b.usedAt);
      if (oldest) this.#sources.delete(oldest[0]);
    }
    const source: RtpSource = { newestIndex: index, seen: new Uint32Array(RTP_REPLAY_WINDOW / 32), usedAt: 0 };
    this.#sources.set(ssrc, source);
    return source;
  }
}

/** Size of fixed header, CSRCs and header extension (RFC 3550 §5.1): what SRTP does not encrypt. Undefined where they do not fit. */
function rtpHeaderBytes(packet: Buffer): number | undefined {
  if (packet.length < 12) return undefined;
  const first = packet[0] ?? 0;
  let bytes = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (packet.length < bytes + 4) return undefined;
    bytes += 4 + 4 * packet.readUInt16BE(bytes + 2);
  }
  return bytes <= packet.length ? bytes : undefined;
}

/** The index nearest to the newest one that ends in this sequence number (RFC 3711 §3.3.1); negative before the first. */
function guessIndex(newestIndex: number | undefined, sequenceNumber: number): number {
  if (newestIndex === undefined) return sequenceNumber;
  const difference = (sequenceNumber - (newestIndex % 65536) + 65536) % 65536;
  return newestIndex + (difference > 32768 ? difference - 65536 : difference);
}

function isSeen({ newestIndex, seen }: RtpSource, index: number): boolean {
  if (index > newestIndex) return false;
  const place = index % RTP_REPLAY_WINDOW;
  return newestIndex - index >= RTP_REPLAY_WINDOW || (((seen[place >> 5] as number) >>> (place & 31)) & 1) === 1;
}

function markSeen({ seen }: RtpSource, index: number, isPresent: boolean): void {
  const place = index % RTP_REPLAY_WINDOW;
  const bit = 1 << (place & 31);
  const word = seen[place >> 5] as number;
  seen[place >> 5] = isPresent ? word | bit : word & ~bit;
}
