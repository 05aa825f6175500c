/** The open group of a track, re-stamped for whoever comes late: what a newcomer needs to have a right picture at once. */
import { OpenGroup } from './open-group.js';
import type { PacketizedFrame } from './packetized-frame.js';

/** The frames since the newest keyframe of a track. */
export class Gop extends OpenGroup<PacketizedFrame> {
  constructor() {
    super(({ sizeBytes }) => sizeBytes);
  }

  /**
   * The group with RTP timestamps that end at `endTimestamp`, `stepTicks` apart: a player shows the newest
   * picture at once instead of running through the past in fast motion (16 ms of jitter buffer, measured in
   * Chromium, against 1-4 s of wait without the replay).
   */
  restamped(endTimestamp: number, stepTicks: number): PacketizedFrame[] {
    const last = this.frames.length - 1;
    return this.frames.map((frame, i) => withTimestamp(frame, (endTimestamp - (last - i) * stepTicks) >>> 0));
  }
}

function withTimestamp(frame: PacketizedFrame, rtpTimestamp: number): PacketizedFrame {
  return rtpTimestamp === frame.rtpTimestamp ? frame : { ...frame, rtpTimestamp, capturedAtMs: undefined };
}
