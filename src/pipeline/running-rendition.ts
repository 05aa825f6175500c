/** What runs of a rendition, for whoever chooses among its qualities. */
import type { PictureSize, Track } from '../media/index.js';
import type { SourceLayer } from '../source/index.js';
import type { EncodedRendition } from './encoded-rendition.js';
import type { LadderBase } from './ladder.js';

/** A rendition in one codec, of a source that runs. */
export interface RunningRendition {
  /** As it is, without a lower quality. */
  readonly base: LadderBase;
  /** Frames of it flow as it is. */
  readonly hasMedia: boolean;
  /** Keyframes of it can be made on demand. */
  readonly makesKeyframes: boolean;
  /** Lower rungs that the source brings itself now. */
  readonly layers: readonly SourceLayer[];
  /** Lower rungs that are made or about to be. */
  readonly lower: readonly RunningRung[];
}

/** A lower rung that is made or about to be. */
export interface RunningRung {
  /** `360p`. */
  readonly name: string;
  /** Undefined before its encoder starts. */
  readonly size: PictureSize | undefined;
  /** Measured, bits a second; undefined before its encoder starts. */
  readonly bitrateBps: number | undefined;
  /** Frames of it flow. */
  readonly hasMedia: boolean;
  /** A keyframe of it can be made on demand. */
  readonly makesKeyframes: boolean;
}

/** A rung whose track somebody has asked for. @param encoder that makes it now @param layer that it is a copy of now */
export function runningRung(
  name: string,
  track: Track,
  encoder: EncodedRendition | undefined,
  layer: SourceLayer | undefined,
): RunningRung {
  const made = encoder && {
    size: encoder.target,
    bitrateBps: Math.max(encoder.bitrateBps, encoder.target.bitrateBps),
    makesKeyframes: true,
  };
  const { size, bitrateBps, makesKeyframes } = made ?? {
    size: layer,
    bitrateBps: layer?.bitrateBps,
    makesKeyframes: layer?.makesKeyframes,
  };
  return { name, size, bitrateBps, hasMedia: track.hasMedia && (made ?? layer) !== undefined, makesKeyframes: makesKeyframes ?? true };
}
