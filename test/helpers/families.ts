/** Families on tensors made by hand. */
import { FAMILIES } from '../../src/detection/families/index.js';
import type { FamilyFit, OutputTensor } from '../../src/detection/families/family.js';
import type { FamilyName } from '../../src/detection/families/names.js';
import { placement, type PictureGeometry } from '../../src/detection/letterbox.js';
import type { ModelDescription } from '../../src/detection/index.js';
import type { Box, Detection } from '../../src/media/index.js';

/** A model of the family as its JSON alone would describe it. */
export function modelOf(
  family: FamilyName,
  size: readonly [width: number, height: number],
  model: Partial<ModelDescription> = {},
): ModelDescription {
  const { layout, scoreThreshold, nmsIou = 0.45 } = FAMILIES[family];
  const [widthPx, heightPx] = size;
  return {
    name: 'm',
    family,
    onnxPath: '',
    input: { ...layout, widthPx, heightPx },
    inputWidthPx: widthPx,
    inputHeightPx: heightPx,
    strides: [8, 16, 32],
    labels: ['a', 'b'],
    scoreThreshold,
    nmsIou,
    decoded: false,
    anchors: undefined,
    ...model,
  };
}

/** Where a picture of this size lies in the model's input. */
function geometryOf(model: ModelDescription, widthPx: number, heightPx: number): PictureGeometry {
  return placement(widthPx, heightPx, model.input);
}

/** What the model finds in a picture of this size when its net gives these outputs. */
export function detect(
  model: ModelDescription,
  outputs: readonly OutputTensor[],
  [widthPx, heightPx]: readonly [number, number],
  minScore = 0.1,
): Detection[] {
  return FAMILIES[model.family].decoder(model)(outputs, geometryOf(model, widthPx, heightPx), minScore);
}

/** What the outputs tell the family of a model. */
export function read(
  { family, input: { widthPx, heightPx } }: ModelDescription,
  outputs: readonly OutputTensor[],
  inputs: readonly string[] = ['images'],
): FamilyFit | undefined {
  return FAMILIES[family].read({ widthPx, heightPx, inputs, outputs, strides: undefined });
}

export function tensor(
  dims: readonly number[],
  data: Float32Array | readonly number[] = [],
  name = 'output',
  type = 'float32',
): OutputTensor {
  const values = new Float32Array(dims.reduce((product, size) => product * size, 1));
  values.set(data);
  return { name, dims, type, data: values };
}

export function rounded(box: Box): number[] {
  return box.map((value) => Math.round(value * 100) / 100);
}
