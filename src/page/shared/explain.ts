/** Turns the reasons of the client library and the codes of the server into words for a person: what happened, and what to do. Knows no DOM. */
import { words } from '../strings/index.js';

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
  const { reasons, unknownReason, refusedReason } = words.value;
  if (code === undefined) return { title: unknownReason, text: message };
  const known = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  if (!known) return { title: refusedReason, text: message };
  const [title, text] = known;
  if (MESSAGE_SAYS_WHY.has(code) && message !== '') return { title, text: `${sentence(message)} ${text}` };
  return { title, text: MESSAGE_KNOWS_WHY.has(code) ? message : text };
}

/** A message of the server as a sentence, without what the page says in its own place: which source it is, and when it asks again. */
function sentence(message: string): string {
  const why = message.replace(/^source '[^']*' is not live: /, '').replace(/; try again in \d+ s$/, '');
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}${/[.!?]$/.test(why) ? '' : '.'}`;
}
