/** SRTP that the other side sends (RFC 3711, RFC 7714). */
import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import {
  CM_TAG_BYTES,
  fillCtrIv,
  fillGcmIv,
  GCM_TAG_BYTES,
  rolloverCounter,
  RTP_LABELS,
  SessionKeys,
  SRTP_AEAD_AES_128_GCM,
  type SrtpMasterKey,
} from './srtp-keys.js';

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
    const opened = this.#gcm
      ? this.#openGcm(packet, headerBytes, tagAt, ssrc, index)
      : this.#openCm(packet, headerBytes, tagAt, ssrc, index);
    if (opened) this.#remember(ssrc, source, index);
    return opened;
  }

  #openGcm(packet: Buffer, headerBytes: number, tagAt: number, ssrc: number, index: number): Buffer | undefined {
    const header = packet.subarray(0, headerBytes);
    const decipher = createDecipheriv('aes-128-gcm', this.#keys.encryption, fillGcmIv(this.#keys.salt, ssrc, index));
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
    const tag = createHmac('sha1', this.#keys.authentication).update(packet.subarray(0, tagAt)).update(rolloverCounter(index)).digest();
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
