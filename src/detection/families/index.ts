/** The detector families, by the name that a model's JSON gives. */
import type { ModelDescription } from '../model.js';
import { detr } from './detr.js';
import type { Decode, Family } from './family.js';
import { fastestdet } from './fastestdet.js';
import { nanodet } from './nanodet.js';
import { yoloEnd2end } from './yolo-end2end.js';
import { yoloFastestv2 } from './yolo-fastestv2.js';
import { yolov5 } from './yolov5.js';
import { yolov8 } from './yolov8.js';
import { yolox } from './yolox.js';
import type { FamilyName } from './names.js';

/** All families, by name. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  yolox,
  yolov5,
  yolov8,
  'yolo-end2end': yoloEnd2end,
  detr,
  fastestdet,
  'yolo-fastestv2': yoloFastestv2,
  nanodet,
};

/** Reads the outputs of one model. Its tensors are reused: one picture at a time. */
export function decoderOf(model: ModelDescription): Decode {
  return FAMILIES[model.family].decoder(model);
}
