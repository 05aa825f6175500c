/** The classes of COCO as detectors trained on it number them. */

/** The 80 classes in a row, as most models have them. */
export const COCO_LABELS: readonly string[] = (
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,' +
  'elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,' +
  'surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,' +
  'potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,' +
  'teddy bear,hair drier,toothbrush'
).split(',');

/** Numbers that COCO's own annotations leave out. */
const GAPS: readonly number[] = [0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

/** The 80 classes at the numbers of COCO's own annotations, 1 to 90, as RF-DETR and transformers of Hugging Face have them. */
export const COCO_91_LABELS: readonly string[] = Array.from({ length: 91 }, (_, id) =>
  GAPS.includes(id) ? `class ${id}` : (COCO_LABELS[id - GAPS.filter((gap) => gap < id).length] ?? ''),
);

/** COCO's names for a model of so many classes; undefined where it is not trained on COCO. */
export function cocoLabels(classes: number | undefined): readonly string[] | undefined {
  return [COCO_LABELS, COCO_91_LABELS].find((labels) => labels.length === (classes ?? COCO_LABELS.length));
}
