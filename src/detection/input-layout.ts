/** How a model wants its picture: the family gives it, the model's JSON may change it. */

/** One value for each of the three planes, in their order. */
export type PerPlane = readonly [number, number, number];

/** The layout without a size: what a family prescribes. */
export interface PixelLayout {
  /** Order of the three planes. */
  readonly channels: 'bgr' | 'rgb';
  /** `top-left` and `centre` keep the picture's shape and pad the rest, `stretch` fills the input. */
  readonly fit: 'top-left' | 'centre' | 'stretch';
  /** Value of what the picture does not cover, 0-255, before it is scaled. */
  readonly pad: number;
  /** What the model gets is `(pixel * scale - mean) / std`, pixels being 0-255. Defaults 1, 0 and 1. */
  readonly scale: number;
  /** Subtracted from each value of a plane after scaling. */
  readonly mean: PerPlane;
  /** Each value of a plane is divided by it, after the mean was taken. */
  readonly std: PerPlane;
}

/** The whole layout of a model's input. */
export interface InputLayout extends PixelLayout {
  /** Of the model's input, in pixels. */
  readonly widthPx: number;
  /** Of the model's input, in pixels. */
  readonly heightPx: number;
}

/** BGR as OpenCV reads it, 0-255. */
export const BGR_255: PixelLayout = { channels: 'bgr', fit: 'top-left', pad: 114, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };

/** RGB in 0..1. */
export const RGB_1: PixelLayout = { channels: 'rgb', fit: 'centre', pad: 114, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };

/** Mean and standard deviation of ImageNet, of RGB in 0..1. */
export const IMAGENET: Pick<PixelLayout, 'mean' | 'std'> = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
