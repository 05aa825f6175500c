/**
 * What ffmpeg says, without what only the operator may know. ffmpeg repeats addresses as it was given them, as it
 * took them apart, and as servers redirected it; so what is known to be secret goes first, in every spelling, and
 * then whatever looks like a credential or a query.
 */

/** Stands for what was taken out. */
const REDACTED = '***';

/** Takes a text; returns it without secrets. */
export type Redact = (text: string) => string;

/** Up to the last `@`: passwords that were not percent-encoded hold `@` and `/` themselves. */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi;
/** The whole query, and a fragment behind it. */
const QUERY = /\?[^\s"'<>]+/g;
const HEADER = /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*).*/gi;
const SCHEME_AND_TOKEN = /\b(basic|bearer|digest)(\s+)[^\s,;]{6,}/gi;
const ASSIGNMENT =
  /\b([\w-]*(?:passw(?:or)?d|passwd|pwd|token|secret|signature|credential|api[_-]?key|nonce|cnonce|username)[\w-]*)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/gi;

/** Removes what looks like a credential, whoever it belongs to. */
export function redactShapes(text: string): string {
  return text
    .replace(USER_INFO, `$1${REDACTED}@`)
    .replace(QUERY, `?${REDACTED}`)
    .replace(HEADER, `$1$2${REDACTED}`)
    .replace(SCHEME_AND_TOKEN, `$1$2${REDACTED}`)
    .replace(ASSIGNMENT, `$1$2${REDACTED}`);
}

/** A function that also removes these secrets, however they are spelled. Empty ones are passed over. */
export function redactor(secrets: Iterable<string>): Redact {
  const spellings = new Set([...secrets].flatMap(spellingsOf).filter((text) => text !== ''));
  // The longest first, so that nothing of it is left when another secret is a part of it.
  const ordered = [...spellings].sort((a, b) => b.length - a.length);
  if (ordered.length === 0) return redactShapes;
  const known = new RegExp(ordered.map(escaped).join('|'), 'gi');
  return (text) => redactShapes(text.replace(known, REDACTED));
}

/** As it is, percent-encoded (twice, where a message quotes an address in an address), decoded, and as Basic credentials carry it. */
function spellingsOf(secret: string): string[] {
  const decoded = decodedOr(secret);
  const plain = [secret, decoded];
  const encoded = plain.flatMap((text) => [encodeURI(wellFormed(text)), encodeURIComponent(wellFormed(text))]);
  const strict = encoded.map((text) => text.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`));
  const twice = encoded.map((text) => encodeURIComponent(text));
  const base64 = plain.flatMap((text) => [Buffer.from(text).toString('base64'), Buffer.from(text).toString('base64url')]);
  return [
    ...plain,
    ...encoded,
    ...strict,
    ...twice,
    ...(decoded.length >= 3 ? base64 : []),
    ...plain.map((text) => JSON.stringify(text).slice(1, -1)),
  ];
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Half a surrogate pair cannot be percent-encoded. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
