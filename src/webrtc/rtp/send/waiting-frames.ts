/** Frames of one stream that wait until the pace lets them leave. They are numbered then: what is dropped leaves no gap. */
import type { PacketizedFrame } from '../../../media/index.js';

/** A frame with the timestamp that the viewer will see. */
export interface WaitingFrame {
  /** The track's, shared by all viewers. */
  readonly frame: PacketizedFrame;
  /** As the viewer sees it. */
  readonly timestamp: number;
  /** Payloads that have left. */
  sent: number;
}

/** In the order in which they came. */
export class WaitingFrames {
  #frames: WaitingFrame[] = [];
  #bytes = 0;

  /** Of payloads that have not left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first one, of which something has not left. */
  get first(): WaitingFrame | undefined {
    return this.#frames[0];
  }

  add(frame: PacketizedFrame, timestamp: number): void {
    this.#frames.push({ frame, timestamp, sent: 0 });
    this.#bytes += frame.sizeBytes;
  }

  /** Payloads of the first one up to `end` have left. */
  advance(first: WaitingFrame, end: number): void {
    const { payloads } = first.frame;
    for (; first.sent < end; first.sent++) this.#bytes -= payloads[first.sent]?.length ?? 0;
    if (end >= payloads.length) this.#frames.shift();
  }

  /** Forgets them all, the rest of one that has begun to leave included. @returns frames that were not sent as a whole */
  clear(): number {
    const { length } = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    return length;
  }
}
