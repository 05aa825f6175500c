/** The sources, as every view sees them. */
import { computed } from '@preact/signals';
import { Polled } from './polled.js';

/** A rung of a source's ladder, as listed. */
export interface ListedQuality {
  /** `source`, or a name such as `360p`. */
  readonly quality: string;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
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
  /** The best first; left out of one that does not run. */
  readonly qualities?: readonly ListedQuality[];
}

const LIST_PERIOD_MS = 4_000;

/** Asked every few seconds while somebody holds it. */
export const sourceList = new Polled<{ readonly videos: readonly ListedSource[] }>('/available-videos', LIST_PERIOD_MS);

/** All sources, in the server's order; empty before the first answer. */
export const sources = computed(() => sourceList.known.value.value?.videos ?? []);

/** A source's name for a person. */
export function nameOf(source: string): string {
  return sources.value.find((each) => each.source === source)?.name ?? source;
}
