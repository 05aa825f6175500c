/**
 * Brings together the frames that a browser presents and the detections that belong to them, and counts how well that
 * goes. Messages may come in any order, late, or never. Knows no DOM; time is handed in.
 */
import { GONE_S, LATE_S, between, movedOn, visibilityAfter } from './box-motion.js';
import type { DetectedObject, DetectionsMessage } from './detection-message.js';
import {
  MessageTimeline,
  OTHER_TIMELINE_TICKS,
  PAIRING_TOLERANCE_TICKS,
  TICKS_PER_S,
  ticksBetween,
  type TimedMessage,
} from './message-timeline.js';
import type { Rendition } from './viewing.js';

/** Presented frames that are remembered: 2 s and more at 60 a second. */
const KEPT_FRAMES = 128;
/** Playback that stands for this long says nothing about lateness. */
const STALLED_MS = 250;

/** `paired`: detected in this very frame; `moved`: in one shortly before; `outdated`: in one long before; `none`: nothing is known. */
export type BoxesKind = 'paired' | 'moved' | 'outdated' | 'none';

/** What to draw on a frame. */
export interface FrameBoxes {
  /** How much the boxes have to do with this frame. */
  readonly kind: BoxesKind;
  /** With their boxes where they are expected in this frame. */
  readonly objects: readonly DetectedObject[];
  /** Where they come from; undefined with `none`. */
  readonly message?: DetectionsMessage | undefined;
  /** How much they say about this frame, [0, 1]: 1 up to half a second after their message's frame, then falling to 0 at 3 s. */
  readonly visibility: number;
  /** From the message's frame to this one, in seconds. */
  readonly ageS: number;
}

/** What a pairing has counted since it began. */
export interface PairingCounts {
  /** Frames that were presented. */
  readonly frames: number;
  /** Frames that a message belongs to, whenever it came. */
  readonly withMessage: number;
  /** Frames that showed the boxes of their own message. */
  readonly paired: number;
  /** Frames with boxes of an earlier message, moved on. */
  readonly moved: number;
  /** Frames with boxes of a message more than half a second older. */
  readonly outdated: number;
  /** Frames whose message came after them. */
  readonly late: number;
  /** Messages that came. */
  readonly messages: number;
  /** Messages that the server left out because this viewer was too slow. */
  readonly lost: number;
}

/** How a message came. */
export interface Arrival {
  /** How long after its frame, in ms; negative: before it. Undefined while nothing is presented. */
  readonly latenessMs?: number | undefined;
  /** Its frame is on the screen: what is drawn there can be put right. */
  readonly isOnScreen: boolean;
}

interface PresentedFrame {
  readonly rtpTimestamp: number;
  readonly nowMs: number;
  kind: BoxesKind;
  hasMessage: boolean;
}

const NOTHING: FrameBoxes = { kind: 'none', objects: [], visibility: 0, ageS: 0 };

/**
 * Pairs the frames of one video track with the messages of `watching.on('detections', ...)`: give it both as they come,
 * and draw what `present` returns. Boxes of frames that the detector did not look at are moved on from the frames around.
 */
export class FramePairing {
  readonly #rendition: Rendition;
  readonly #timeline = new MessageTimeline();
  /** In the order of presentation. */
  readonly #frames: PresentedFrame[] = [];
  readonly #counts = { frames: 0, withMessage: 0, paired: 0, moved: 0, outdated: 0, late: 0, messages: 0, lost: 0 };
  /** Of a viewer that has no such track; it belongs to no frame. */
  #unplaced: DetectionsMessage | undefined;

  /** @param rendition which track the frames are of. Default `raw`. */
  constructor(rendition: Rendition = 'raw') {
    this.#rendition = rendition;
  }

  /** Counted so far. */
  get counts(): PairingCounts {
    return this.#counts;
  }

  /** The message of the latest frame; undefined before there is one. */
  get newest(): DetectionsMessage | undefined {
    return this.#unplaced ?? this.#timeline.newest;
  }

