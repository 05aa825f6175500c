/**
 * Turns whatever can go wrong into words for a person: what happened, what to do, and whether trying again by
 * itself makes sense. Knows no DOM and no WebRTC.
 */

/** Trouble while opening or holding a viewing. `kind` is a server error code or one of the page's own kinds below. */
export class ViewingError extends Error {
  /** @param {string} kind @param {string} [message] @param {number} [retryAfterS] seconds the server asks to wait */
  constructor(kind, message = kind, retryAfterS = undefined) {
    super(message);
    this.name = 'ViewingError';
    this.kind = kind;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * @typedef {object} Explanation
 * @property {string} title one short line
 * @property {string} text what to do
 * @property {boolean} heals trying again without a change by the person can succeed
 * @property {number} [retryAfterS] seconds to wait before it, when the server said so
 */

const TEXTS = {
  // The page's own.
  'no-webrtc': ['This browser cannot play it', 'It has no WebRTC, or WebRTC is switched off by a setting or an extension.', false],
  'no-codec': ['This browser cannot play it', 'It has neither the H.264 nor the VP8 video codec. A current Chrome, Edge, Firefox or Safari has.', false],
  unreachable: ['The server cannot be reached', 'Check that it is running and that this device is on its network.', true],
  'connection-failed': [
    'The connection failed',
    'The server answered, but no media came through. Check that UDP between this device and the server is not blocked by a firewall or VPN.',
    true,
  ],
  'no-picture': ['No picture arrived', 'The connection stands, but the source sent no video. The server log says why.', true],
  'no-switch': ['The view did not change', 'The server sent no picture for it.', false],
  lost: ['Connection lost', 'Reconnecting.', true],
  // The server's codes.
  CAPACITY_REACHED: ['The server is full', 'All places are taken. This page tries again by itself.', true],
  SERVER_CLOSING: ['The server is restarting', 'This page tries again by itself.', true],
  SOURCE_NOT_LIVE: ['Nothing is being sent right now', 'The source exists but is not live. This page tries again by itself.', true],
  SOURCE_NOT_FOUND: ['This video is gone', 'It was removed or renamed. Choose another one below.', false],
  SOURCE_NOT_PLAYABLE: ['This video cannot be played', '', false],
  DETECTION_OFF: ['There is no processed picture', 'The server runs without a detector. The raw video plays.', false],
  NOTHING_TO_SERVE: ['This browser and the server have no video codec in common', '', false],
  TOO_MANY_REQUESTS: ['Too many attempts', 'The server asks to slow down. This page tries again by itself.', true],
};

/** Codes whose server message holds the reason a person needs. */
const SERVER_KNOWS_WHY = new Set(['SOURCE_NOT_PLAYABLE', 'NOTHING_TO_SERVE']);

/** @param {unknown} error @returns {Explanation} */
export function explain(error) {
  if (!(error instanceof ViewingError)) {
    return { title: 'Something went wrong', text: error instanceof Error ? error.message : String(error), heals: false };
  }
  const known = TEXTS[error.kind];
  if (!known) return { title: 'The server refused', text: error.message, heals: error.retryAfterS !== undefined, retryAfterS: error.retryAfterS };
  const [title, text, heals] = known;
  return { title, text: SERVER_KNOWS_WHY.has(error.kind) ? error.message : text, heals, retryAfterS: error.retryAfterS };
}

/**
 * The error of an answer that is not 2xx.
 * @param {number} status @param {unknown} body parsed JSON, or undefined @param {string | null} retryAfter the header
 */
export function refusal(status, body, retryAfter) {
  const { code, message } = typeof body === 'object' && body !== null ? body : {};
  const seconds = retryAfter === null ? NaN : Number(retryAfter);
  const kind = status === 429 ? 'TOO_MANY_REQUESTS' : typeof code === 'string' ? code : `HTTP_${status}`;
  return new ViewingError(kind, typeof message === 'string' ? message : `HTTP status ${status}`, Number.isFinite(seconds) ? seconds : undefined);
}

/** Seconds to wait before attempt `attempt` (0 is the first repetition): doubling from 0.5, at most 10. */
export function backoffS(attempt) {
  return Math.min(10, 0.5 * 2 ** attempt);
}
