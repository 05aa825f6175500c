/** What the server says of its sources, asked again every few seconds. */
import type { ListedQuality } from './qualities.js';

/** A source as `GET /available-videos` lists it. */
export interface ListedVideo {
  /** To watch it by. */
  readonly source: string;
  /** For a person: the file's own name, or the camera's. */
  readonly name: string;
  /** In the upload folder, published to the server, or connected to by it. */
  readonly kind?: 'file' | 'live' | 'pull';
  /** Media comes; the camera is away and may come back; there is none. */
  readonly state?: 'live' | 'waiting' | 'empty';
  /** Whether it can be watched. */
  readonly playable: boolean;
  /** Copied as it is, or encoded. */
  readonly delivery: 'passthrough' | 'transcode';
  /** Why it is not playable, not live, or transcoded. */
  readonly reason?: string;
  /** Why its sound is not played. */
  readonly audio_reason?: string;
  /** Pixels; null where it is unknown. */
  readonly width: number | null;
  /** Pixels; null where it is unknown. */
  readonly height: number | null;
  /** Frames a second; null where it is unknown. */
  readonly fps: number | null;
  /** Seconds; null where it is unknown or has no end. */
  readonly duration_s: number | null;
  /** Null where there is no sound. */
  readonly audio_codec: string | null;
  /** Bytes; null for a camera. */
  readonly size_bytes?: number | null;
  /** The best first; left out of one that does not run. */
  readonly qualities?: readonly ListedQuality[];
}

/** The newest listing. */
export class Listing {
  #videos: ReadonlyMap<string, ListedVideo> = new Map();
  #detectorLoaded = true;

  /** By the name of the source. */
  get videos(): ReadonlyMap<string, ListedVideo> {
    return this.#videos;
  }

  /** Whether the server has a detector; true until it says that it has none. */
  get detectorLoaded(): boolean {
    return this.#detectorLoaded;
  }

  /** A source's name for a person. */
  nameOf(source: string): string {
    return this.#videos.get(source)?.name ?? source;
  }

  /** Nothing is known any more: what was listed may be for somebody else. */
  clear(): void {
    this.#videos = new Map();
  }

  /** Asks the server. @throws Error when it cannot be reached, Refused when it refuses */
  async refresh(): Promise<void> {
    const [{ videos }, { detector_loaded: detectorLoaded }] = await Promise.all([
      fetchJson<{ readonly videos: readonly ListedVideo[] }>('/available-videos'),
      fetchJson<{ readonly detector_loaded?: boolean }>('/health'),
    ]);
    this.#videos = new Map(videos.map((video) => [video.source, video]));
    this.#detectorLoaded = detectorLoaded !== false;
  }
}

/** The server is there and refuses. */
export class Refused extends Error {
  constructor(
    address: string,
    /** HTTP status. */
    readonly status: number,
  ) {
    super(`${address}: HTTP status ${status}`);
  }
}

/** The JSON of an address of this server. @throws Error when it cannot be had, Refused when the server refuses */
export async function fetchJson<Answer>(address: string): Promise<Answer> {
  const response = await fetch(address, { cache: 'no-store' });
  // A degraded server answers /health with 503 and still says what it is.
  if (!response.ok && response.status !== 503) throw new Refused(address, response.status);
  return (await response.json()) as Answer;
}
