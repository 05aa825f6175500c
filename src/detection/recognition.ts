/**
 * What a model is: its JSON says it, and what the JSON leaves out is told from the model itself, by its inputs, by
 * what it gives for a grey picture, and by the texts its exporter stored. Nothing is guessed where several families
 * would fit: then the error says what to write.
 */
import { COCO_LABELS } from './coco.js';
import { SOFTMAX_CLASSES } from './families/detr.js';
import { FAMILIES } from './families/index.js';
import type { FamilyFit, OutputTensor, Probe } from './families/family.js';
import { FAMILY_NAMES, type FamilyName } from './families/names.js';
import { checkInputs, inputSize } from './model-input.js';
import { describeModel, labelsOf } from './model-description.js';
import type { ModelDescription } from './model.js';
import type { ModelFiles } from './model-files.js';
import { describeTensors, type Net } from './net.js';

/** A model that is understood. */
export interface Recognition {
  /** What the model was found to be. */
  readonly model: ModelDescription;
  /** What was taken for granted because nothing says it; to be shown. */
  readonly assumptions: readonly string[];
}

/** What Ultralytics calls tasks whose models give no boxes, or more than boxes. */
const OTHER_TASKS: Readonly<Record<string, string>> = {
  classify: 'a classifier',
  segment: 'a segmentation model',
  pose: 'a pose model',
  obb: 'a model of rotated boxes',
};

const NO_NUMBERS =
  'its outputs for a grey picture are not numbers (NaN), so it detects nothing: its weights are damaged, or it was converted to float16 and needs float32; export it again';

/** @throws Error that says what the model shows, what was expected and what to do */
export async function recognise(net: Net, files: ModelFiles): Promise<Recognition> {
  const task = OTHER_TASKS[files.metadata.get('task') ?? ''];
  if (task) throw new Error(`it is ${task} (its task is '${files.metadata.get('task')}'), a detection model is needed`);
  checkInputs(net.inputs);
  const probe = await lookAtGrey(net, files);
  const family = files.json.family ?? findFamily(probe, files);
  const fit = FAMILIES[family].read(probe);
  if (!fit) throw new Error(mismatch(family, probe, files));
  const { labels, assumption } = labelsOf(files, fit.classes, (classes) => shapesFor(family, probe, classes));
  const model = describeModel(files, family, FAMILIES[family], fit, probe, labels);
  return { model, assumptions: [...(assumption === undefined ? [] : [assumption]), ...(probe.outputs.some(hasNaN) ? [NO_NUMBERS] : [])] };
}

async function lookAtGrey(net: Net, { json, metadata, hasDinov3 }: ModelFiles): Promise<Probe> {
  const { widthPx, heightPx, isAssumed } = inputSize(net.inputs, json, metadata);
  const planes = new Float32Array(3 * widthPx * heightPx).fill(0.5);
  let outputs: OutputTensor[];
  try {
    outputs = await net.run({ planes, widthPx, heightPx, pictureWidthPx: widthPx, pictureHeightPx: heightPx });
  } catch (error) {
    const hint = isAssumed
      ? `. Its input has no fixed size and ${widthPx}x${heightPx} was assumed: write the right one to its JSON, as "input":{"width":...,"height":...}`
      : '';
    throw new Error(
      `it cannot look at a picture of ${widthPx}x${heightPx}: ${error instanceof Error ? error.message : String(error)}${hint}`,
      { cause: error },
    );
  }
  return {
    widthPx,
    heightPx,
    inputs: net.inputs.map(({ name }) => name),
    outputs,
    strides: json.strides && [...json.strides].sort((a, b) => a - b),
    hasDinov3,
  };
}

/** As Ultralytics says it; a model with suppression in it shows nothing of a grey picture. */
function isEndToEnd({ metadata }: ModelFiles): boolean {
  return metadata.get('end2end') === 'True' || /'nms': True/.test(metadata.get('args') ?? '');
}

