/** The newest detections messages on the timeline of one video track, in the order of their frames. Pure. */
import type { DetectionsMessage } from './detection-message.js';

/** A message belongs to the frame whose RTP timestamp is at most this far from its own: browsers compute a frame's from microseconds and back. 90 ticks are 1 ms, far less than a frame. */
export const PAIRING_TOLERANCE_TICKS = 90;
/** Of the RTP clock of video. */
export const TICKS_PER_S = 90_000;
/** A timestamp further away than this belongs to another timeline: that of another source or connection. */
export const OTHER_TIMELINE_TICKS = 60 * TICKS_PER_S;
/** 4 s and more at 30 a second: longer than trails and the longest delay that is asked for. */
const KEPT_MESSAGES = 128;

/** Ticks from one RTP timestamp to a later one; negative where it is earlier. Right across the wrap of 32 bits. */
export function ticksBetween(earlier: number, later: number): number {
  return (later - earlier) | 0;
}

/** A message and the RTP timestamp of its frame. */
export interface TimedMessage {
  /** 90 kHz, 32 bits. */
  readonly rtpTimestamp: number;
  /** What was detected in that frame. */
  readonly message: DetectionsMessage;
}

/** Messages by their frame. Later ones push the earliest out. */
export class MessageTimeline {
  #messages: TimedMessage[] = [];

  /** The message of the latest frame. */
  get newest(): DetectionsMessage | undefined {
    return this.#messages.at(-1)?.message;
  }

  /** Takes in a message, in whatever order they come; one of another timeline puts away all before. @param rtpTimestamp of its frame */
  add(rtpTimestamp: number, message: DetectionsMessage): void {
    const newest = this.#messages.at(-1);
    if (newest && Math.abs(ticksBetween(newest.rtpTimestamp, rtpTimestamp)) > OTHER_TIMELINE_TICKS) this.#messages = [];
    const before = this.#messages.findLastIndex((one) => ticksBetween(one.rtpTimestamp, rtpTimestamp) >= 0);
    const replaces = this.#messages[before]?.rtpTimestamp === rtpTimestamp;
    this.#messages.splice(replaces ? before : before + 1, replaces ? 1 : 0, { rtpTimestamp, message });
    if (this.#messages.length > KEPT_MESSAGES) this.#messages.shift();
  }

  /** The message of the frame with that RTP timestamp; the nearest within `PAIRING_TOLERANCE_TICKS`. Undefined where none came. */
  at(rtpTimestamp: number): DetectionsMessage | undefined {
    let nearest: DetectionsMessage | undefined;
    let distance = PAIRING_TOLERANCE_TICKS + 1;
    for (const { rtpTimestamp: own, message } of this.#messages) {
      const ticks = Math.abs(ticksBetween(own, rtpTimestamp));
      if (ticks < distance) [nearest, distance] = [message, ticks];
    }
    return nearest;
  }

  /** The last message before a frame and the one that follows it, as far as there are any. */
  around(rtpTimestamp: number): { readonly earlier: TimedMessage | undefined; readonly later: TimedMessage | undefined } {
    const index = this.#messages.findLastIndex((one) => ticksBetween(one.rtpTimestamp, rtpTimestamp) > 0);
    return { earlier: this.#messages[index], later: this.#messages[index + 1] };
  }

  /** Centres of an object during the last second before a frame, in pixels, oldest first. */
  trail(objectId: number, rtpTimestamp: number): [x: number, y: number][] {
    return this.#messages.flatMap((one) => {
      const age = ticksBetween(one.rtpTimestamp, rtpTimestamp);
      const box = age >= 0 && age <= TICKS_PER_S ? one.message.objects.find(({ object_id: id }) => id === objectId)?.box : undefined;
      return box ? [[box[0] + box[2] / 2, box[1] + box[3] / 2]] : [];
    });
  }
}
