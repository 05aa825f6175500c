/** Draws what a timeline shows: events on top, objects and motion below them, then what is recorded, and the scale. */
import type { TimeRange, TimelineStep } from '../api/recordings.js';
import type { Known } from './history.js';
import { labelColour } from './label-colours.js';
import { positionOf, type Span } from './scale.js';
import type { Tick } from './ticks.js';

/** Colours, as CSS has them. */
export interface Look {
  /** Of what stands out. */
  readonly ink: string;
  /** Of motion, and of the scale. */
  readonly soft: string;
  /** Of what is not recorded, and of the marks of the scale. */
  readonly line: string;
  /** Of the ground. */
  readonly panel: string;
  /** Of what is recorded, and of what is marked. */
  readonly accent: string;
  /** Of what is kept. */
  readonly warn: string;
  /** Of the scale. */
  readonly font: string;
}

/** What is drawn. */
export interface Scene {
  /** What is seen. */
  readonly span: Span;
  /** What happened. */
  readonly known: Known | undefined;
  /** What stays whatever its age. */
  readonly kept: readonly TimeRange[];
  /** The scale, with its labels. */
  readonly ticks: readonly (Tick & { readonly text: string })[];
  /** The present, Unix seconds. */
  readonly nowS: number;
  /** What the player shows, Unix seconds. */
  readonly headS: number;
  /** Where the pointer is, Unix seconds; undefined where it is not here. */
  readonly pointerS: number | undefined;
  /** What is marked; undefined ends are not. */
  readonly marked: { readonly inS: number | undefined; readonly outS: number | undefined };
}

/** Rows, in pixels from the top. */
const ROWS = { events: 4, objects: [16, 48], motion: [50, 66], recorded: [68, 76], scale: 82 } as const;
/** Of the canvas. */
export const HEIGHT_PX = 104;
/** Objects of one step that fill its row. */
const MANY = 6;

/** Draws it all. @param width pixels of CSS, as all others @param ratio of the display */
export function paint(context: CanvasRenderingContext2D, width: number, ratio: number, scene: Scene, look: Look): void {
  const { span } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT_PX);
  const x = (atS: number): number => Math.round(positionOf(span, width, atS) * ratio) / ratio;
  const box = (from: number, to: number, [top, bottom]: readonly [number, number], colour: string): void => {
    const [left, right] = [Math.max(-1, x(from)), Math.min(width + 1, x(to))];
    if (right < 0 || left > width || right <= left) return;
    context.fillStyle = colour;
    context.fillRect(left, top, Math.max(right - left, 1 / ratio), bottom - top);
  };
  drawScale(context, width, scene, look, x);
  box(span.fromS, Math.min(span.toS, scene.nowS), ROWS.recorded, look.line);
  for (const { from, to } of scene.known?.ranges ?? []) box(from, to, ROWS.recorded, look.accent);
  for (const { from, to } of scene.kept) box(from, to, [ROWS.recorded[1] + 1, ROWS.recorded[1] + 4], look.warn);
  for (const step of scene.known?.steps ?? []) drawStep(step, scene.known?.stepS ?? 1, box, look);
  for (const event of scene.known?.events ?? []) drawMark(context, x(event.at), event.label, look);
  drawMarked(scene, box, context, look, x);
  drawLine(context, x(scene.nowS), look.soft, [2, 3]);
  if (scene.pointerS !== undefined) drawLine(context, x(scene.pointerS), look.soft, []);
  drawHead(context, x(scene.headS), look);
}

type Box = (from: number, to: number, rows: readonly [number, number], colour: string) => void;

function drawStep({ at, motion, objects }: TimelineStep, stepS: number, box: Box, look: Look): void {
  const gap = stepS * 0.12;
  const [top, bottom] = ROWS.motion;
  if (motion !== null && motion > 0) box(at, at + stepS - gap, [bottom - Math.max(2, motion * (bottom - top)), bottom], look.soft);
  const entries = Object.entries(objects);
  const total = entries.reduce((sum, [, { seen }]) => sum + seen, 0);
  const [, floor] = ROWS.objects;
  const unit = (floor - ROWS.objects[0]) / Math.max(MANY, total);
  let y: number = floor;
  for (const [label, { seen }] of entries) {
    const height = Math.max(3, seen * unit);
    box(at, at + stepS - gap, [Math.max(ROWS.objects[0], y - height), y], labelColour(label));
    y -= height;
  }
}

function drawMark(context: CanvasRenderingContext2D, x: number, label: string | undefined, look: Look): void {
  context.fillStyle = label === undefined ? look.ink : labelColour(label);
  context.beginPath();
  context.moveTo(x - 4, ROWS.events);
  context.lineTo(x + 4, ROWS.events);
  context.lineTo(x, ROWS.events + 8);
  context.fill();
}

function drawScale(context: CanvasRenderingContext2D, width: number, { ticks }: Scene, look: Look, x: (atS: number) => number): void {
  context.font = look.font;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const { atS, unit, text } of ticks) {
    context.fillStyle = look.line;
    context.fillRect(x(atS), unit === 'day' ? 0 : ROWS.objects[0], 1, ROWS.scale - (unit === 'day' ? 0 : ROWS.objects[0]));
    context.fillStyle = unit === 'day' ? look.ink : look.soft;
    const half = context.measureText(text).width / 2;
    if (x(atS) >= half && x(atS) <= width - half) context.fillText(text, x(atS), ROWS.scale + 3);
  }
}

function drawMarked(
  { marked: { inS, outS } }: Scene,
  box: Box,
  context: CanvasRenderingContext2D,
  look: Look,
  x: (atS: number) => number,
): void {
  if (inS !== undefined && outS !== undefined) {
    context.globalAlpha = 0.22;
    box(inS, outS, [0, ROWS.scale], look.accent);
    context.globalAlpha = 1;
  }
  for (const [atS, side] of [
    [inS, 1],
    [outS, -1],
  ] as const) {
    if (atS === undefined) continue;
    context.fillStyle = look.accent;
    context.fillRect(x(atS) - 1, 0, 2, ROWS.scale);
    context.fillRect(Math.min(x(atS), x(atS) + side * 7), 0, 7, 3);
    context.fillRect(Math.min(x(atS), x(atS) + side * 7), ROWS.scale - 3, 7, 3);
  }
}

function drawLine(context: CanvasRenderingContext2D, x: number, colour: string, dashes: number[]): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(x + 0.5, 0);
  context.lineTo(x + 0.5, ROWS.scale);
  context.stroke();
  context.setLineDash([]);
}

function drawHead(context: CanvasRenderingContext2D, x: number, look: Look): void {
  context.fillStyle = look.panel;
  context.fillRect(x - 2, 0, 4, ROWS.scale);
  context.fillStyle = look.ink;
  context.fillRect(x - 1, 0, 2, ROWS.scale);
  context.beginPath();
  context.arc(x, ROWS.scale, 5, 0, 2 * Math.PI);
  context.fill();
}