  /** Takes a message in. @param nowMs when it came, on the clock of `present` */
  add(message: DetectionsMessage, nowMs: number): Arrival {
    this.#counts.messages++;
    this.#counts.lost = Math.max(this.#counts.lost, message.dropped);
    const rtpTimestamp = message.rtp_timestamp[this.#rendition];
    this.#unplaced = rtpTimestamp === undefined ? message : undefined;
    if (rtpTimestamp === undefined) return { isOnScreen: false };
    this.#timeline.add(rtpTimestamp, message);
    const frame = this.#frames.findLast((one) => Math.abs(ticksBetween(one.rtpTimestamp, rtpTimestamp)) <= PAIRING_TOLERANCE_TICKS);
    const isOnScreen = frame !== undefined && frame === this.#frames.at(-1);
    if (frame && !frame.hasMessage) this.#countLate(frame, isOnScreen);
    return { latenessMs: this.#lateness(rtpTimestamp, nowMs), isOnScreen };
  }

  /**
   * A frame is on the screen: what to draw on it.
   * @param rtpTimestamp `metadata.rtpTimestamp` of requestVideoFrameCallback
   * @param nowMs when it is presented, such as `performance.now()`
   */
  present(rtpTimestamp: number, nowMs: number): FrameBoxes {
    const boxes = this.boxesAt(rtpTimestamp);
    const { kind } = boxes;
    this.#frames.push({ rtpTimestamp, nowMs, kind, hasMessage: kind === 'paired' });
    if (this.#frames.length > KEPT_FRAMES) this.#frames.shift();
    this.#counts.frames++;
    if (kind === 'paired') this.#counts.withMessage++;
    if (kind !== 'none') this.#counts[kind]++;
    return boxes;
  }

  /** The boxes of a frame as far as is known now, without counting it: to draw one again. @param rtpTimestamp of the frame */
  boxesAt(rtpTimestamp: number): FrameBoxes {
    const message = this.#timeline.at(rtpTimestamp);
    if (message) return { kind: 'paired', objects: message.objects, message, visibility: 1, ageS: 0 };
    const { earlier, later } = this.#timeline.around(rtpTimestamp);
    return earlier ? boxesBetween(rtpTimestamp, earlier, later) : NOTHING;
  }

  /** Centres of an object during the last second before a frame, in pixels, oldest first. @param rtpTimestamp of the frame */
  trail(objectId: number, rtpTimestamp: number): (readonly [x: number, y: number])[] {
    return this.#timeline.trail(objectId, rtpTimestamp);
  }

  /** A message came after its frame; where that frame is still on the screen, its boxes get there. */
  #countLate(frame: PresentedFrame, isOnScreen: boolean): void {
    frame.hasMessage = true;
    this.#counts.withMessage++;
    this.#counts.late++;
    if (!isOnScreen) return;
    if (frame.kind !== 'none') this.#counts[frame.kind]--;
    frame.kind = 'paired';
    this.#counts.paired++;
  }

  /** How far playback is past a frame; playback runs on between frames, but a frame that was not presented yet is not late. */
  #lateness(rtpTimestamp: number, nowMs: number): number | undefined {
    const shown = this.#frames.at(-1);
    if (!shown || nowMs - shown.nowMs > STALLED_MS) return undefined;
    const ahead = ticksBetween(shown.rtpTimestamp, rtpTimestamp);
    if (Math.abs(ahead) > OTHER_TIMELINE_TICKS) return undefined;
    const latenessMs = nowMs - shown.nowMs - (ahead * 1000) / TICKS_PER_S;
    return ahead > PAIRING_TOLERANCE_TICKS ? Math.min(0, latenessMs) : Math.max(0, latenessMs);
  }
}

/** Boxes of a frame without a message of its own: on the way between two that lie close together, else moved on from the earlier one. */
function boxesBetween(rtpTimestamp: number, earlier: TimedMessage, later: TimedMessage | undefined): FrameBoxes {
  const { message } = earlier;
  const ageS = ticksBetween(earlier.rtpTimestamp, rtpTimestamp) / TICKS_PER_S;
  const spanS = later ? ticksBetween(earlier.rtpTimestamp, later.rtpTimestamp) / TICKS_PER_S : Infinity;
  if (later && spanS <= LATE_S)
    return { kind: 'moved', objects: between(message.objects, later.message.objects, ageS, spanS), message, visibility: 1, ageS };
  if (ageS >= GONE_S) return NOTHING;
  return {
    kind: ageS > LATE_S ? 'outdated' : 'moved',
    objects: movedOn(message.objects, ageS),
    message,
    visibility: visibilityAfter(ageS),
    ageS,
  };
}
