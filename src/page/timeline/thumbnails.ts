/** Small pictures of moments: the newest wish is asked for alone, what came stays for a while, and one that is still being made is asked for again. */
import { thumbnailAddress } from '../api/recordings.js';

/** A picture of a moment. */
export interface Thumbnail {
  /** What is drawn. */
  readonly image: ImageBitmap;
  /** When it was, Unix seconds. */
  readonly atS: number;
}

const WIDTH_PX = 320;
const MAX_KEPT = 80;
/** The server makes those of a minute in one go. */
const AGAIN_MS = 700;
const MAX_TRIES = 8;

/** Of one source, until `close`. */
export class Thumbnails {
  readonly #source: string;
  readonly #onPicture: (picture: Thumbnail | undefined) => void;
  readonly #kept = new Map<number, Thumbnail>();
  #asking: AbortController | undefined;
  #wantedS: number | undefined;

  /** @param onPicture the wanted one, or the nearest so far; undefined: there is none */
  constructor(source: string, onPicture: (picture: Thumbnail | undefined) => void) {
    this.#source = source;
    this.#onPicture = onPicture;
  }

  /** That moment is wanted, and none before. @param apartS moments that are nearer to one another share a picture */
  want(atS: number, apartS: number): void {
    const gridS = Math.max(1, apartS);
    const wanted = Math.floor(atS / gridS) * gridS;
    if (wanted === this.#wantedS) return;
    this.#wantedS = wanted;
    this.#asking?.abort();
    const kept = this.#kept.get(wanted);
    if (kept) return this.#onPicture(kept);
    const asking = (this.#asking = new AbortController());
    // Gives up where it is aborted, and shows nothing where there is nothing.
    void this.#ask(wanted, asking.signal).catch(() => !asking.signal.aborted && this.#onPicture(undefined));
  }

  /** None is wanted. */
  stop(): void {
    this.#asking?.abort();
    this.#wantedS = undefined;
  }

  /** Idempotent. */
  close(): void {
    this.stop();
    for (const { image } of this.#kept.values()) image.close();
    this.#kept.clear();
  }

  async #ask(wantedS: number, signal: AbortSignal): Promise<void> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const response = await fetch(thumbnailAddress(this.#source, wantedS, WIDTH_PX), { signal });
      if (!response.ok) return this.#onPicture(undefined);
      const image = await createImageBitmap(await response.blob());
      if (signal.aborted) return image.close();
      const picture = { image, atS: Number(response.headers.get('thumbnail-at') ?? wantedS) };
      const isPending = response.headers.has('thumbnail-pending');
      if (!isPending) this.#keep(wantedS, picture);
      this.#onPicture(picture);
      if (!isPending) return;
      await pause(AGAIN_MS, signal);
    }
  }

  #keep(wantedS: number, picture: Thumbnail): void {
    this.#kept.set(wantedS, picture);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size <= MAX_KEPT || oldest === undefined) return;
    // Whoever shows it has drawn it.
    this.#kept.get(oldest)?.image.close();
    this.#kept.delete(oldest);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(new DOMException('not wanted any more', 'AbortError'));
      },
      { once: true },
    );
  });
}
