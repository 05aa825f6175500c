/**
 * Which track a packet belongs to (RFC 9143 §9.2, RFC 8853 §5.6.1): by an ssrc that is known, by the header extensions
 * that name a layer or an m-line, by the ssrcs of the offer, by the payload type.
 */
import { extensionId, MID_EXTENSION_URI } from '../../sdp/extension-uris.js';
import type { ReceivePlan } from '../../sdp/negotiate-publish.js';
import { attributeValues } from '../../sdp/parse.js';
import { LayerNames } from './layer-names.js';
import { headerExtension, type ReceivedPacket } from './rtp.js';

/** Ssrcs that are remembered. */
const MAX_SSRCS = 64;

/** Of one transport. */
export class Demultiplexer<T extends { readonly plan: ReceivePlan; readonly rid: string | undefined }> {
  /** Those that are a whole m-line. */
  readonly #tracks: readonly T[];
  readonly #layers: LayerNames<T>;
  readonly #bySsrc = new Map<number, T>();

  /** @param tracks those of the transport. */
  constructor(tracks: readonly T[]) {
    this.#tracks = tracks.filter(({ rid }) => rid === undefined);
    this.#layers = new LayerNames(tracks.filter(({ rid }) => rid !== undefined));
  }

  /** The track of an ssrc that was seen. */
  trackOf(ssrc: number): T | undefined {
    return this.#bySsrc.get(ssrc);
  }

  /** @param bytes the packet as it came. Undefined where nothing tells. */
  find(packet: ReceivedPacket, bytes: Buffer): T | undefined {
    const known = this.#bySsrc.get(packet.ssrc);
    if (known && !this.#layers.isGuessed(packet.ssrc)) return known;
    const found = this.#layers.find(packet, bytes) ?? known ?? this.#byMLine(packet, bytes) ?? this.#layers.guess(packet);
    if (found && found !== known) this.#remember(packet.ssrc, found);
    return found;
  }

  #byMLine(packet: ReceivedPacket, bytes: Buffer): T | undefined {
    return this.#byMid(bytes) ?? this.#byDescription(packet.ssrc) ?? this.#byPayloadType(packet.payloadType);
  }

  #byMid(bytes: Buffer): T | undefined {
    return this.#tracks.find(({ plan: { section } }) => {
      const id = section.mid === undefined ? undefined : extensionId(section, MID_EXTENSION_URI);
      return id !== undefined && headerExtension(bytes, id)?.toString('latin1') === section.mid;
    });
  }

  #byDescription(ssrc: number): T | undefined {
    return this.#tracks.find(({ plan }) =>
      attributeValues(plan.section.attributes, 'ssrc').some((line) => line.split(' ')[0] === String(ssrc)),
    );
  }

  #byPayloadType(payloadType: number): T | undefined {
    const tracks = this.#tracks.filter(
      ({ plan: { codec } }) => codec.offered.payloadType === payloadType || codec.rtx?.payloadType === payloadType,
    );
    return tracks.length === 1 ? tracks[0] : undefined;
  }

  #remember(ssrc: number, track: T): void {
    const [oldest] = this.#bySsrc.keys();
    if (this.#bySsrc.size >= MAX_SSRCS && oldest !== undefined) this.#bySsrc.delete(oldest);
    this.#bySsrc.set(ssrc, track);
  }
}
