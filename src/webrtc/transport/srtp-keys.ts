/**
 * Keys and initialisation vectors of SRTP and SRTCP (RFC 3711, RFC 7714). SRTP is our own, because it is most of what a
 * sent packet costs: the library's general path makes a header object, a promise and several copies for each.
 */
import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';

/** Protection profiles by their DTLS numbers (RFC 5764 §4.1.2, RFC 7714 §14.2), preferred first. */
export const SRTP_AEAD_AES_128_GCM = 0x0007;
/** RFC 5764 §4.1.2. */
export const SRTP_AES128_CM_HMAC_SHA1_80 = 0x0001;
/** The protection profiles that are spoken, by their numbers in DTLS. */
export type SrtpProfile = typeof SRTP_AEAD_AES_128_GCM | typeof SRTP_AES128_CM_HMAC_SHA1_80;

/** Length of the authentication tag of AES-GCM (RFC 7714 §14.2). */
export const GCM_TAG_BYTES = 16;
/** Length of the authentication tag of HMAC-SHA1 (RFC 3711 §5.2). */
export const CM_TAG_BYTES = 10;
/** The encrypted flag and 31-bit index that end an SRTCP packet. */
export const SRTCP_INDEX_BYTES = 4;
/** Labels that keys of SRTP are derived with (RFC 3711 §4.3.1). */
export const RTP_LABELS = { encryption: 0, authentication: 1, salt: 2 } as const;
/** Labels that keys of SRTCP are derived with (RFC 3711 §4.3.2). */
export const RTCP_LABELS = { encryption: 3, authentication: 4, salt: 5 } as const;

/** Master key (16 bytes) and salt (12 bytes for GCM, 14 for CM) of one direction. */
export interface SrtpMasterKey {
  /** What it is for. */
  readonly profile: SrtpProfile;
  /** 16 bytes. */
  readonly key: Buffer;
  /** 12 bytes for GCM, 14 for CM. */
  readonly salt: Buffer;
}

/** Length of the master salt of a profile. */
export function saltBytes(profile: SrtpProfile): 12 | 14 {
  return profile === SRTP_AEAD_AES_128_GCM ? 12 : 14;
}

/** Bytes that protection adds to an RTP packet. */
export function srtpOverheadBytes(profile: SrtpProfile): number {
  return profile === SRTP_AEAD_AES_128_GCM ? GCM_TAG_BYTES : CM_TAG_BYTES;
}

/** Session keys, derived once (RFC 3711 §4.3, key derivation rate 0). */
export class SessionKeys {
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

/** RFC 7714 §8.1 (RTP: the index is rollover counter × 2^16 + sequence number) and §9.1 (RTCP). Valid until the next call. */
export function fillGcmIv(salt: Buffer, ssrc: number, index: number): Buffer {
  const high = Math.floor(index / 65536);
  gcmIv[0] = 0;
  gcmIv[1] = 0;
  gcmIv.writeUInt32BE(ssrc, 2);
  gcmIv.writeUInt16BE(Math.floor(high / 65536), 6);
  gcmIv.writeUInt16BE(high % 65536, 8);
  gcmIv.writeUInt16BE(index % 65536, 10);
  for (let i = 0; i < 12; i++) gcmIv[i] = (gcmIv[i] as number) ^ (salt[i] as number);
  return gcmIv;
}

/** RFC 3711 §4.1.1: salt × 2^16 XOR ssrc × 2^64 XOR index × 2^16. Valid until the next call. */
export function fillCtrIv(salt: Buffer, ssrc: number, index: number): Buffer {
  ctrIv.writeUInt32BE(0, 0);
  ctrIv.writeUInt32BE(ssrc, 4);
  ctrIv.writeUIntBE(index, 8, 6);
  ctrIv.writeUInt16BE(0, 14);
  for (let i = 0; i < 14; i++) ctrIv[i] = (ctrIv[i] as number) ^ (salt[i] as number);
  return ctrIv;
}

/** The rollover counter of an RTP index, which the authentication of AES-CM covers (RFC 3711 §4.2). Valid until the next call. */
export function rolloverCounter(index: number): Buffer {
  word.writeUInt32BE(Math.floor(index / 65536));
  return word;
}
