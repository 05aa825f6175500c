/** Labels on the overlay: a font that fits the frame, texts whose width is measured once, backgrounds that keep clear of each other. */
import { labelRect, type Fit, type LabelPlace, type Rect } from './layout.js';
import type { Colours } from './palette.js';

/** CSS pixels. */
const SMALLEST_FONT_PX = 9;
const LARGEST_FONT_PX = 13;
/** Heights of text in the height of the frame: small frames stay visible under their labels. */
const LINES_A_FRAME = 50;
/** Labels whose width is remembered. */
const KEPT_WIDTHS = 512;

/** Writes on one canvas. */
export class LabelWriter {
  readonly #context: CanvasRenderingContext2D;
  readonly #widths = new Map<string, number>();
  #font = '';
  #padding = 0;
  #height = 0;
  /** Letters without descenders look centred so. */
  #nudge = 0;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  /** Height of a label in pixels of the canvas. */
  get height(): number {
    return this.#height;
  }

  /** A canvas of another size has forgotten its font. */
  forgetFont(): void {
    this.#font = '';
  }

  /** Takes the font for frames of that height. @param frameHeight in pixels of the canvas @param ratio pixels of the canvas in a CSS pixel */
  fit(frameHeight: number, ratio: number): void {
    const fontPx = Math.max(SMALLEST_FONT_PX, Math.min(LARGEST_FONT_PX, frameHeight / ratio / LINES_A_FRAME));
    const px = (css: number): number => Math.max(1, Math.round(css * ratio));
    this.#padding = px(fontPx / 3);
    this.#height = px(fontPx * 1.4);
    this.#nudge = px(0.5);
    const font = `600 ${px(fontPx)}px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif`;
    if (this.#font === font) return;
    this.#font = font;
    this.#context.font = font;
    this.#context.textBaseline = 'middle';
    this.#widths.clear();
  }

  /** Writes a label beside its box. Where it lies now. */
  write(text: string, box: Rect, { background, text: ink }: Colours, fit: Fit, taken: LabelPlace['taken'] = []): Rect {
    const rect = labelRect({ box, width: this.#width(text) + 2 * this.#padding, height: this.#height, taken }, fit);
    const [left, top, right, bottom] = rect;
    this.#context.fillStyle = background;
    this.#context.fillRect(left, top, right - left, bottom - top);
    this.#context.fillStyle = ink;
    this.#context.fillText(text, left + this.#padding, (top + bottom) / 2 + this.#nudge);
    return rect;
  }

  #width(text: string): number {
    const known = this.#widths.get(text);
    if (known !== undefined) return known;
    if (this.#widths.size >= KEPT_WIDTHS) this.#widths.clear();
    const width = Math.ceil(this.#context.measureText(text).width);
    this.#widths.set(text, width);
    return width;
  }
}
