/** Puts a model's description together: the JSON first, then what the model shows, then what its family prescribes. */
import { COCO_LABELS, cocoLabels } from './coco.js';
import type { Family, FamilyFit } from './families/family.js';
import type { FamilyName } from './families/names.js';
import type { InputLayout, PerPlane, PixelLayout } from './input-layout.js';
import type { ModelFiles } from './model-files.js';
import type { ModelJson } from './model-json.js';
import type { ModelDescription } from './model.js';
import { classNames } from './onnx-metadata.js';

/** Overlap at which boxes are one where a family has none of its own. */
const DEFAULT_NMS_IOU = 0.45;

interface Labels {
  readonly labels: readonly string[];
  /** What was taken for granted. */
  readonly assumption?: string;
}

/**
 * The class names.
 * @param classes how many the outputs have; undefined where they do not tell
 * @param shapesFor the shapes that a model of so many classes has, for the message
 * @throws Error when there are more or fewer than the model has classes
 */
export function labelsOf(
  { json, metadata }: ModelFiles,
  classes: number | undefined,
  shapesFor: (classes: number) => string = () => '',
): Labels {
  if (json.labels !== undefined) {
    const labels = json.labels === 'coco' ? (cocoLabels(classes) ?? COCO_LABELS) : json.labels;
    if (classes === undefined || classes === labels.length) return { labels };
    throw new Error(
      `the model gives ${classes} classes, its JSON lists ${labels.length} labels${json.labels === 'coco' ? ' (those of COCO)' : ''}: ${shapesFor(labels.length)}`,
    );
  }
  const stored = classNames(metadata.get('names'));
  if (stored && (classes === undefined || classes === stored.length)) return { labels: stored };
  const assumption = 'write them to its JSON as "labels" if they are others';
  const coco = cocoLabels(classes);
  if (coco)
    return {
      labels: coco,
      assumption: `its classes are taken for the ${coco.length === COCO_LABELS.length ? '80 of COCO' : '80 of COCO with its own numbers, 1 to 90'}; ${assumption}`,
    };
  return {
    labels: Array.from({ length: classes ?? 0 }, (_, i) => `class ${i}`),
    assumption: `the names of its ${classes} classes are not known; ${assumption}`,
  };
}

/** The description of a model whose family is known. @throws MediaPeerError MODEL_INVALID */
export function describeModel(
  files: ModelFiles,
  name: FamilyName,
  family: Family,
  fit: FamilyFit,
  size: Pick<InputLayout, 'widthPx' | 'heightPx'>,
  labels: readonly string[],
): ModelDescription {
  const { json } = files;
  return {
    name: files.name,
    family: name,
    onnxPath: files.onnxPath,
    input: { ...pixelLayout({ ...family.layout, ...fit.layout }, json.input), widthPx: size.widthPx, heightPx: size.heightPx },
    inputWidthPx: size.widthPx,
    inputHeightPx: size.heightPx,
    strides: fit.strides ?? [],
    labels,
    scoreThreshold: json.score_threshold ?? family.scoreThreshold,
    nmsIou: json.nms_iou ?? family.nmsIou ?? DEFAULT_NMS_IOU,
    decoded: json.decoded ?? fit.decoded ?? false,
    anchors: json.anchors,
  };
}

function pixelLayout(layout: PixelLayout, json: ModelJson['input']): PixelLayout {
  return {
    channels: json?.channels ?? layout.channels,
    fit: json?.fit ?? layout.fit,
    pad: json?.pad ?? layout.pad,
    scale: json?.scale ?? layout.scale,
    mean: perPlane(json?.mean) ?? layout.mean,
    std: perPlane(json?.std) ?? layout.std,
  };
}

function perPlane(value: number | readonly number[] | undefined): PerPlane | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return [value, value, value];
  const [first = 0, second = 0, third = 0] = value;
  return [first, second, third];
}
