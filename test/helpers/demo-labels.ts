/** What `upload/demo.mp4` shows, picture by picture. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './assets.js';
import type { LabelSequence } from './label-sequences.js';

export const demoClip = path.join(projectRoot, 'upload/demo.mp4');
const labelsPath = path.join(projectRoot, 'test/fixtures/demo.labels.json');

/** The file of labels: boxes of what is visible of each object, in pixels. */
interface ClipLabels {
  readonly objects: readonly (readonly [objectId: number, classId: number, x: number, y: number, width: number, height: number])[][];
}

/** Pictures after which an object that comes back, round the bend, is another one: 2 s. */
const AWAY_PICTURES = 60;
/** Boxes thinner than this are the last sliver of something behind something else: they do not count. */
const SLIVER = 0.45;

/** The clip's labels as a sequence; undefined where they are absent. */
export function demoSequence(): LabelSequence | undefined {
  if (!existsSync(labelsPath)) return undefined;
  const { objects } = JSON.parse(readFileSync(labelsPath, 'utf8')) as ClipLabels;
  const lastFrame = new Map<number, number>();
  const identity = new Map<number, number>();
  const typicalWidth = medianWidths(objects);
  let nextId = 1;
  return objects.map((boxes, frame) =>
    boxes.map(([id, classId, x, y, width, height]) => {
      if (frame - (lastFrame.get(id) ?? -Infinity) > AWAY_PICTURES) identity.set(id, nextId++);
      lastFrame.set(id, frame);
      const isSliver = width < SLIVER * typicalWidth.get(id)!;
      return { objectId: identity.get(id)!, classId, box: [x, y, width, height] as const, inside: 1, visibility: isSliver ? 0.1 : 1 };
    }),
  );
}

function medianWidths(pictures: ClipLabels['objects']): Map<number, number> {
  const widths = new Map<number, number[]>();
  for (const [id, , , , width] of pictures.flat()) widths.set(id, [...(widths.get(id) ?? []), width]);
  return new Map([...widths].map(([id, all]) => [id, all.sort((a, b) => a - b)[all.length >> 1]!]));
}
