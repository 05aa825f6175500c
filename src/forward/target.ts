/** Where a forward goes: an address, and what is shown to get in. Pure. */
import { createHash } from 'node:crypto';
import { MediaPeerError } from '../base/errors.js';

/** A WHIP endpoint. */
export interface Target {
  /** Without credentials. */
  readonly url: URL;
  /** Value of the header; undefined: none is sent. */
  readonly authorization: string | undefined;
  /** For people: without credentials and query, which often holds some. */
  readonly shown: string;
  /** What must not stand in any message. */
  readonly secrets: readonly string[];
}

const MAX_URL_LENGTH = 2048;
/** What a header can carry. */
const TOKEN = /^[!-~]{1,4096}$/;

/** @throws MediaPeerError BODY_INVALID naming what is wrong */
export function readTarget(address: string, token?: string): Target {
  if (address.length > MAX_URL_LENGTH) throw invalid(`it has ${address.length} characters of at most ${MAX_URL_LENGTH}`);
  if (!/^https?:\/\/[^\s]+$/i.test(address) || !URL.canParse(address))
    throw invalid('expected an http or https address of a WHIP endpoint');
  const url = new URL(address);
  const credentials = credentialsOf(url, token);
  url.username = '';
  url.password = '';
  url.hash = '';
  return {
    url,
    authorization: credentials?.authorization,
    shown: url.origin + url.pathname + (url.search === '' ? '' : '?***'),
    secrets: [...(credentials?.secrets ?? []), ...[...url.searchParams.values()].filter((value) => value.length > 3)],
  };
}

/** Of a source and a target: the same again after a restart. */
export function forwardId(sourceId: string, { url }: Target): string {
  return createHash('sha256').update(`${sourceId}\n${url.href}`).digest('base64url').replace(/[-_]/g, '').slice(0, 12);
}

function credentialsOf({ username, password }: URL, token: string | undefined) {
  if (token !== undefined && username !== '') throw invalid('its user name is a token, and there is another one in `token`; name one');
  if (token === undefined && username === '' && password === '') return undefined;
  if (password !== '') {
    const [user, secret] = [decoded(username), decoded(password)];
    const basic = Buffer.from(`${user}:${secret}`).toString('base64');
    return { authorization: `Basic ${basic}`, secrets: [secret, basic, password] };
  }
  const bearer = token ?? decoded(username);
  if (!TOKEN.test(bearer)) throw invalid('its token must be 1 to 4096 printable ASCII characters without blanks');
  return { authorization: `Bearer ${bearer}`, secrets: [bearer, username].filter((secret) => secret !== '') };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('% in its credentials is not followed by two hexadecimal digits');
  }
}

function invalid(why: string): MediaPeerError {
  return new MediaPeerError('BODY_INVALID', `the address of the forward cannot be used: ${why}`);
}
