/** Videos on their way to the server: sent in one piece, and continued where they were cut (docs/http.md). */
import { addressOf, pathOf } from './address.js';
import { request, refusal, RequestError } from './request.js';

/** How a video is sent. */
export interface SendInit {
  /** What is sent. */
  readonly file: Blob & { readonly name: string };
  /** Bytes that are there already. */
  readonly from: number;
  /** Replaces a video of that name. */
  readonly replaces: boolean;
  /** Bytes that have left this browser so far, those that were there among them. */
  readonly onProgress: (sentBytes: number) => void;
  /** Breaks off; what has come stays there. */
  readonly signal: AbortSignal;
}

/** How much of a video is there; undefined: nothing that could be continued. @throws RequestError */
export async function sentBytes(
  name: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly total: number } | undefined> {
  const response = await fetch(addressOf(pathOf('uploads', name)), { method: 'HEAD', cache: 'no-store', signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error;
      throw new RequestError(0, 'UNREACHABLE', 'the server cannot be reached');
    },
  );
  if (response.status === 404) return undefined;
  if (!response.ok) throw new RequestError(response.status, `HTTP_${response.status}`, `HTTP status ${response.status}`);
  if (response.headers.get('upload-complete') !== '?0') return undefined;
  return { bytes: Number(response.headers.get('upload-offset')), total: Number(response.headers.get('upload-length')) };
}

/** Sends it to its end. Only an `XMLHttpRequest` tells how far it is. @returns id of the source that it is @throws RequestError; an AbortError */
export function send({ file, from, replaces, onProgress, signal }: SendInit): Promise<string | undefined> {
  const xhr = new XMLHttpRequest();
  xhr.open('PUT', addressOf(pathOf('uploads', file.name)));
  xhr.responseType = 'json';
  if (from > 0) xhr.setRequestHeader('content-range', `bytes ${from}-${file.size - 1}/${file.size}`);
  if (replaces) xhr.setRequestHeader('if-match', '*');
  xhr.setRequestHeader('content-type', 'application/octet-stream');
  return new Promise((resolve, reject) => {
    xhr.upload.onprogress = ({ loaded }) => onProgress(from + loaded);
    xhr.onload = () => {
      const body: unknown = xhr.response;
      if (xhr.status >= 200 && xhr.status < 300) resolve((body as { readonly source?: string } | null)?.source);
      else reject(refusal(xhr.status, body));
    };
    xhr.onerror = () => reject(new RequestError(0, 'UNREACHABLE', 'the server cannot be reached'));
    xhr.onabort = () => reject(new DOMException('given up', 'AbortError'));
    signal.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(from > 0 ? file.slice(from) : file);
  });
}

/** Takes away what has come of a video. @throws RequestError */
export async function forget(name: string): Promise<void> {
  await request(pathOf('uploads', name), { method: 'DELETE' }).catch((error: unknown) => {
    if (!(error instanceof RequestError && error.status === 404)) throw error;
  });
}
