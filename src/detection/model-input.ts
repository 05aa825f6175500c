/** What a model takes: which of its inputs is the picture, and how large it is. */
import type { ModelJson } from './model-json.js';
import { describeTensors, type TensorInfo } from './net.js';

/** What most models with open sizes were trained with. */
const USUAL_SIZE_PX = 640;
/** What Paddle's detectors take beside the picture. */
const PADDLE_INPUTS: readonly string[] = ['scale_factor', 'im_shape'];
/** Larger ones take seconds a picture and gigabytes of memory. */
const MAX_SIZE_PX = 4096;

interface InputSize {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Neither the model nor its JSON says it. */
  readonly isAssumed: boolean;
}

/** @throws Error when it does not take one RGB picture in planes, or also takes what is not known */
export function checkInputs(inputs: readonly TensorInfo[]): void {
  const [picture, size, ...more] = inputs;
  const pictures = inputs.filter(({ dims }) => dims.length === 4);
  const found = `this one takes ${describeTensors(inputs)}`;
  if (inputs.some(({ name }) => PADDLE_INPUTS.includes(name)))
    throw new Error(`it is a model of PaddleDetection, whose outputs no family reads: export a model of a known family; ${found}`);
  if (!picture || pictures.length !== 1 || pictures[0] !== picture || more.length > 0)
    throw new Error(`a model takes one picture [1,3,height,width] and at most its size [1,2] beside it; ${found}`);
  if (size && (size.dims.length !== 2 || size.dims[1] !== 2)) throw new Error(`a second input is the picture's size [1,2]; ${found}`);
  if (size && !['int64', 'int32', 'float32'].includes(size.type))
    throw new Error(`the picture's size is int64, int32 or float32; ${found}`);
  if (picture.type !== 'float32' && picture.type !== 'float16')
    throw new Error(
      `its picture is of type ${picture.type}, float32 or float16 is expected: export it without a quantised input; ${found}`,
    );
  const [batch, channels, , last] = picture.dims;
  if (last === 3 && channels !== 3)
    throw new Error(`its picture has the channels last, [1,height,width,3]; export it with [1,3,height,width] (channels first); ${found}`);
  if (typeof channels === 'number' && channels !== 3) throw new Error(`its picture has ${channels} channels, 3 are expected; ${found}`);
  if (typeof batch === 'number' && batch > 1) throw new Error(`it takes ${batch} pictures at once; export it with a batch of 1; ${found}`);
}

/** @throws Error where model and JSON contradict each other */
export function inputSize(inputs: readonly TensorInfo[], json: ModelJson, metadata: ReadonlyMap<string, string>): InputSize {
  const dims = inputs[0]?.dims ?? [];
  const [heightPx, widthPx] = [fixed(dims[2]), fixed(dims[3])];
  const told = json.input ?? {};
  const differs = (is: number | undefined, says: number | undefined): boolean => is !== undefined && says !== undefined && is !== says;
  if (differs(widthPx, told.width) || differs(heightPx, told.height)) {
    throw new Error(
      `the model takes pictures of ${widthPx ?? 'any'}x${heightPx ?? 'any'}, its JSON says ${told.width ?? 'any'}x${told.height ?? 'any'}`,
    );
  }
  // Ultralytics writes `imgsz` as [height, width].
  const stored = /^\[(\d+), (\d+)\]$/.exec(metadata.get('imgsz') ?? '');
  const size = {
    widthPx: widthPx ?? told.width ?? fixed(Number(stored?.[2] ?? NaN)) ?? USUAL_SIZE_PX,
    heightPx: heightPx ?? told.height ?? fixed(Number(stored?.[1] ?? NaN)) ?? USUAL_SIZE_PX,
  };
  if (size.widthPx > MAX_SIZE_PX || size.heightPx > MAX_SIZE_PX)
    throw new Error(`it takes pictures of ${size.widthPx}x${size.heightPx}, at most ${MAX_SIZE_PX}x${MAX_SIZE_PX} is supported`);
  return { ...size, isAssumed: !stored && ((widthPx ?? told.width) === undefined || (heightPx ?? told.height) === undefined) };
}

/** Open sizes have a name, or are -1 or 0. */
function fixed(size: number | string | undefined): number | undefined {
  return typeof size === 'number' && size > 0 ? size : undefined;
}
