/** The detector families that are known, by the name that a model's JSON gives. */
import type { DetectorFamily } from './family.js';
import type { ModelDescription } from './model.js';
import { yolox } from './yolox.js';

const FAMILIES: Readonly<Record<ModelDescription['family'], (model: ModelDescription) => DetectorFamily>> = { yolox };

/** The adapter for a model. */
export function familyOf(model: ModelDescription): DetectorFamily {
  return FAMILIES[model.family](model);
}
