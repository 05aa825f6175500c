/**
 * One voice in trouble: while a video is on the stage, one line says what is wrong with it, the worst first, in the
 * server's words where it has any. Knows no DOM; time is handed in.
 */
import type { QualityChange } from '/sightline.js';
import type { ListedSource } from '../api/sources.js';
import { words } from '../strings/index.js';

/** A frame that is older than this stands still, where its source should bring more. */
const OLD_MS = 3_000;
/** … and so many of its source's intervals. */
const OLD_INTERVALS = 3;
/** A server that detects has sent a message long before. */
const DETECTIONS_EXPECTED_MS = 5_000;
/** A page in the background is not asked; what it finds when it is back is no silence. */
const LOOKED_AWAY_MS = 2_000;

/** When the newest frame came, told by a count that grows with each. */
export class FrameAge {
  #count = 0;
  #lookedAtMs = -Infinity;
  #at: number | undefined;

  /** When the newest frame came, ms on the clock of `look`; undefined before the first. */
  get at(): number | undefined {
    return this.#at;
  }

  /** @param count frames so far */
  look(count: number, nowMs: number): void {
    if (count > 0 && (count !== this.#count || nowMs - this.#lookedAtMs > LOOKED_AWAY_MS)) this.#at = nowMs;
    this.#count = count;
    this.#lookedAtMs = nowMs;
  }
}

/** What is seen of a video. */
export interface Observed {
  /** As it is listed. */
  readonly video?: Pick<ListedSource, 'state' | 'reason' | 'fps'> | undefined;
  /** Age of the newest frame, ms; undefined before the first. */
  readonly frameAgeMs?: number | undefined;
  /** Undefined where the view shows no detections. */
  readonly overlay?: { readonly trouble?: string | undefined; readonly silenceMs: number } | undefined;
  /** What the server said of the quality of the pictures; undefined where it said nothing. */
  readonly quality?: QualityChange | undefined;
  /** Whether the server has a detector. */
  readonly detectorLoaded: boolean;
}

/** What is wrong, as one line; empty where nothing is. */
export function troubleOf({ video, frameAgeMs = 0, overlay, quality, detectorLoaded }: Observed): string {
  const { trouble } = words.value.watch;
  const stands = frameAgeMs > oldMs(video?.fps) ? ` ${trouble.old(age(frameAgeMs))}` : '';
  if (video?.state === 'waiting' || video?.state === 'empty') return `${trouble.waiting(video.reason || undefined)}${stands}`;
  const slow = slowNetwork(quality);
  if (slow !== '' && (stands === '' || quality?.quality === 'sound' || quality?.quality === 'keyframes')) return slow;
  if (stands) return `${trouble.stands}${stands}`;
  if (overlay?.trouble !== undefined) return overlay.trouble;
  if (overlay && overlay.silenceMs >= DETECTIONS_EXPECTED_MS) return trouble.silent;
  return detectorLoaded ? '' : trouble.noDetector;
}

/** Empty where the network carries the whole picture, or somebody asked for a smaller one. */
function slowNetwork({ quality, reason }: Partial<QualityChange> = {}): string {
  if (quality === undefined || quality === 'source' || reason === 'wish') return '';
  const { trouble } = words.value.watch;
  if (quality === 'sound') return trouble.slowSound;
  return quality === 'keyframes' ? trouble.slowKeyframes : trouble.slow(quality);
}

function oldMs(fps: number | null | undefined): number {
  return fps ? Math.max(OLD_MS, (OLD_INTERVALS * 1000) / fps) : OLD_MS;
}

/** Such as `12 s` or `3 min`. */
export function age(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const { age: written } = words.value.watch;
  return seconds < 100 ? written(seconds, 's') : written(Math.round(seconds / 60), 'min');
}
