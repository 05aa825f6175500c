/**
 * Brings together the frames a browser presents and the messages that belong to them, by RTP timestamp, and
 * counts how well that went. Messages may come in any order, late, or never. Knows no DOM; time is handed in.
 */
import { GONE_S, LATE_S, between, movedOn, visibility } from './detections.js';

/** Browsers compute a frame's RTP timestamp from microseconds and back; 1 ms is far less than a frame. */
export const TOLERANCE_TICKS = 90;
const TICKS_PER_S = 90_000;
/** Long enough for trails and for the longest delay that is asked for. */
const KEPT_TICKS = 2 * TICKS_PER_S;
/** A message further away than this belongs to another timeline. */
const OTHER_TIMELINE_TICKS = 10 * TICKS_PER_S;
/** Presented frames that are remembered: 2 s and more at 60 fps. */
const KEPT_FRAMES = 128;
/** Playback that stands for this long says nothing about lateness. */
const STALLED_MS = 250;
/** Messages over which the detector's rate is taken. */
const RATE_MESSAGES = 30;

/** Ticks from one RTP timestamp to a later one; negative where it is earlier. Right across the 32-bit wrap. */
export function ticksBetween(earlier, later) {
  return (later - earlier) | 0;
}

/**
 * @typedef {object} Boxes what to draw on a frame
 * @property {'paired' | 'moved' | 'outdated' | 'none'} kind `paired`: of this very frame; `moved`: of an earlier one; `outdated`: of one long before
 * @property {import('./detections.js').DetectedObject[]} objects
 * @property {import('./detections.js').DetectionsMessage} [message] where they come from
 * @property {number} visibility 0 to 1
 * @property {number} ageS from the message's frame to this one, in seconds
 */

/** @type {Boxes} */
const NOTHING = { kind: 'none', objects: [], visibility: 0, ageS: 0 };

export class FramePairing {
  /** By timestamp, ascending. @type {{ rtp: number, message: import('./detections.js').DetectionsMessage }[]} */
  #messages = [];
  /** In the order of presentation. @type {{ rtp: number, now: number, kind: Boxes['kind'], hasMessage: boolean }[]} */
  #frames = [];
  /** Arrivals of the newest messages. @type {{ now: number, inferenceMs: number }[]} */
  #arrivals = [];
  /** `withMessage`: frames that a message belongs to; `paired`: those that showed its boxes; `moved`: frames with moved boxes; `outdated`: frames with boxes of long before; `late`: frames whose message came after them. */
  counts = { frames: 0, withMessage: 0, paired: 0, moved: 0, outdated: 0, late: 0, messages: 0, lost: 0 };
  /** The message of the latest moment. @type {import('./detections.js').DetectionsMessage | undefined} */
  newest;

