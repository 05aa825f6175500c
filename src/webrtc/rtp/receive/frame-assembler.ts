/**
 * Finds the frames in a stream's packets, which come in order: a frame ends at its marker, or where the timestamp
 * changes. After a gap nobody knows whether a frame's beginning is there, save where its first payload says so.
 */
import type { AssembledFrame, Depacketizer } from '../../../media/index.js';
import type { ReceivedPacket } from './rtp.js';

/** A frame of more is given up: no real one is as large, and somebody has to bound what a publisher makes us hold. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** How frames are put together, and where they go. */
export interface FrameAssemblerInit {
  /** Of the codec. */
  readonly depacketizer: Depacketizer;
  /** Each packet is a frame, whatever its marker says: audio. */
  readonly isOnePacketPerFrame: boolean;
  /** A whole frame, in order. */
  readonly onFrame: (frame: AssembledFrame, rtpTimestamp: number) => void;
  /** A frame could not be put together, or its beginning or end is missing. */
  readonly onLost: () => void;
}

interface OpenFrame {
  readonly timestamp: number;
  readonly payloads: Buffer[];
  bytes: number;
  /** Its beginning is there. */
  readonly isWhole: boolean;
}

/** Finds the frames of one stream. */
export class FrameAssembler {
  readonly #init: FrameAssemblerInit;
  #frame: OpenFrame | undefined;
  /** The previous packet ended a frame; taken for granted of what came before the first packet. */
  #isAtBoundary = true;
  /** Of the frame that a marker ended last. */
  #endedTimestamp: number | undefined;
  /** A marker stood in the middle of a frame: only timestamps tell where this sender's frames end. */
  #isMarkerUnreliable = false;

  constructor(init: FrameAssemblerInit) {
    this.#init = init;
  }

  /** The next packet in order. */
  push(packet: ReceivedPacket): void {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return; // padding
    if (this.#init.isOnePacketPerFrame) return this.#deliver([payload], timestamp);
    if (this.#frame && this.#frame.timestamp !== timestamp) this.#end(this.#frame);
    if (!this.#frame) this.#begin(packet);
    const frame = this.#frame;
    if (!frame) return;
    frame.payloads.push(payload);
    frame.bytes += payload.length;
    if (packet.marker && !this.#isMarkerUnreliable) this.#end(frame);
    else if (frame.bytes > MAX_FRAME_BYTES) this.gap();
  }

  /** A packet of this place never came. */
  gap(): void {
    const isKnown = !this.#frame && !this.#isAtBoundary;
    if (isKnown && !this.#init.isOnePacketPerFrame) return;
    this.#frame = undefined;
    this.#isAtBoundary = false;
    this.#endedTimestamp = undefined;
    this.#init.onLost();
  }

  #begin({ payload, timestamp }: ReceivedPacket): void {
    if (timestamp === this.#endedTimestamp) {
      this.#isMarkerUnreliable = true;
      this.gap();
    }
    this.#frame = { timestamp, payloads: [], bytes: 0, isWhole: this.#isAtBoundary || this.#init.depacketizer.beginsFrame(payload) };
  }

  #end(frame: OpenFrame): void {
    this.#frame = undefined;
    this.#isAtBoundary = true;
    if (frame.isWhole) this.#deliver(frame.payloads, frame.timestamp);
  }

  #deliver(payloads: readonly Buffer[], timestamp: number): void {
    const frame = this.#init.depacketizer.assemble(payloads);
    if (frame === 'empty') return;
    this.#endedTimestamp = timestamp;
    if (frame === 'damaged') this.#init.onLost();
    else this.#init.onFrame(frame, timestamp);
  }
}