/** The family that alone fits. */
function findFamily(probe: Probe, files: ModelFiles): FamilyName {
  const fits = FAMILY_NAMES.flatMap((name) => {
    const fit = FAMILIES[name].read(probe);
    return fit ? [{ name, fit }] : [];
  });
  if (isEndToEnd(files) && fits.some(({ name }) => name === 'yolo-end2end')) return 'yolo-end2end';
  const certain = fits.filter(({ fit }) => fit.isAmbiguous !== true);
  const candidates = certain.length > 0 ? certain : fits;
  const [first, ...others] = candidates;
  if (!first) {
    const kind = otherKind(probe);
    throw new Error(
      `no known family gives such outputs: ${describeTensors(probe.outputs)}${kind === '' ? `. ${howToDescribe(FAMILY_NAMES, files, probe)}` : kind}`,
    );
  }
  if (certain.length === 1 && others.length === 0) return first.name;
  const names = candidates.map(({ name }) => name);
  throw new Error(
    `its outputs ${describeTensors(probe.outputs)} may be those of ${names.map((name) => `${name} (${FAMILIES[name].covers})`).join(' or of ')}. ${howToDescribe(names, files, probe, first.fit)}`,
  );
}

function hasNaN({ data }: OutputTensor): boolean {
  return data.some((value) => Number.isNaN(value));
}

function howToDescribe(names: readonly FamilyName[], { onnxPath }: ModelFiles, { widthPx, heightPx }: Probe, fit?: FamilyFit): string {
  const labels = fit?.classes === undefined || fit.classes === COCO_LABELS.length ? '"coco"' : '["first class",...]';
  const json = `{"family":"${names.length > 3 ? '...' : (names[0] ?? '')}","input":{"width":${widthPx},"height":${heightPx}},"labels":${labels}}`;
  return `Write ${onnxPath.replace(/\.onnx$/i, '.json')} with the family you know it to be of, one of ${names.join(', ')}: ${json}`;
}

/** Shapes expected against shapes found. */
function shapesFor(name: FamilyName, probe: Probe, classes: number | undefined): string {
  const family = FAMILIES[name];
  return `a ${name} model (${family.covers}) of ${probe.widthPx}x${probe.heightPx}${classes === undefined ? '' : ` and ${classes} classes`} has ${family.expects(probe, classes, probe.strides)}; this one has ${describeTensors(probe.outputs)}`;
}

function mismatch(name: FamilyName, probe: Probe, { json }: ModelFiles): string {
  const labels = json.labels === 'coco' ? COCO_LABELS.length : json.labels?.length;
  const fitting = FAMILY_NAMES.find((other) => isCertain(FAMILIES[other].read(probe)));
  return `${shapesFor(name, probe, labels)}${fitting ? `, which is what the family '${fitting}' gives` : otherKind(probe)}`;
}

function isCertain(fit: FamilyFit | undefined): boolean {
  return fit !== undefined && fit.isAmbiguous !== true;
}

/** What a model seems to be that is no detector. */
function otherKind({ outputs }: Probe): string {
  const [first, ...others] = outputs;
  if (!first) return '';
  const [batch, ...shape] = first.dims;
  const isVector = shape.filter((size) => size !== 1).length <= 1;
  if (others.length === 0 && batch === 1 && shape.length >= 1 && isVector)
    return `: it looks like a classifier of ${first.data.length} classes, a detection model is needed`;
  const all = [first, ...others];
  if (all.every(({ dims }) => dims.length === 5))
    return ": these are grids that are not decoded, as YOLOv7's export gives without --grid; export it with --grid";
  if (all.some(({ dims }) => dims.at(-1) === SOFTMAX_CLASSES))
    return ': it looks like DETR or YOLOS, which no family reads; RT-DETR, D-FINE, DEIM and RF-DETR are read';
  if (all.length === 2 && all.some(({ dims }) => dims.length === 3 && dims[2] === 4))
    return ': boxes and scores of all cells in two outputs, as DAMO-YOLO and YOLO-NAS give them, are not read';
  if (others.some(({ dims }) => dims.length === 4) && first.dims.length === 3)
    return ': it looks like a segmentation model, a detection model is needed';
  return '';
}
