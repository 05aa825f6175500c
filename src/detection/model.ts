/** A detector model as the detector uses it: what its ONNX file shows, its JSON says, and its family prescribes. */
import type { FamilyName } from './families/names.js';
import type { InputLayout } from './input-layout.js';

/** A detector model, complete. */
export interface ModelDescription {
  /** The ONNX file's, without `.onnx`. */
  readonly name: string;
  /** Layout of input and output tensors; one adapter each. */
  readonly family: FamilyName;
  /** Absolute path of the ONNX file. */
  readonly onnxPath: string;
  /** Size and layout of its input. */
  readonly input: InputLayout;
  /** As in `input`. */
  readonly inputWidthPx: number;
  /** As in `input`. */
  readonly inputHeightPx: number;
  /** Cell sizes of the output grids, ascending; empty for families without. */
  readonly strides: readonly number[];
  /** Names of its classes, by class id. */
  readonly labels: readonly string[];
  /** Detections below are not shown. The default is the family's. */
  readonly scoreThreshold: number;
  /** Boxes of one class that overlap more are one object. The default is the family's. */
  readonly nmsIou: number;
  /** YOLOX: the export decodes its boxes to pixels itself. */
  readonly decoded: boolean;
  /** Yolo-FastestV2: width and height of each anchor in input pixels, a row a stride. Undefined: those of COCO. */
  readonly anchors: readonly (readonly number[])[] | undefined;
}
