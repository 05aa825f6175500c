/**
 * A detector family: how its input is laid out and what its output means. One file each, listed in `index.ts`.
 * Adapters see tensors as values; the runtime and files are none of their business.
 */
import type { Detection } from '../../media/index.js';
import type { PixelLayout } from '../input-layout.js';
import type { PictureGeometry } from '../letterbox.js';
import type { ModelDescription } from '../model.js';

/** An output tensor, without the runtime's type. */
export interface OutputTensor {
  /** As the model names it. */
  readonly name: string;
  /** Its shape. */
  readonly dims: readonly number[];
  /** What the model gave; `data` is converted. */
  readonly type: string;
  /** Its values, row by row. */
  readonly data: Float32Array;
}

/** What a model showed of itself when it looked at a grey picture. */
export interface Probe {
  /** Width of the model's input, in pixels. */
  readonly widthPx: number;
  /** Height of the model's input, in pixels. */
  readonly heightPx: number;
  /** Names of all inputs, the picture's first. */
  readonly inputs: readonly string[];
  /** What the model gives for a grey input. */
  readonly outputs: readonly OutputTensor[];
  /** Strides that the JSON gives. */
  readonly strides: readonly number[] | undefined;
  /** The file has the parts of a DINOv3 backbone. Default false. */
  readonly hasDinov3?: boolean;
}

/** What the outputs tell about a model of the family. */
export interface FamilyFit {
  /** Undefined where the shapes do not tell. */
  readonly classes?: number;
  /** Steps of the grids in input pixels, where the family has grids. */
  readonly strides?: readonly number[];
  /** True where the model itself turns grid cells into boxes. */
  readonly decoded?: boolean;
  /** What this variant of the family has other than the family. */
  readonly layout?: Partial<PixelLayout>;
  /** Other families give such outputs too, so these alone do not tell the family. Default false. */
  readonly isAmbiguous?: boolean;
}

/** Reads one model's outputs: the objects, overlaps suppressed, in pixels of the picture. Scores below `minScore` are left out. */
export type Decode = (outputs: readonly OutputTensor[], geometry: PictureGeometry, minScore: number) => Detection[];

/** What a detector family wants and gives. */
export interface Family {
  /** What models of it are called. */
  readonly covers: string;
  /** How its input is laid out, unless the model's JSON says otherwise. */
  readonly layout: PixelLayout;
  /** Detections below are not shown unless the JSON says otherwise. */
  readonly scoreThreshold: number;
  /** Overlap at which two boxes of a class are one object; undefined where the model leaves no overlaps. */
  readonly nmsIou: number | undefined;
  /** The outputs it expects, in words and shapes, for messages. */
  expects(
    size: { readonly widthPx: number; readonly heightPx: number },
    classes: number | undefined,
    strides: readonly number[] | undefined,
  ): string;
  /** Undefined when the outputs cannot be this family's. */
  read(probe: Probe): FamilyFit | undefined;
  /** Makes what turns outputs into candidates, for one model. */
  decoder(model: ModelDescription): Decode;
}