  /**
   * Takes a message in.
   * @param {import('./detections.js').DetectionsMessage} message @param {number} now ms
   * @returns {{ latenessMs?: number, isOnScreen: boolean }} how long after its frame it came (negative: before); whether that frame is the one on the screen
   */
  add(message, now) {
    this.counts.messages++;
    this.counts.lost = Math.max(this.counts.lost, message.dropped);
    this.#arrivals.push({ now, inferenceMs: message.inference_ms });
    if (this.#arrivals.length > RATE_MESSAGES) this.#arrivals.shift();
    const rtp = message.rtp_timestamp.raw;
    if (!Number.isInteger(rtp)) {
      this.newest = message;
      return { isOnScreen: false };
    }
    this.#insert({ rtp, message });
    this.newest = this.#messages.at(-1).message;
    const frame = this.#frames.findLast((one) => Math.abs(ticksBetween(one.rtp, rtp)) <= TOLERANCE_TICKS);
    const isOnScreen = frame !== undefined && frame === this.#frames.at(-1);
    if (frame && !frame.hasMessage) {
      frame.hasMessage = true;
      this.counts.withMessage++;
      this.counts.late++;
      if (isOnScreen) {
        if (frame.kind !== 'none') this.counts[frame.kind]--;
        frame.kind = 'paired';
        this.counts.paired++;
      }
    }
    return { latenessMs: this.#lateness(rtp, now), isOnScreen };
  }

  /** A frame is on the screen. @param {number} rtp its RTP timestamp @param {number} now ms @returns {Boxes} */
  present(rtp, now) {
    const boxes = this.boxesAt(rtp);
    const { kind } = boxes;
    this.#frames.push({ rtp, now, kind, hasMessage: kind === 'paired' });
    if (this.#frames.length > KEPT_FRAMES) this.#frames.shift();
    this.counts.frames++;
    if (kind === 'paired') this.counts.withMessage++;
    if (kind !== 'none') this.counts[kind]++;
    return boxes;
  }

  /** The boxes of a frame, as far as is known. @returns {Boxes} */
  boxesAt(rtp) {
    const own = this.#nearest(rtp);
    if (own) return { kind: 'paired', objects: own.objects, message: own, visibility: 1, ageS: 0 };
    const index = this.#messages.findLastIndex((one) => ticksBetween(one.rtp, rtp) > 0);
    const earlier = this.#messages[index];
    if (!earlier) return NOTHING;
    const seconds = ticksBetween(earlier.rtp, rtp) / TICKS_PER_S;
    const { message } = earlier;
    const later = this.#messages[index + 1];
    const span = later ? ticksBetween(earlier.rtp, later.rtp) / TICKS_PER_S : Infinity;
    if (span <= LATE_S) return { kind: 'moved', objects: between(message.objects, later.message.objects, seconds, span), message, visibility: 1, ageS: seconds };
    if (seconds >= GONE_S) return NOTHING;
    return { kind: seconds > LATE_S ? 'outdated' : 'moved', objects: movedOn(message.objects, seconds), message, visibility: visibility(seconds), ageS: seconds };
  }

  /** Centres of an object during the last second before a frame, oldest first. @returns {number[][]} */
  trail(objectId, rtp) {
    return this.#messages
      .filter((one) => ticksBetween(one.rtp, rtp) >= 0 && ticksBetween(one.rtp, rtp) <= TICKS_PER_S)
      .map(({ message }) => message.objects.find((object) => object.object_id === objectId)?.box)
      .filter((box) => box !== undefined)
      .map(([x, y, width, height]) => [x + width / 2, y + height / 2]);
  }

  /** Messages a second and mean time of the net in ms over the newest messages; undefined before there are two. */
  detector() {
    const [first, last] = [this.#arrivals[0], this.#arrivals.at(-1)];
    if (!first || first === last || last.now === first.now) return undefined;
    const inferenceMs = this.#arrivals.reduce((sum, one) => sum + one.inferenceMs, 0) / this.#arrivals.length;
    return { perSecond: ((this.#arrivals.length - 1) * 1000) / (last.now - first.now), inferenceMs };
  }

  #insert(entry) {
    const newest = this.#messages.at(-1);
    if (newest && Math.abs(ticksBetween(newest.rtp, entry.rtp)) > OTHER_TIMELINE_TICKS) this.#messages = [];
    const after = this.#messages.findLastIndex((one) => ticksBetween(one.rtp, entry.rtp) >= 0);
    const isSame = after >= 0 && this.#messages[after].rtp === entry.rtp;
    this.#messages.splice(isSame ? after : after + 1, isSame ? 1 : 0, entry);
    const last = this.#messages.at(-1).rtp;
    while (ticksBetween(this.#messages[0].rtp, last) > KEPT_TICKS) this.#messages.shift();
  }

  #nearest(rtp) {
    let nearest;
    let distance = TOLERANCE_TICKS + 1;
    for (const { rtp: own, message } of this.#messages) {
      const ticks = Math.abs(ticksBetween(own, rtp));
      if (ticks < distance) [nearest, distance] = [message, ticks];
    }
    return nearest;
  }

  /** How far playback is past a frame; playback runs on between frames, but a frame that was not presented yet is not late. */
  #lateness(rtp, now) {
    const shown = this.#frames.at(-1);
    if (!shown || now - shown.now > STALLED_MS) return undefined;
    const ahead = ticksBetween(shown.rtp, rtp);
    if (Math.abs(ahead) > OTHER_TIMELINE_TICKS) return undefined;
    const latenessMs = now - shown.now - (ahead * 1000) / TICKS_PER_S;
    return ahead > TOLERANCE_TICKS ? Math.min(0, latenessMs) : Math.max(0, latenessMs);
  }
}
