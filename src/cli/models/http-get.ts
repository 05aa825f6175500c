/**
 * One GET of a file from a byte on, redirects followed by hand: https alone, so that nobody on the way can send a
 * download elsewhere in the clear; this machine's own addresses may use http.
 */
import { CommandError } from '../errors.js';
import { networkTrouble } from './network-trouble.js';

/** From where on, and for how long. */
export interface GetOptions {
  /** First byte that is wanted; 0 is the whole file. */
  readonly from: number;
  /** The file's ETag or date as it was when the first bytes came; sent as If-Range (RFC 9110 §13.1.5). */
  readonly validator: string | undefined;
  /** Aborted: the request ends. */
  readonly signal: AbortSignal;
}

/** A server's answer whose body is the file from `from` on. */
export interface FileResponse {
  /** Where the body begins: what was asked for, or 0 where the server sends the file anew. */
  readonly from: number;
  /** Size of the whole file as the server tells it; undefined where it does not. */
  readonly totalBytes: number | undefined;
  /** What to send as If-Range next time; undefined where the server gives nothing strong enough. */
  readonly validator: string | undefined;
  /** The bytes from there on. */
  readonly body: ReadableStream<Uint8Array>;
  /** Where the redirects ended. */
  readonly url: URL;
}

/** The connection failed: trying again may help, and what has come may be kept. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** True for https, and for http to this very machine. */
export function isAllowedAddress(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname));
}

/** @throws CommandError for what will not heal, ConnectionLost for what may */
export async function getFile(address: string, options: GetOptions): Promise<FileResponse> {
  const seen = new Set<string>();
  for (let url = new URL(address); ;) {
    if (!isAllowedAddress(url))
      throw new CommandError(
        `${seen.size > 0 ? 'the server redirects to ' : ''}${url.href}, which is not https; nothing was downloaded from there`,
      );
    if (seen.has(url.href) || seen.size > MAX_REDIRECTS)
      throw new CommandError(`${address} redirects in a circle (${seen.size} redirects, last to ${url.host})`);
    seen.add(url.href);
    const response = await get(url, options);
    if (response.status === 416 && options.from > 0) {
      // The file is shorter than what is there already: another file.
      await response.body?.cancel();
      return getFile(address, { ...options, from: 0, validator: undefined });
    }
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return fileResponse(response, url, options);
    await response.body?.cancel();
    if (!URL.canParse(location, url.href)) throw new CommandError(`${url.href} redirects to '${location}', which is not an address`);
    url = new URL(location, url);
  }
}

async function get(url: URL, { from, validator, signal }: GetOptions): Promise<Response> {
  // Compressed on the way, the bytes could not be counted.
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'sightline' };
  if (from > 0 && validator !== undefined) Object.assign(headers, { range: `bytes=${from}-`, 'if-range': validator });
  try {
    return await fetch(url, { headers, redirect: 'manual', signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionLost(networkTrouble(error, url), { cause: error });
  }
}

async function fileResponse(response: Response, url: URL, { from }: GetOptions): Promise<FileResponse> {
  const { status, headers, body } = response;
  const refuse = async (why: string): Promise<never> => {
    await body?.cancel();
    throw new CommandError(`${url.href} ${why}`);
  };
  if (status === 404 || status === 410) return refuse(`is not there any more (HTTP ${status}); a newer Sightline may know where it went`);
  if (status === 429 || status >= 500) {
    await body?.cancel();
    throw new ConnectionLost(`${url.host} answers HTTP ${status}; try again later`);
  }
  if ((status !== 200 && status !== 206) || !body) return refuse(`answers HTTP ${status}, 200 was expected`);
  const validator = strongValidator(headers);
  if (status === 200) return { from: 0, totalBytes: size(headers.get('content-length')), validator, body, url };
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
  if (Number(range?.[1]) !== from)
    return refuse(`sent other bytes than those asked for ('${headers.get('content-range') ?? 'no content-range'}')`);
  return { from, totalBytes: Number(range?.[2]), validator, body, url };
}

/** A weak ETag may stand for other bytes of the same meaning, so it cannot join two halves. */
function strongValidator(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag?.startsWith('"')) return etag;
  return headers.get('last-modified') ?? undefined;
}

function size(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}
