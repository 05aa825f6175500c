/** Draws boxes, labels, trails and zones over a picture, on whole pixels of the screen. */
import { boxRect, contain, labelRect } from './overlay-layout.js';
import { classColours } from './palette.js';

/** CSS pixels. */
const LINE_PX = 2;
const SMALLEST_FONT_PX = 9;
const LARGEST_FONT_PX = 13;
/** Heights of text in the height of the picture: small pictures stay visible under their labels. */
const LINES_A_PICTURE = 50;
/** Keeps a coloured line apart from a background of its colour. */
const HALO = 'rgb(0 0 0 / 55%)';
const ZONE_LINE = 'rgb(255 255 255 / 70%)';
const ZONE_FILL = 'rgb(255 255 255 / 7%)';
/** Labels whose width is remembered. */
const KEPT_WIDTHS = 512;

export class OverlayPainter {
  #canvas;
  #context;
  #ratio = 1;
  #fontPx = LARGEST_FONT_PX;
  #font = '';
  #widths = new Map();

  /** @param {HTMLCanvasElement} canvas as large as the video's element */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
  }

  clear() {
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /**
   * @param {object} scene
   * @param {import('./frame-pairing.js').Boxes} scene.boxes
   * @param {{ width: number, height: number }} scene.told pixels of the picture that boxes and shapes lie in, and what zones and lines count
   * @param {Record<import('./overlay-settings.js').Layer, boolean>} scene.layers
   * @param {(objectId: number) => number[][]} scene.trail centres, oldest first
   * @param {import('./zones.js').Shape[]} scene.shapes zones and lines
   */
  paint({ boxes, told, layers, trail, shapes }) {
    this.#fitToScreen();
    this.clear();
    if (!(told.width > 0 && told.height > 0)) return;
    const fit = contain(this.#canvas.width, this.#canvas.height, told.width, told.height);
    this.#setFont(fit.height);
    this.#context.globalAlpha = 1;
    for (const shape of shapes) this.#shape(shape, fit, told);
    this.#context.globalAlpha = boxes.visibility;
    const isLate = boxes.kind === 'outdated';
    const drawn = boxes.objects.map((object) => ({ object, rect: boxRect(object.box, fit), colours: classColours(object.class_id) }));
    if (layers.trails) for (const { object, colours } of drawn) this.#trail([...trail(object.object_id), centre(object.box)], colours.background, fit);
    if (layers.boxes) for (const { object, rect, colours } of drawn) this.#box(rect, colours.background, !isLate && object.observed !== false);
    const taken = [];
    if (layers.labels) for (const { object, rect, colours } of drawn) this.#label(`${object.label} ${object.score.toFixed(2)} #${object.object_id}`, rect, colours, fit, taken);
    if (isLate && drawn.length > 0) this.#mark(`boxes ${boxes.ageS.toFixed(1)} s late`, fit);
  }

  #px(css) {
    return Math.max(1, Math.round(css * this.#ratio));
  }

  #fitToScreen() {
    this.#ratio = devicePixelRatio || 1;
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight].map((css) => Math.round(css * this.#ratio));
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    Object.assign(this.#canvas, { width, height });
    this.#font = ''; // a canvas of another size has forgotten its font
  }

  #setFont(pictureHeight) {
    this.#fontPx = Math.max(SMALLEST_FONT_PX, Math.min(LARGEST_FONT_PX, pictureHeight / this.#ratio / LINES_A_PICTURE));
    const font = `600 ${this.#px(this.#fontPx)}px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif`;
    if (this.#font === font) return;
    this.#font = font;
    this.#context.font = font;
    this.#context.textBaseline = 'middle';
    this.#widths.clear();
  }

  /** Lines lie inside the box and end on whole pixels, so that they are sharp. Dashed where the object is only expected, or was seen long before. */
  #box([left, top, right, bottom], colour, isObserved) {
    const line = this.#px(LINE_PX);
    const context = this.#context;
    const stroke = (width, style) => {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect(left + line / 2, top + line / 2, Math.max(line, right - left - line), Math.max(line, bottom - top - line));
    };
    context.setLineDash([]);
    stroke(line + 2 * this.#px(1), HALO);
    if (!isObserved) context.setLineDash([this.#px(6), this.#px(4)]);
    stroke(line, colour);
    context.setLineDash([]);
  }

  #label(text, box, { background, text: ink }, fit, taken) {
    const padding = this.#px(this.#fontPx / 3);
    const rect = labelRect(box, this.#width(text) + 2 * padding, this.#px(this.#fontPx * 1.4), fit, taken);
    taken.push(rect);
    const [left, top, right, bottom] = rect;
    this.#context.fillStyle = background;
    this.#context.fillRect(left, top, right - left, bottom - top);
    this.#context.fillStyle = ink;
    this.#context.fillText(text, left + padding, (top + bottom) / 2 + this.#px(0.5));
  }

  /** In the picture's lower left corner, readable whatever has faded. */
  #mark(text, fit) {
    this.#context.globalAlpha = 1;
    const bottom = Math.floor(fit.top + fit.height);
    this.#label(text, [Math.ceil(fit.left), bottom, 0, bottom], { background: 'rgb(0 0 0 / 70%)', text: '#ffd8a8' }, fit, []);
  }

  #width(text) {
    let width = this.#widths.get(text);
    if (width === undefined) {
      if (this.#widths.size >= KEPT_WIDTHS) this.#widths.clear();
      this.#widths.set(text, (width = Math.ceil(this.#context.measureText(text).width)));
    }
    return width;
  }

  #trail(centres, colour, fit) {
    const context = this.#context;
    const alpha = context.globalAlpha;
    context.strokeStyle = colour;
    context.lineWidth = this.#px(LINE_PX);
    for (let i = 1; i < centres.length; i++) {
      context.globalAlpha = (alpha * i) / centres.length;
      context.beginPath();
      context.moveTo(...onScreen(centres[i - 1], fit));
      context.lineTo(...onScreen(centres[i], fit));
      context.stroke();
    }
    context.globalAlpha = alpha;
  }

  #shape(shape, fit, message) {
    const context = this.#context;
    const points = shape.points(message).map((point) => onScreen(point, fit));
    context.beginPath();
    points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    if (shape.isArea) context.closePath();
    context.fillStyle = ZONE_FILL;
    if (shape.isArea) context.fill();
    context.lineWidth = this.#px(3);
    context.strokeStyle = 'rgb(0 0 0 / 35%)';
    context.stroke();
    context.lineWidth = this.#px(1.5);
    context.strokeStyle = ZONE_LINE;
    context.stroke();
    const text = shape.text(message);
    const height = this.#px(this.#fontPx * 1.4);
    const anchor = [Math.round(points[0][0]), Math.round(points[0][1]) + height, 0, Math.round(points[0][1]) + height];
    this.#label(text, anchor, { background: 'rgb(0 0 0 / 60%)', text: '#fff' }, fit, []);
  }
}

function centre([x, y, width, height]) {
  return [x + width / 2, y + height / 2];
}

function onScreen([x, y], fit) {
  return [fit.left + x * fit.scale, fit.top + y * fit.scale];
}
