/** What a server says of the quality of the pictures that it sends. */

/** Why it is that quality. Servers may have further reasons. */
export type QualityReason = 'start' | 'wish' | 'congestion' | 'room' | 'trial' | 'ladder' | (string & {});

/** In which quality a viewer is sent its pictures. */
export interface QualityChange {
  /** `source`, the name of a lower one such as `360p`, `keyframes` (only those of the lowest) or `sound` (no picture until the network carries one). */
  readonly quality: string;
  /** `wish`: it was asked for; `congestion`: the network carries no more; `room`: it carries this; `trial`: it may; `ladder`: the source has others. */
  readonly reason: QualityReason;
  /** What the network carries as far as is known, kbit/s; undefined before anything is. */
  readonly estimateKbps: number | undefined;
}

/** The change that a message tells; undefined where it is none. */
export function parseQuality(message: Readonly<Record<string, unknown>>): QualityChange | undefined {
  const { type, quality, reason, estimate_kbps: estimateKbps } = message;
  if (type !== 'quality' || typeof quality !== 'string') return undefined;
  return {
    quality,
    reason: typeof reason === 'string' ? reason : 'start',
    estimateKbps: typeof estimateKbps === 'number' ? estimateKbps : undefined,
  };
}
