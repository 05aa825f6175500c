/** Zones and lines as they are edited: read from what the server has, and written so that what is untouched stays as it is there. Pure. */
import { inside, type Point } from './geometry.js';

/** A zone or a line that is edited. */
export interface DraftShape {
  /** While it is edited; its id may change. */
  readonly key: number;
  /** What it is. */
  readonly kind: 'zone' | 'line';
  /** As the server names it. */
  readonly id: string;
  /** Corners in order; of a line its two ends. */
  readonly points: readonly Point[];
  /** Labels that count; undefined: all. */
  readonly classes: readonly string[] | undefined;
  /** From which score on an object counts, 0 to 1. */
  readonly minScore: number;
  /** Of a zone: how long an object has to be inside. */
  readonly minDwellMs: number;
  /** Where it came from, so that coordinates that nobody touched are written as they were. */
  readonly origin?: { readonly points: readonly Point[]; readonly written: readonly (readonly number[])[] };
}

/** All that is edited of a source. */
export interface Draft {
  /** Zones and lines, in any order. */
  readonly shapes: readonly DraftShape[];
  /** The point of a box that counts. */
  readonly anchor: 'bottom' | 'centre';
  /** Whether the detector runs while nobody watches. */
  readonly always: boolean;
  /** In which coordinates are written. */
  readonly units: 'pixels' | 'fraction';
}

/** Pixels. */
export interface Size {
  /** Of the source's picture. */
  readonly width: number;
  /** Of the source's picture. */
  readonly height: number;
}

/** The zones of a source, as `GET /sources/:id/zones` gives them. */
export interface ServerZones {
  /** Left out: none. */
  readonly zones?: readonly ServerShape[];
  /** Left out: none. */
  readonly lines?: readonly ServerShape[];
  /** Of all coordinates. Default pixels. */
  readonly units?: 'pixels' | 'fraction';
  /** The point of a box that counts. Default bottom. */
  readonly anchor?: 'bottom' | 'centre';
  /** Whether the detector runs while nobody watches. Default false. */
  readonly always?: boolean;
}

/** A zone or a line of them. */
interface ServerShape {
  /** Unique among all. */
  readonly id: string;
  /** Of a zone: its corners; it may end where it began. */
  readonly polygon?: readonly (readonly number[])[];
  /** Of a line. */
  readonly from?: readonly number[];
  /** Of a line. */
  readonly to?: readonly number[];
  /** Labels that count; left out: all. */
  readonly classes?: readonly string[];
  /** From which score on an object counts. Default 0. */
  readonly min_score?: number;
  /** Of a zone: how long an object has to be inside. Default 0. */
  readonly min_dwell_ms?: number;
}

let lastKey = 0;

/** Another key for a shape. */
export function newKey(): number {
  return ++lastKey;
}

/** What can be edited of what the server has. @param size undefined where the picture's size is not known; then coordinates in pixels cannot be placed */
export function draftOf(zones: ServerZones, size: Size | undefined): Draft {
  const isEmpty = !zones.zones?.length && !zones.lines?.length;
  const units = isEmpty ? 'fraction' : (zones.units ?? 'pixels');
  const scale: Point = units === 'fraction' || !size ? [1, 1] : [size.width, size.height];
  const shape = (kind: DraftShape['kind'], entry: ServerShape): DraftShape => {
    const written = entry.polygon ? withoutClosing(entry.polygon) : [entry.from ?? [0, 0], entry.to ?? [0, 0]];
    const points = written.map(([x = 0, y = 0]) => inside([x / scale[0], y / scale[1]]));
    const { id, classes, min_score: minScore = 0, min_dwell_ms: minDwellMs = 0 } = entry;
    return { key: newKey(), kind, id, points, classes, minScore, minDwellMs, origin: { points, written: entry.polygon ?? written } };
  };
  return {
    shapes: [...(zones.zones ?? []).map((entry) => shape('zone', entry)), ...(zones.lines ?? []).map((entry) => shape('line', entry))],
    anchor: zones.anchor ?? 'bottom',
    always: zones.always ?? false,
    units,
  };
}

/** What is sent to the server. @param size needed for coordinates in pixels */
export function zonesOf({ shapes, anchor, always, units }: Draft, size: Size | undefined): ServerZones {
  const written = ({ points, origin }: DraftShape): readonly (readonly number[])[] =>
    origin && samePoints(points, origin.points) ? origin.written : points.map((point) => writtenPoint(point, units, size));
  return {
    units,
    ...(anchor !== 'bottom' && { anchor }),
    ...(always && { always }),
    zones: ofKind(shapes, 'zone').map((shape) => ({
      id: shape.id,
      polygon: written(shape),
      ...filterOf(shape),
      ...(shape.minDwellMs > 0 && { min_dwell_ms: shape.minDwellMs }),
    })),
    lines: ofKind(shapes, 'line').map((shape) => {
      const [from = [0, 0], to = [0, 0]] = written(shape);
      return { id: shape.id, from, to, ...filterOf(shape) };
    }),
  };
}

/** Those of one kind: in this order they are sent, and faults name them by it. */
export function ofKind(shapes: readonly DraftShape[], kind: DraftShape['kind']): DraftShape[] {
  return shapes.filter((shape) => shape.kind === kind);
}

/** A name that no other has. @param word such as `zone` */
export function freeId(shapes: readonly DraftShape[], word: string): string {
  const taken = new Set(shapes.map(({ id }) => id));
  let number = 1;
  while (taken.has(`${word}-${number}`)) number++;
  return `${word}-${number}`;
}

/** Whether two drafts say the same. */
export function sameDraft(a: Draft, b: Draft, size: Size | undefined): boolean {
  return a === b || JSON.stringify(zonesOf(a, size)) === JSON.stringify(zonesOf(b, size));
}

function filterOf({ classes, minScore }: DraftShape): Pick<ServerShape, 'classes' | 'min_score'> {
  return { ...(classes && classes.length > 0 && { classes }), ...(minScore > 0 && { min_score: minScore }) };
}

function writtenPoint([x, y]: Point, units: Draft['units'], size: Size | undefined): Point {
  if (units === 'pixels' && size) return [Math.round(x * size.width), Math.round(y * size.height)];
  return [rounded(x), rounded(y)];
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** A polygon may end where it began. */
function withoutClosing(polygon: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const [first, last] = [polygon[0], polygon.at(-1)];
  return polygon.length > 3 && first?.[0] === last?.[0] && first?.[1] === last?.[1] ? polygon.slice(0, -1) : polygon;
}

function samePoints(a: readonly Point[], b: readonly Point[]): boolean {
  return a.length === b.length && a.every(([x, y], i) => x === b[i]?.[0] && y === b[i][1]);
}
