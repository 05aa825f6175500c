/** Names of the detector families, as a model's JSON gives them. */

export const FAMILY_NAMES = ['yolox', 'yolov5', 'yolov8', 'yolo-end2end', 'detr', 'fastestdet', 'yolo-fastestv2', 'nanodet'] as const;

/** One of them. */
export type FamilyName = (typeof FAMILY_NAMES)[number];

/** What people call models, letters and digits alone, and the family that reads them. */
const KNOWN_AS: Readonly<Record<string, FamilyName>> = {
  yolov6: 'yolov5',
  yolov7: 'yolov5',
  yolov9: 'yolov8',
  yolov11: 'yolov8',
  yolo11: 'yolov8',
  yolov12: 'yolov8',
  yolo12: 'yolov8',
  ultralytics: 'yolov8',
  yolov10: 'yolo-end2end',
  yolo26: 'yolo-end2end',
  rtdetr: 'detr',
  rtdetrv2: 'detr',
  dfine: 'detr',
  deim: 'detr',
  deimv2: 'detr',
  rfdetr: 'detr',
  yolofastest: 'yolo-fastestv2',
  nanodetplus: 'nanodet',
};

/** The family that reads models of this name, when it is another's name. */
export function familyKnownAs(name: string): FamilyName | undefined {
  return KNOWN_AS[name.toLowerCase().replace(/[^a-z0-9]/g, '')];
}
