/** Why a camera cannot be had, in people's words: what ffmpeg says of it is for people who know ffmpeg. */

const WRONG_LOGIN = 'the user name or the password is wrong';

/** The first that fits is told, with ffmpeg's own words behind it. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'nothing listens at that address and port'],
  [/\b401\b|authorization failed/i, WRONG_LOGIN],
  [/\b403\b/, 'it denies access to this user'],
  [/\b404\b|stream not found/i, 'it has no stream of that path'],
  [/\b453\b/, 'it already serves as many clients as it can'],
  [/\b454\b/, 'it has forgotten the session'],
  [/\b461\b|unsupported transport/i, 'it does not support this transport: set the option rtsp_transport to tcp or udp'],
  [
    /name or service not known|failed to resolve|name resolution|no address associated|nodename nor servname/i,
    'its host name is not known',
  ],
  [/no route to host|network is unreachable|host is (down|unreachable)/i, 'there is no route to that address'],
  [/connection reset|broken pipe/i, 'it closed the connection'],
  [/certificate|\btls\b|\bssl\b|handshake/i, 'no encrypted connection could be made'],
  [/timed out|timeout/i, 'it does not answer'],
  [/whitelist/i, 'it leads to an address or a format that is not allowed'],
  [/invalid data found|could not find codec parameters/i, 'it sends data that is not understood'],
  [/\b5\d\d\b|server error/i, 'it reports an internal error'],
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
