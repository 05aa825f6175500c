/** The sources, as every view sees them. */
import { computed } from '@preact/signals';
import { Polled } from './polled.js';

/** A rung of a source's ladder, as listed. */
export interface ListedQuality {
  /** `source`, or a name such as `360p`. */
  readonly quality: string;
  /** Pixels; null where it is unknown. */
  readonly width: number | null;
  /** Pixels; null where it is unknown. */
  readonly height: number | null;
  /** Whether somebody has it now. */
  readonly running: boolean;
  /** Whether it can be had now. */
  readonly available: boolean;
}

/** A source as `GET /available-videos` lists it. */
export interface ListedSource {
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

const LIST_PERIOD_MS = 4_000;

/** Asked every few seconds while somebody holds it. */
export const sourceList = new Polled<{ readonly videos: readonly ListedSource[] }>('/available-videos', LIST_PERIOD_MS);

const NONE: readonly ListedSource[] = [];

/** All sources, in the server's order; none before the first answer, nor for somebody who may see none. */
export const sources = computed(() => {
  const { value, trouble } = sourceList.known.value;
  return trouble?.status === 401 || trouble?.status === 403 ? NONE : (value?.videos ?? NONE);
});

/** A source's name for a person. */
export function nameOf(source: string): string {
  return sourceOf(source)?.name ?? source;
}

/** A source as it is listed; undefined where it is not. */
export function sourceOf(source: string | undefined): ListedSource | undefined {
  return sources.value.find((each) => each.source === source);
}
