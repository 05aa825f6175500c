/**
 * Do boxes belong to the picture they are shown on? Pictures as shown and messages as received are paired by RTP
 * timestamp as a client does it; the numbers that pictures carry and boxes say are the judge.
 */
import { numberOfBox } from '../../test/helpers/frame-number-model.js';
import type { NumberedFrame, ReceivedMessage } from '../../test/helpers/chromium.js';
import { PAIRING_TOLERANCE_TICKS, ticksBetween } from '../../src/client/message-timeline.js';
import type { Box, Rendition } from '../../src/media/index.js';

/** Longer than a message may be late, shorter than half the clip, after which numbers come again. */
const SAME_NUMBER_MS = 1200;

/** What the paired pictures of one rendition say. */
export interface Pairing {
  /** Pictures that were shown and could be read. */
  readonly shown: number;
  /** Of those, pictures for whose number a message came. */
  readonly withMessage: number;
  /** Of those, pictures that pair with a message by their timestamps. */
  readonly paired: number;
  /** Pairs whose numbers differ. */
  readonly wrong: number;
  /** Largest difference of the numbers of a pair. */
  readonly maxErrorFrames: number;
  /** Largest difference of the timestamps of a right pair, in ticks. */
  readonly maxOffsetTicks: number;
  /** Arrival of the message less the callback of its picture, in ms, ascending; negative: it came before. */
  readonly latenessMs: readonly number[];
  /** Callbacks that came when the next picture was shown already, and pictures that had none. */
  readonly lateCallbacks: number;
  readonly missedCallbacks: number;
  /** Shown pictures whose number could not be read. */
  readonly unreadable: number;
  /** What went wrong, in words; at most ten. */
  readonly faults: readonly string[];
}

interface Message {
  readonly now: number;
  readonly rtpTimestamp: number;
  readonly number: number;
}

/** Pairs what was shown of a rendition with the messages of the same viewer. */
export function pair(frames: readonly NumberedFrame[], received: readonly ReceivedMessage[], rendition: Rendition): Pairing {
  const messages = received.flatMap((each) => readMessage(each, rendition) ?? []);
  const readable = frames.flatMap((frame) => (typeof frame.number === 'number' ? [{ ...frame, number: frame.number }] : []));
  const faults: string[] = [];
  const latenessMs: number[] = [];
  const errors: number[] = [];
  const offsets: number[] = [];
  let withMessage = 0;
  let paired = 0;
  for (const frame of readable) {
    const hasMessage = messages.some(({ number, now }) => number === frame.number && Math.abs(now - frame.now) < SAME_NUMBER_MS);
    const partner = nearest(messages, frame.rtpTimestamp);
    if (hasMessage) withMessage++;
    if (!partner) {
      if (hasMessage)
        faults.push(`picture ${frame.number} at ${frame.rtpTimestamp} has a message but none within ${PAIRING_TOLERANCE_TICKS} ticks`);
      continue;
    }
    if (hasMessage) paired++;
    errors.push(Math.abs(partner.number - frame.number));
    if (partner.number === frame.number) {
      latenessMs.push(partner.now - frame.now);
      offsets.push(Math.abs((partner.rtpTimestamp - frame.rtpTimestamp) | 0));
    } else {
      faults.push(`picture ${frame.number} at ${frame.rtpTimestamp} pairs with the box of ${partner.number} at ${partner.rtpTimestamp}`);
    }
  }
  return {
    ...{ shown: readable.length, withMessage, paired, wrong: errors.filter((error) => error > 0).length },
    ...{ maxErrorFrames: Math.max(0, ...errors), maxOffsetTicks: Math.max(0, ...offsets), latenessMs: latenessMs.sort((a, b) => a - b) },
    ...{
      lateCallbacks: frames.filter(({ isLate }) => isLate).length,
      missedCallbacks: missedCallbacks(frames),
      unreadable: frames.length - readable.length,
    },
    faults: faults.slice(0, 10),
  };
}

/** What several viewers saw, as one. */
export function combine(pairings: readonly Pairing[]): Pairing {
  const sum = (of: (pairing: Pairing) => number): number => pairings.reduce((total, pairing) => total + of(pairing), 0);
  return {
    ...{ shown: sum((p) => p.shown), withMessage: sum((p) => p.withMessage), paired: sum((p) => p.paired), wrong: sum((p) => p.wrong) },
    maxErrorFrames: Math.max(0, ...pairings.map((p) => p.maxErrorFrames)),
    maxOffsetTicks: Math.max(0, ...pairings.map((p) => p.maxOffsetTicks)),
    latenessMs: pairings.flatMap((p) => p.latenessMs).sort((a, b) => a - b),
    ...{ lateCallbacks: sum((p) => p.lateCallbacks), missedCallbacks: sum((p) => p.missedCallbacks), unreadable: sum((p) => p.unreadable) },
    faults: pairings.flatMap((p) => p.faults).slice(0, 10),
  };
}

function readMessage({ now, text }: ReceivedMessage, rendition: Rendition): Message | undefined {
  const {
    rtp_timestamp: rtpTimestamps,
    width,
    objects,
  } = JSON.parse(text) as {
    readonly rtp_timestamp: Readonly<Partial<Record<Rendition, number>>>;
    readonly width: number;
    readonly objects: readonly { readonly box: Box; readonly observed: boolean }[];
  };
  const rtpTimestamp = rtpTimestamps[rendition];
  const observed = objects.find((object) => object.observed);
  const number = observed && numberOfBox(observed.box, width);
  return rtpTimestamp === undefined || number === undefined ? undefined : { now, rtpTimestamp, number };
}

function nearest(messages: readonly Message[], rtpTimestamp: number): Message | undefined {
  let best: Message | undefined;
  let bestTicks = PAIRING_TOLERANCE_TICKS + 1;
  for (const message of messages) {
    const ticks = Math.abs(ticksBetween(message.rtpTimestamp, rtpTimestamp));
    if (ticks < bestTicks) [best, bestTicks] = [message, ticks];
  }
  return best;
}

function missedCallbacks(frames: readonly NumberedFrame[]): number {
  return frames.reduce(
    (sum, { presentedFrames }, i) => sum + Math.max(0, i === 0 ? 0 : presentedFrames - (frames[i - 1]?.presentedFrames ?? 0) - 1),
    0,
  );
}
