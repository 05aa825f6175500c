/**
 * Text for drawing: class names and the few glyphs of scores and ids, rendered once by sharp with a font that
 * comes with the product, and kept as alpha bitmaps. Drawing never waits for a rendering: a class name that is
 * not ready yet is left out of that one picture.
 */
import { createRequire } from 'node:module';
import sharp from 'sharp';
import { silentLogger, type Logger } from '../base/logger.js';

/** Coverage of one piece of text, row by row, 0-255. */
export interface TextBitmap {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** One byte a pixel, row by row: 0 is clear, 255 covers. */
  readonly alpha: Uint8Array;
}

/** What is rendered. */
export interface LabelRendererInit {
  /** Class names that will be drawn. */
  readonly labels: readonly string[];
  readonly logger?: Logger;
}

/** A model with thousands of classes shows few of them; up to here all names are rendered ahead. */
const MAX_AHEAD = 100;
/** Names kept at a time for each size; the longest unused goes first. */
const MAX_NAMES = 512;
/** A longer name covers the picture rather than says something of it. */
const MAX_CHARS = 40;
const GLYPHS = Array.from('0123456789.#');
const FONT_FILE = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');
/** Higher and lower than any letter, so that every bitmap of a size has one height and one baseline. */
const FRAME = '|';

// Small texts, rendered once: neither libvips' cache nor its thread for every core is worth its memory.
sharp.cache(false);
sharp.concurrency(1);

/** All text of one size. */
export interface TextSheet {
  /** Height of all its bitmaps, in pixels. */
  readonly height: number;
  /** Width of a space, in pixels. */
  readonly space: number;
  /** A character of scores and ids; undefined while it is not rendered. */
  glyph(character: string): TextBitmap | undefined;
  /** A class name; undefined while it is not rendered. */
  name(label: string): TextBitmap | undefined;
}

/** Text of one model, rendered once a size. */
export class LabelRenderer {
  readonly #labels: readonly string[];
  readonly #logger: Logger;
  readonly #sheets = new Map<number, Sheet>();

  constructor(init: LabelRendererInit) {
    this.#labels = init.labels.slice(0, MAX_AHEAD);
    this.#logger = init.logger ?? silentLogger;
  }

  /** The text sheet for pictures of this height once it is rendered; asking for it begins the rendering. */
  sheet(pictureHeightPx: number): TextSheet | undefined {
    const sizePx = fontSizePx(pictureHeightPx);
    const sheet = this.#sheets.get(sizePx);
    if (sheet) return sheet.isReady ? sheet : undefined;
    this.prepare(pictureHeightPx).catch((error: unknown) => this.#logger.error({ err: error }, 'labels cannot be rendered'));
    return undefined;
  }

  /** Renders the text for pictures of this height ahead of the first one. */
  async prepare(pictureHeightPx: number): Promise<void> {
    const sizePx = fontSizePx(pictureHeightPx);
    if (this.#sheets.has(sizePx)) return;
    const sheet = new Sheet(sizePx, this.#logger);
    this.#sheets.set(sizePx, sheet);
    await sheet.open(this.#labels);
  }
}

/** Letters are legible from 12 px up and must not cover the picture: a 36th of its height. */
function fontSizePx(pictureHeightPx: number): number {
  return Math.min(48, Math.max(12, 2 * Math.round(pictureHeightPx / 72)));
}

class Sheet implements TextSheet {
  isReady = false;
  height = 0;
  space = 0;
  readonly #sizePx: number;
  readonly #logger: Logger;
  readonly #glyphs = new Map<string, TextBitmap>();
  readonly #names = new Map<string, TextBitmap | 'rendering'>();
  #frameAdvance = 0;
  #frameWidth = 0;

  constructor(sizePx: number, logger: Logger) {
    this.#sizePx = sizePx;
    this.#logger = logger;
  }

  async open(labels: readonly string[]): Promise<void> {
    const [one, two] = await Promise.all([this.#raster(FRAME), this.#raster(FRAME + FRAME)]);
    this.#frameAdvance = two.width - one.width;
    this.#frameWidth = two.width;
    this.height = two.height;
    this.space = Math.max(2, Math.round(this.#sizePx / 4));
    await Promise.all(GLYPHS.map(async (glyph) => this.#glyphs.set(glyph, await this.#render(glyph))));
    await Promise.all(labels.map((label) => this.#renderName(label)));
    this.isReady = true;
  }

  glyph(character: string): TextBitmap | undefined {
    return this.#glyphs.get(character);
  }

  name(label: string): TextBitmap | undefined {
    const known = this.#names.get(label);
    if (known !== undefined) {
      this.#names.delete(label);
      this.#names.set(label, known);
      return known === 'rendering' ? undefined : known;
    }
    const [oldest] = this.#names.keys();
    if (this.#names.size >= MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
    this.#names.set(label, 'rendering');
    void this.#renderName(label);
    return undefined;
  }

  /** Renders a class name; one that cannot be is left out of pictures, and the others stay. Never rejects. */
  async #renderName(label: string): Promise<void> {
    try {
      this.#names.set(label, await this.#render(oneLine(label)));
    } catch (error) {
      this.#logger.error({ label: oneLine(label), err: error }, 'label cannot be rendered');
    }
  }

  /** The text between two frames, cut out by the frames' known widths: pango trims whatever has no ink. */
  async #render(text: string): Promise<TextBitmap> {
    const framed = await this.#raster(FRAME + text + FRAME);
    const width = Math.max(1, framed.width - this.#frameWidth);
    const alpha = new Uint8Array(width * this.height);
    // Letters with accents may stand higher than the frame: rows are taken from the bottom, where descenders end.
    const skip = Math.max(0, framed.height - this.height);
    for (let y = 0; y < Math.min(this.height, framed.height); y++) {
      const from = (y + skip) * framed.width + this.#frameAdvance;
      alpha.set(framed.alpha.subarray(from, from + width), y * width);
    }
    return { width, height: this.height, alpha };
  }

  async #raster(text: string): Promise<TextBitmap> {
    const escaped = text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? character);
    const { data, info } = await sharp({ text: { text: escaped, font: `DejaVu Sans Bold ${this.#sizePx}`, fontfile: FONT_FILE, dpi: 72 } })
      .extractChannel(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, alpha: new Uint8Array(data) };
  }
}

/** A class name as it is drawn: one line, cut off where it is long. Names stored in a model may hold anything. */
function oneLine(label: string): string {
  const characters = Array.from(label.replace(/[\s\p{Cc}]+/gu, ' ').trim());
  return characters.length > MAX_CHARS ? `${characters.slice(0, MAX_CHARS - 1).join('')}…` : characters.join('');
}
