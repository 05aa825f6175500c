/** The quality of a session in the words of the public contract. */
import type { SessionQuality } from './status.js';

/** As `/connection-stats`, `/ws` and session reports have it. */
export interface QualityJson {
  /** What the first video that flows is sent in; null before its first frame. */
  readonly quality: string | null;
  /** What the network carries, as far as is known. */
  readonly estimate_kbps: number | null;
  /** How long packets wait in the network. */
  readonly queue_ms: number | null;
  /** How often the quality changed, of all video. */
  readonly switches: number;
  /** Why it is that quality. */
  readonly switch_reason: string | null;
}

/** Whole kbit/s and ms. */
export function qualityJson({ quality, estimateBps, queueMs, switches, switchReason }: SessionQuality): QualityJson {
  return {
    quality: quality ?? null,
    estimate_kbps: estimateBps === undefined ? null : Math.round(estimateBps / 1000),
    queue_ms: queueMs === undefined ? null : Math.round(queueMs),
    switches,
    switch_reason: switchReason ?? null,
  };
}
