/** Why a camera cannot be had, in people's words: what ffmpeg says of it is for people who know ffmpeg. */

const WRONG_LOGIN = 'the user name or the password is wrong';

/** Why a camera cannot be had, for programs. `refused`: nothing listens there; `login`: the user name or the password is wrong; `not_understood`: what it sends. */
export type CameraCause =
  | 'refused'
  | 'login'
  | 'forbidden'
  | 'no_stream'
  | 'busy'
  | 'session'
  | 'transport'
  | 'host_unknown'
  | 'no_route'
  | 'closed'
  | 'tls'
  | 'timeout'
  | 'not_allowed'
  | 'not_understood'
  | 'camera_error';

/** The first that fits is told, with ffmpeg's own words behind it. */
const MEANINGS: readonly (readonly [pattern: RegExp, meaning: string, cause: CameraCause])[] = [
  [/connection refused/i, 'nothing listens at that address and port', 'refused'],
  [/\b401\b|authorization failed/i, WRONG_LOGIN, 'login'],
  [/\b403\b/, 'it denies access to this user', 'forbidden'],
  [/\b404\b|stream not found/i, 'it has no stream of that path', 'no_stream'],
  [/\b453\b/, 'it already serves as many clients as it can', 'busy'],
  [/\b454\b/, 'it has forgotten the session', 'session'],
  [/\b461\b|unsupported transport/i, 'it does not support this transport: set the option rtsp_transport to tcp or udp', 'transport'],
  [
    /name or service not known|failed to resolve|name resolution|no address associated|nodename nor servname/i,
    'its host name is not known',
    'host_unknown',
  ],
  [/no route to host|network is unreachable|host is (down|unreachable)/i, 'there is no route to that address', 'no_route'],
  [/connection reset|broken pipe/i, 'it closed the connection', 'closed'],
  [/certificate|\btls\b|\bssl\b|handshake/i, 'no encrypted connection could be made', 'tls'],
  [/timed out|timeout/i, 'it does not answer', 'timeout'],
  [/whitelist/i, 'it leads to an address or a format that is not allowed', 'not_allowed'],
  [/invalid data found|could not find codec parameters/i, 'it sends data that is not understood', 'not_understood'],
  [/\b5\d\d\b|server error/i, 'it reports an internal error', 'camera_error'],
];

/** The camera could not be reached, or did not let us in: sound has nothing to do with it. */
const AWAY =
  /connection (refused|reset)|broken pipe|\b40[134]\b|\b45[34]\b|authorization|name or service|resolve|resolution|no route|unreachable|host is down|timed out|i\/o error|input\/output error|end of file/i;

/** `the user name or the password is wrong (Server returned 401 Unauthorized)`; what was said alone where its meaning is not known. */
export function inWords(said: string): string {
  const meaning = meaningOf(said);
  return meaning === undefined ? said : `${meaning} (${said})`;
}

/** Whether it says that the user name or the password is wrong; in ffmpeg's words, or in those of `inWords`. */
export function saysLoginRefused(said: string): boolean {
  return meaningOf(said) === WRONG_LOGIN;
}

/** Why a camera cannot be had, by what is said of it; undefined where that is not known. */
export function causeOf(said: string): CameraCause | undefined {
  return MEANINGS.find(([pattern]) => pattern.test(said))?.[2];
}

function meaningOf(said: string): string | undefined {
  return MEANINGS.find(([pattern]) => pattern.test(said))?.[1];
}

/** Whether it says that the camera is away, rather than that something of what it sends cannot be played. */
export function saysAway(said: string): boolean {
  // A track that is refused says nothing of the others.
  return AWAY.test(said) && !/SETUP failed/i.test(said);
}

const LINE = /^(?:\[[^\]]*\]\s*)*/;

/** The last lines of a tool's errors, without the names of its modules; empty where it said nothing. @param stderr of a tool that puts the level before each line */
export function lastErrors(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /\[(error|fatal|panic)\]/.test(line));
  const said = lines
    .map((line) =>
      line
        .replace(LINE, '')
        .replace(/^\s*:?\s*/, '')
        .trim(),
    )
    .filter((line) => line !== '');
  return [...new Set(said)].slice(-2).join('; ').slice(0, 300);
}
