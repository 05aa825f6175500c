/** The zones and lines of a source, as shapes to draw, with what a message says of them. Knows no DOM. */
import type { DetectionsMessage } from '/sightline.js';

/** Pixels of the frame. */
export type Point = readonly [x: number, y: number];
/** What a message says about its frame beside the objects. */
export type FrameFacts = Pick<DetectionsMessage, 'width' | 'height' | 'zones' | 'lines'>;

/** A zone or a line. */
export interface Shape {
  /** A zone; else a line. */
  readonly isArea: boolean;
  /** Its corners or ends, two at least. */
  points(facts: Pick<FrameFacts, 'width' | 'height'>): readonly Point[];
  /** Its name and what it has counted. */
  text(facts: Pick<FrameFacts, 'zones' | 'lines'>): string;
}

type Members = Readonly<Record<string, unknown>>;

/** What of the answer to `GET /sources/:id/zones` can be drawn. @param geometry the answer, parsed */
export function shapesOf(geometry: unknown): Shape[] {
  const { zones, lines, units } = isMembers(geometry) ? geometry : {};
  const isFraction = units === 'fraction';
  return [
    ...entries(zones).flatMap((zone) => zoneShape(zone, isFraction)),
    ...entries(lines).flatMap((line) => lineShape(line, isFraction)),
  ];
}

function zoneShape({ id, polygon }: Entry, isFraction: boolean): Shape[] {
  const points = placed(polygon, isFraction);
  if (!points) return [];
  return [{ isArea: true, points, text: ({ zones }) => named(id, zones?.find(({ zone }) => zone === id)?.count) }];
}

function lineShape({ id, from, to }: Entry, isFraction: boolean): Shape[] {
  const points = placed([from, to], isFraction);
  if (!points) return [];
  const text = ({ lines }: Pick<FrameFacts, 'lines'>): string => {
    const count = lines?.find(({ line }) => line === id);
    return named(id, count && `in ${count.in} · out ${count.out}`);
  };
  return [{ isArea: false, points, text }];
}

interface Entry extends Members {
  readonly id: string;
}

function entries(list: unknown): Entry[] {
  return Array.isArray(list) ? list.filter((entry): entry is Entry => isMembers(entry) && typeof entry['id'] === 'string') : [];
}

function placed(points: unknown, isFraction: boolean): Shape['points'] | undefined {
  if (!Array.isArray(points) || points.length < 2 || !points.every(isPoint)) return undefined;
  return ({ width, height }) => (isFraction ? points.map(([x, y]) => [x * width, y * height]) : points);
}

function isPoint(value: unknown): value is Point {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function named(id: string, state: number | string | undefined): string {
  return state === undefined ? id : `${id} ${state}`;
}
