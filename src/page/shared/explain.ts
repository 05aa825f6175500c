/** Turns the reasons of the client library and the codes of the server into words for a person: what happened, and what to do. Knows no DOM. */

/** Words for a person. */
export interface Explanation {
  /** One short line. */
  readonly title: string;
  /** What to do; may be empty. */
  readonly text: string;
}

/** What went wrong: a code of the library or of the server, none for a mistake of the page. */
export interface Trouble {
  /** Stable. Undefined for a mistake of the page. */
  readonly code?: string | undefined;
  /** In the words of whoever found it. */
  readonly message: string;
}

const AGAIN = 'This page tries again by itself.';
const TEXTS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  // The library's own.
  WEBRTC_MISSING: ['This browser cannot do it', 'It has no WebRTC, or WebRTC is switched off by a setting or an extension.'],
  CODEC_MISSING: [
    'This browser cannot do it',
    'It has neither the H.264 nor the VP8 video codec. A current Chrome, Edge, Firefox or Safari has.',
  ],
  UNREACHABLE: ['The server cannot be reached', 'Check that it is running and that this device is on its network.'],
  SERVER_SILENT: ['The server does not answer', 'It may be busy, or the network may be cut.'],
  SERVER_CLOSED: ['The server ended the connection', AGAIN],
  CONNECTION_FAILED: [
    'The connection failed',
    'The server answered, but no media came through. Check that UDP between this device and the server is not blocked by a firewall or VPN.',
  ],
  CONNECTION_LOST: ['Connection lost', AGAIN],
  CONNECTION_WEAK: ['Nothing arrives any more', AGAIN],
  NETWORK_CHANGED: ['Another network', 'The connection moves there.'],
  NO_FRAMES: ['No picture arrives', 'The connection stands, but the source sends no video. The server log says why.'],
  RECONNECT_ASKED: ['The server sees no picture', 'It asked for another connection.'],
  OFFLINE: ['This device is offline', 'It goes on by itself once there is a network.'],
  CAMERA_SILENT: ['The camera gives no pictures', 'Another program may be using it, or the page is in the background.'],
  NO_SWITCH: ['The view did not change', 'The server sent no picture for it.'],
  // The server's codes.
  CAPACITY_REACHED: ['The server is full', AGAIN],
  SERVER_STARTING: ['The server is starting', AGAIN],
  SERVER_CLOSING: ['The server is restarting', AGAIN],
  SOURCE_NOT_LIVE: ['Not live right now', AGAIN],
  SOURCE_NOT_FOUND: ['This video is gone', 'It was removed or renamed. Choose another one below.'],
  SOURCE_NOT_PLAYABLE: ['This video cannot be played', ''],
  DETECTION_OFF: ['There is no processed picture', 'The server runs without a detector. The raw video plays.'],
  NOTHING_TO_SERVE: ['This browser and the server have no video codec in common', ''],
  UNAUTHORIZED: ['A login or a token is needed', ''],
  ROOM_TAKEN: ['Somebody else uses this room', `Choose another name, or wait until it is free. ${AGAIN}`],
  FORBIDDEN: ['This is not allowed', ''],
  ROOM_INVALID: ['This room cannot be published to', ''],
  TOO_MANY_REQUESTS: ['Too many attempts', `The server asks to slow down. ${AGAIN}`],
};

/** Codes whose message holds what a person needs. */
const MESSAGE_KNOWS_WHY: ReadonlySet<string> = new Set([
  'SOURCE_NOT_PLAYABLE',
  'NOTHING_TO_SERVE',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'ROOM_INVALID',
]);
/** Codes whose message says why, and whose text here says what happens next. */
const MESSAGE_SAYS_WHY: ReadonlySet<string> = new Set(['CAPACITY_REACHED', 'SOURCE_NOT_LIVE']);

/** What happened and what to do, in words for a person. */
export function explain({ code, message }: Trouble): Explanation {
  if (code === undefined) return { title: 'Something went wrong', text: message };
  const known = Object.hasOwn(TEXTS, code) ? TEXTS[code] : undefined;
  if (!known) return { title: 'The server refused', text: message };
  const [title, text] = known;
  if (MESSAGE_SAYS_WHY.has(code) && message !== '') return { title, text: `${sentence(message)} ${text}` };
  return { title, text: MESSAGE_KNOWS_WHY.has(code) ? message : text };
}

/** A message of the server as a sentence, without what the page says in its own place: which source it is, and when it asks again. */
function sentence(message: string): string {
  const why = message.replace(/^source '[^']*' is not live: /, '').replace(/; try again in \d+ s$/, '');
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}${/[.!?]$/.test(why) ? '' : '.'}`;
}
