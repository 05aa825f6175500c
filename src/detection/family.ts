/** A detector family: how its input is laid out and what its output means. One file each, listed in `families.ts`. */
import type { Detection } from '../media/index.js';
import type { InputLayout } from './letterbox.js';

/** An output tensor, without the runtime's type. */
export interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The size of the picture that went in, and how it was scaled. */
export interface PictureGeometry {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Input pixels for each pixel of the picture. */
  readonly ratio: number;
}

export interface DetectorFamily {
  readonly input: InputLayout;
  /** Why the output cannot be this family's: shapes expected against shapes found. Undefined when it fits. */
  mismatch(outputs: readonly OutputTensor[]): string | undefined;
  /** The objects, overlaps suppressed, in pixels of the picture. Scores below `minScore` are left out. */
  decode(outputs: readonly OutputTensor[], geometry: PictureGeometry, minScore: number): Detection[];
}
