/** Draws boxes, labels, trails and zones over a frame, on whole pixels of the screen. */
import type { DetectedObject, FrameBoxes } from '/sightline.js';
import { LabelWriter } from './label-writer.js';
import { boxRect, contain, onCanvas, type Fit, type Rect } from './layout.js';
import { classColours, type Colours } from './palette.js';
import type { Layers } from './settings.js';
import { strokeBox, strokeShape, strokeTrail } from './strokes.js';
import type { FrameFacts, Point, Shape } from './zones.js';

const ZONE_LABEL: Colours = { background: 'rgb(0 0 0 / 60%)', text: '#fff' };
const LATE_LABEL: Colours = { background: 'rgb(0 0 0 / 70%)', text: '#ffd8a8' };

/** What there is to draw on one frame. */
export interface Scene {
  /** What to draw, and how visible it is. */
  readonly boxes: FrameBoxes;
  /** The frame that boxes and shapes lie in, and what zones and lines have counted. */
  readonly facts: FrameFacts;
  /** What of it the person wants to see. */
  readonly layers: Layers;
  /** Where an object has been, in pixels of the frame, oldest first. */
  readonly trail: (objectId: number) => readonly Point[];
  /** Zones and lines. */
  readonly shapes: readonly Shape[];
}

interface DrawnObject {
  readonly object: DetectedObject;
  readonly rect: Rect;
  readonly colours: Colours;
}

/** Paints on a canvas that lies over the video's element and is as large. */
export class OverlayPainter {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #labels: LabelWriter;
  #ratio = 1;
  /** Nothing is on it: a browser composes a canvas that was touched, every time. */
  #isClear = true;

  /** @throws Error where the browser cannot draw */
  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d');
    if (!context) throw new Error('this browser cannot draw on a canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#labels = new LabelWriter(context);
  }

  /** Takes everything away. */
  clear(): void {
    if (this.#isClear) return;
    this.#isClear = true;
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /** Draws a scene in place of the one before. */
  paint({ boxes, facts, layers, trail, shapes }: Scene): void {
    this.#fitToScreen();
    this.clear();
    if (!(facts.width > 0 && facts.height > 0) || boxes.objects.length + shapes.length === 0) return;
    this.#isClear = false;
    const fit = contain(this.#canvas.width, this.#canvas.height, facts.width, facts.height);
    this.#labels.fit(fit.height, this.#ratio);
    this.#context.globalAlpha = 1;
    for (const shape of shapes) this.#shape(shape, fit, facts);
    this.#context.globalAlpha = boxes.visibility;
    this.#objects(boxes, layers, trail, fit);
    if (boxes.kind === 'outdated' && boxes.objects.length > 0) this.#markLate(boxes.ageS, fit);
  }

  readonly #px = (css: number): number => Math.max(1, Math.round(css * this.#ratio));

  #fitToScreen(): void {
    this.#ratio = devicePixelRatio || 1;
    const width = Math.round(this.#canvas.clientWidth * this.#ratio);
    const height = Math.round(this.#canvas.clientHeight * this.#ratio);
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    Object.assign(this.#canvas, { width, height });
    this.#labels.forgetFont();
  }

  #objects({ objects, kind }: FrameBoxes, layers: Layers, trail: Scene['trail'], fit: Fit): void {
    const context = this.#context;
    const drawn: DrawnObject[] = objects.map((object) => ({
      object,
      rect: boxRect(object.box, fit),
      colours: classColours(object.class_id),
    }));
    if (layers.trails) {
      for (const { object, colours } of drawn) {
        const points = [...trail(object.object_id), centre(object.box)].map((point) => onCanvas(point, fit));
        strokeTrail(context, points, colours.background, this.#px);
      }
    }
    if (layers.boxes) {
      for (const { object, rect, colours } of drawn) {
        strokeBox(context, rect, colours.background, kind === 'outdated' || object.observed === false, this.#px);
      }
    }
    if (layers.labels) this.#writeLabels(drawn, fit);
  }

  #writeLabels(drawn: readonly DrawnObject[], fit: Fit): void {
    const taken: Rect[] = [];
    for (const { object, rect, colours } of drawn) {
      taken.push(this.#labels.write(`${object.label} ${object.score.toFixed(2)} #${object.object_id}`, rect, colours, fit, taken));
    }
  }

  /** In the frame's lower left corner, readable whatever has faded. */
  #markLate(ageS: number, fit: Fit): void {
    this.#context.globalAlpha = 1;
    const bottom = Math.floor(fit.top + fit.height);
    this.#labels.write(`boxes ${ageS.toFixed(1)} s late`, [Math.ceil(fit.left), bottom, 0, bottom], LATE_LABEL, fit);
  }

  #shape(shape: Shape, fit: Fit, facts: FrameFacts): void {
    const points = shape.points(facts).map((point) => onCanvas(point, fit));
    const [first] = points;
    if (!first) return;
    strokeShape(this.#context, points, shape.isArea, this.#px);
    const [x, y] = [Math.round(first[0]), Math.round(first[1]) + this.#labels.height];
    this.#labels.write(shape.text(facts), [x, y, 0, y], ZONE_LABEL, fit);
  }
}

function centre([x, y, width, height]: DetectedObject['box']): Point {
  return [x + width / 2, y + height / 2];
}
