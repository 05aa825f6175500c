/** The packets of one stream that can be sent again. A place is used again once another packet takes it. */
import type { DeparturePlaces, RtpPacket } from '../../transport/packet-transport.js';
import type { ExtensionBlock } from '../header-extensions.js';

/** A remembered packet. */
export interface SentPacket extends RtpPacket {
  /** As it was sent, with its extensions; used again for a later packet of that length. */
  header: Buffer;
  /** The track's own, shared by all viewers. */
  payload: Buffer;
  /** Rollover counter × 2^16 + sequence number. */
  index: number;
  /** Where its header says when it leaves and its number; undefined where neither was negotiated. */
  places: DeparturePlaces | undefined;
  /** Monotonic ms; -Infinity: never, Infinity: it waits to be. */
  lastRepairMs: number;
}

/** Of one stream. */
export class SentHistory {
  readonly #packets: SentPacket[] = [];
  readonly #size: number;

  /** @param size packets that are remembered */
  constructor(size: number) {
    this.#size = size;
  }

  /** A place for the packet of that index, with room for its header, which is still to be written. */
  take(index: number, payload: Buffer, { bytes, places }: ExtensionBlock): SentPacket {
    const place = index % this.#size;
    const headerBytes = 12 + (bytes?.length ?? 0);
    let packet = this.#packets[place];
    if (packet?.header.length !== headerBytes) {
      packet = { header: Buffer.allocUnsafe(headerBytes), payload, index, places, lastRepairMs: -Infinity };
      this.#packets[place] = packet;
    }
    packet.payload = payload;
    packet.index = index;
    packet.places = places;
    packet.lastRepairMs = -Infinity;
    return packet;
  }

  /** The packet of that index; undefined where it is no longer remembered. */
  at(index: number): SentPacket | undefined {
    const packet = this.#packets[index % this.#size];
    return packet?.index === index ? packet : undefined;
  }

  /** The packet whose index ends in that sequence number. */
  bySequenceNumber(sequenceNumber: number): SentPacket | undefined {
    const packet = this.#packets[sequenceNumber % this.#size];
    return packet && packet.index % 65536 === sequenceNumber ? packet : undefined;
  }
}
