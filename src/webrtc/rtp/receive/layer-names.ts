/**
 * Which layer of a simulcast a packet is of (RFC 8852): its header extension says it, on the first packets of an ssrc at
 * least. Senders that never say it are taken for ones of a single encoding, so that something is seen of them.
 */
import { extensionId, REPAIRED_RID_EXTENSION_URI, RID_EXTENSION_URI } from '../../sdp/extension-uris.js';
import type { ReceivePlan } from '../../sdp/negotiate-publish.js';
import { headerExtension, type ReceivedPacket } from './rtp.js';

/** So many packets without a name, and none with one, and names will not come. */
const PACKETS_WITHOUT_NAME = 50;

/** The layers of one m-line. */
export class LayerNames<T extends { readonly plan: ReceivePlan; readonly rid: string | undefined }> {
  readonly #layers: readonly T[];
  readonly #ridId: number | undefined;
  readonly #repairedRidId: number | undefined;
  #isNamed = false;
  #unnamed = 0;
  /** The ssrc that is taken for the first layer, though nothing says so. */
  #guessedSsrc: number | undefined;

  /** @param layers of the m-line; empty where it is one encoding. */
  constructor(layers: readonly T[]) {
    this.#layers = layers;
    const section = layers[0]?.plan.section;
    this.#ridId = section && extensionId(section, RID_EXTENSION_URI);
    this.#repairedRidId = section && extensionId(section, REPAIRED_RID_EXTENSION_URI);
  }

  /** The layer that the packet names; undefined where it names none. */
  find(packet: ReceivedPacket, bytes: Buffer): T | undefined {
    const rid = this.#ridOf(packet, bytes);
    const layer = rid === undefined ? undefined : this.#layers.find((each) => each.rid === rid);
    if (!layer) return undefined;
    this.#isNamed = true;
    if (packet.ssrc === this.#guessedSsrc) this.#guessedSsrc = undefined;
    return layer;
  }

  /** True for an ssrc whose packets may name their layer after all. */
  isGuessed(ssrc: number): boolean {
    return ssrc === this.#guessedSsrc;
  }

  /** The first layer, for the one ssrc of a sender that names none, and for its repairs. */
  guess({ ssrc, payloadType }: ReceivedPacket): T | undefined {
    const [first] = this.#layers;
    if (!first || this.#isNamed) return undefined;
    const { offered, rtx } = first.plan.codec;
    if (this.#guessedSsrc !== undefined) return payloadType === rtx?.payloadType ? first : undefined;
    if (payloadType !== offered.payloadType) return undefined;
    if (++this.#unnamed < PACKETS_WITHOUT_NAME) return undefined;
    this.#guessedSsrc = ssrc;
    return first;
  }

  /** Some senders name what they repair as if it were the original. */
  #ridOf({ payloadType }: ReceivedPacket, bytes: Buffer): string | undefined {
    if (this.#ridId === undefined) return undefined;
    const isRepair = payloadType === this.#layers[0]?.plan.codec.rtx?.payloadType;
    const repaired = isRepair && this.#repairedRidId !== undefined ? headerExtension(bytes, this.#repairedRidId) : undefined;
    return (repaired ?? headerExtension(bytes, this.#ridId))?.toString('latin1');
  }
}
