/** A clip as a file of this device: made by the server while it comes, with words where it does not. */
import { clipAddress, type TimeRange } from '../api/recordings.js';
import { RequestError } from '../api/request.js';

/** What is downloaded. */
export interface ClipWish extends TimeRange {
  /** Whose recording it is. */
  readonly source: string;
  /** With what was seen drawn in. */
  readonly isAnnotated: boolean;
}

/** Brings it, and gives it to the browser to keep. @param onBytes so many so far @throws RequestError; an AbortError where it was given up */
export async function downloadClip(wish: ClipWish, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(clipAddress(wish.source, wish, wish.isAnnotated), { signal, cache: 'no-store' }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new RequestError(0, 'UNREACHABLE', 'the server cannot be reached');
  });
  if (!response.ok || !response.body) throw await refusalOf(response);
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        controller.enqueue(chunk);
        onBytes((bytes += chunk.length));
      },
    }),
  );
  const blob = await new Response(counted, { headers: { 'content-type': 'video/mp4' } }).blob().catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new RequestError(0, 'CLIP_BROKEN', 'the clip could not be finished');
  });
  keep(blob, fileNameOf(response.headers.get('content-disposition')) ?? 'clip.mp4');
}

/** The name of a `Content-Disposition` (RFC 6266); undefined where it has none. */
export function fileNameOf(header: string | null): string | undefined {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header ?? '')?.[1];
  try {
    if (extended !== undefined) return decodeURIComponent(extended);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  return /filename="([^"]+)"/i.exec(header ?? '')?.[1];
}

async function refusalOf(response: Response): Promise<RequestError> {
  const answer = (await response.json().catch(() => ({}))) as { readonly code?: string; readonly message?: string };
  return new RequestError(response.status, answer.code ?? `HTTP_${response.status}`, answer.message ?? `HTTP status ${response.status}`);
}

/** A link that is clicked: there is no other way to give a file a name. */
function keep(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
