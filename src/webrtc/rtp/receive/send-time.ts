/** When the packets of a transport left their sender, by its own clock: from the header extension, else from the frames' timestamps. */
import { headerExtension, type ReceivedPacket } from './rtp.js';

/** 24 bits, 18 of them behind the point of a second. */
const TICKS_PER_MS = 2 ** 18 / 1000;
const WRAP = 2 ** 24;
const TIMESTAMP_WRAP = 2 ** 32;
const VIDEO_TICKS_PER_MS = 90;

/** Follows one transport. */
export class SendTimes {
  readonly #extensionId: number | undefined;
  readonly #isVideo: (packet: ReceivedPacket) => boolean;
  #newest: number | undefined;
  #ms = 0;
  /** Its timestamps are followed: the others begin elsewhere. */
  #ssrc: number | undefined;

  /** @param extensionId of abs-send-time; undefined where it was not negotiated. @param isVideo true for packets of video that are no repairs */
  constructor(extensionId: number | undefined, isVideo: (packet: ReceivedPacket) => boolean) {
    this.#extensionId = extensionId;
    this.#isVideo = isVideo;
  }

  /** ms, unwrapped, from any origin; undefined where the packet does not tell it. */
  of(packet: ReceivedPacket, bytes: Buffer): number | undefined {
    if (this.#extensionId === undefined) return this.#byTimestamp(packet);
    const value = headerExtension(bytes, this.#extensionId);
    return value?.length === 3 ? this.#unwrap(value.readUIntBE(0, 3), WRAP, TICKS_PER_MS) : undefined;
  }

  #byTimestamp(packet: ReceivedPacket): number | undefined {
    if (!this.#isVideo(packet)) return undefined;
    if (this.#ssrc !== packet.ssrc) this.#newest = undefined;
    this.#ssrc = packet.ssrc;
    return this.#unwrap(packet.timestamp, TIMESTAMP_WRAP, VIDEO_TICKS_PER_MS);
  }

  #unwrap(value: number, wrap: number, ticksPerMs: number): number {
    const step = ((value - (this.#newest ?? value) + wrap + wrap / 2) % wrap) - wrap / 2;
    const ms = this.#ms + step / ticksPerMs;
    // An older one does not move it back.
    if (step >= 0) [this.#newest, this.#ms] = [value, ms];
    return ms;
  }
}
