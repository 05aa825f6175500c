/**
 * What a `detections` message says, read with care, and where its objects are at another moment. Knows no DOM.
 */

/**
 * @typedef {object} DetectedObject
 * @property {number} object_id
 * @property {string} label
 * @property {number} class_id
 * @property {number} score [0, 1]
 * @property {number[]} box left, top, width, height in pixels of the message's picture
 * @property {number[]} velocity pixels a second
 * @property {boolean} observed false where it is only expected there
 */

/**
 * @typedef {object} DetectionsMessage
 * @property {Partial<Record<'raw' | 'processed', number>>} rtp_timestamp 90 kHz, 32 bits
 * @property {number} width pixels @property {number} height pixels
 * @property {number} inference_ms
 * @property {number} dropped messages this viewer lost so far
 * @property {DetectedObject[]} objects
 * @property {{ zone: string, count: number }[]} [zones]
 * @property {{ line: string, in: number, out: number }[]} [lines]
 */

/** A velocity is believed for this long; then boxes stay where it has carried them. */
export const MOVES_S = 1;
/** Boxes of a message older than this are late, and are drawn as such. */
export const LATE_S = 0.5;
/** Boxes of a message as old as this say nothing about now; from `LATE_S` on they fade towards it. */
export const GONE_S = 3;

/** @param {unknown} message @returns {DetectionsMessage | undefined} undefined for what is not such a message */
export function parseDetections(message) {
  if (message === null || typeof message !== 'object' || !Array.isArray(message.objects) || !(message.width > 0) || !(message.height > 0)) return undefined;
  const { rtp_timestamp: rtpTimestamp, inference_ms: inferenceMs, dropped } = message;
  return {
    ...message,
    rtp_timestamp: rtpTimestamp !== null && typeof rtpTimestamp === 'object' ? rtpTimestamp : {},
    inference_ms: Number.isFinite(inferenceMs) ? inferenceMs : 0,
    dropped: Number.isFinite(dropped) ? dropped : 0,
    objects: message.objects.filter(isObject).map((object) => ({ ...object, velocity: isNumbers(object.velocity, 2) ? object.velocity : [0, 0] })),
  };
}

function isObject(object) {
  return object !== null && typeof object === 'object' && isNumbers(object.box, 4) && typeof object.label === 'string' && Number.isFinite(object.score) && Number.isInteger(object.class_id);
}

function isNumbers(value, length) {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite);
}

/**
 * Where objects are expected some time after they were seen: their velocity carries them for `MOVES_S`.
 * @param {readonly DetectedObject[]} objects @param {number} seconds since they were seen @returns {DetectedObject[]}
 */
export function movedOn(objects, seconds) {
  const duration = Math.min(seconds, MOVES_S);
  return objects.map((object) => {
    const [x, y, width, height] = object.box;
    return { ...object, box: [x + object.velocity[0] * duration, y + object.velocity[1] * duration, width, height] };
  });
}

/**
 * Objects between two messages: those that both know lie on the way from one box to the other, the others move on.
 * @param {readonly DetectedObject[]} earlier @param {readonly DetectedObject[]} later
 * @param {number} seconds since the earlier one @param {number} span seconds from the earlier to the later
 */
export function between(earlier, later, seconds, span) {
  const share = seconds / span;
  const byId = new Map(later.map((object) => [object.object_id, object]));
  return movedOn(earlier, seconds).map((moved, index) => {
    const { box } = earlier[index];
    const next = byId.get(moved.object_id);
    return next ? { ...moved, box: box.map((value, side) => value + (next.box[side] - value) * share) } : moved;
  });
}

/** How visible boxes are that were last seen `seconds` ago: 1 until they are late, then fading to 0. */
export function visibility(seconds) {
  return Math.max(0, Math.min(1, 1 - (seconds - LATE_S) / (GONE_S - LATE_S)));
}
