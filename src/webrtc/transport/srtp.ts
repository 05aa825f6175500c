/** SRTP and SRTCP of one transport, both ways, once its keys are there (RFC 3711, RFC 7714). */
import type { SrtpKeys } from './dtls.js';
import { packetSlabs } from './packet-slabs.js';
import type { RtpPacket } from './packet-transport.js';
import { SrtcpReceiver } from './srtcp-receiver.js';
import { srtpOverheadBytes, SRTP_AEAD_AES_128_GCM } from './srtp-keys.js';
import { SrtpReceiver } from './srtp-receiver.js';
import { SrtpSender } from './srtp-sender.js';

/** Where protected packets go: those that lie one after the other in `slab`, ending at `ends`; `done` gives it back. */
export type SendSlab = (slab: Buffer, ends: readonly number[], done: () => void) => void;

/** SRTP and SRTCP of one transport. */
export class Srtp {
  /** Name of the protection profile (RFC 5764 §4.1.2). */
  readonly profile: 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';
  readonly #sender: SrtpSender;
  readonly #rtcpReceiver: SrtcpReceiver;
  readonly #rtpReceiver: SrtpReceiver;
  readonly #overheadBytes: number;

  constructor({ local, remote }: SrtpKeys) {
    this.profile = local.profile === SRTP_AEAD_AES_128_GCM ? 'AEAD_AES_128_GCM' : 'AES_CM_128_HMAC_SHA1_80';
    this.#sender = new SrtpSender(local);
    this.#rtcpReceiver = new SrtcpReceiver(remote);
    this.#rtpReceiver = new SrtpReceiver(remote);
    this.#overheadBytes = srtpOverheadBytes(local.profile);
  }

  /** Protects packets in order, as many in a slab as it holds. */
  protectAll(packets: readonly RtpPacket[], send: SendSlab): void {
    let slab = packetSlabs.take();
    let ends: number[] = [];
    let offset = 0;
    for (const packet of packets) {
      if (offset + packet.header.length + packet.payload.length + this.#overheadBytes > slab.length) {
        sendSlab(slab, ends, send);
        slab = packetSlabs.take();
        ends = [];
        offset = 0;
      }
      offset += this.#sender.protectRtp(packet.header, packet.payload, packet.index, slab, offset);
      ends.push(offset);
    }
    sendSlab(slab, ends, send);
  }

  /** The protected form of a compound RTCP packet. */
  protectRtcp(compound: Buffer): Buffer {
    return this.#sender.protectRtcp(compound);
  }

  /** The RTP packet, in memory of its own; undefined where it is not authentic, malformed or a replay. */
  unprotectRtp(packet: Buffer): Buffer | undefined {
    return this.#rtpReceiver.unprotect(packet);
  }

  /** The compound RTCP packet; undefined where it is not authentic, malformed or a replay. */
  unprotectRtcp(packet: Buffer): Buffer | undefined {
    return this.#rtcpReceiver.unprotect(packet);
  }
}

function sendSlab(slab: Buffer, ends: readonly number[], send: SendSlab): void {
  send(slab, ends, () => packetSlabs.giveBack(slab));
}
