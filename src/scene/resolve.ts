/** Zones as they lie in a picture: pixels, whatever units they were written in. */
import type { Point, Segment } from './geometry.js';
import type { Anchor, LineJson, ZoneJson, ZonesJson } from './zones-json.js';

/** Which objects count. */
export interface ObjectFilter {
  /** Undefined: all labels. */
  readonly classes: ReadonlySet<string> | undefined;
  /** Detections of a lower score do not count; 0 to 1. */
  readonly minScore: number;
}

/** An area of a frame. */
export interface Zone extends ObjectFilter {
  /** As the zones file names it. */
  readonly id: string;
  /** Equal for zones that are the same in every respect. */
  readonly identity: string;
  /** Its corners in order, in pixels. */
  readonly polygon: readonly Point[];
  /** How long an object has to be inside before it counts. */
  readonly minDwellMs: number;
}

/** A line across a frame. */
export interface Line extends ObjectFilter {
  /** As the zones file names it. */
  readonly id: string;
  /** Equal for lines that are the same in every respect, whatever the size of the picture: a camera may come back with another one. */
  readonly identity: string;
  /** Its ends, in pixels; looking from the first to the second, `in` goes from left to right. */
  readonly segment: Segment;
}

/** What a `SceneCounter` works with. */
export interface SceneLayout {
  /** Anchors lie before these, so that one on the picture's lower or right edge is inside a zone that reaches there. */
  readonly limit: Point;
  /** Which point of a box is looked at. */
  readonly anchor: Anchor;
  /** In the order of the file. */
  readonly zones: readonly Zone[];
  /** In the order of the file. */
  readonly lines: readonly Line[];
}

const HAIR_PX = 0.01;

/** Places zones in a picture of that size. */
export function resolveZones(json: ZonesJson, { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number }): SceneLayout {
  const scale: Point = json.units === 'fraction' ? [widthPx, heightPx] : [1, 1];
  const anchor = json.anchor ?? 'bottom';
  const placed = ([x = 0, y = 0]: readonly number[]): Point => [x * scale[0], y * scale[1]];
  const identity = (part: ZoneJson | LineJson, place: unknown): string => JSON.stringify([part, place, anchor]);
  const filter = (part: ZoneJson | LineJson): ObjectFilter => ({
    classes: part.classes && new Set(part.classes),
    minScore: part.min_score ?? 0,
  });
  return {
    limit: [widthPx - HAIR_PX, heightPx - HAIR_PX],
    anchor,
    zones: (json.zones ?? []).map((zone) => ({
      id: zone.id,
      identity: identity(zone, scale),
      polygon: polygonOf(zone).map(placed),
      minDwellMs: zone.min_dwell_ms ?? 0,
      ...filter(zone),
    })),
    lines: (json.lines ?? []).map((line) => ({
      id: line.id,
      identity: identity(line, json.units === 'fraction'),
      segment: [placed(line.from), placed(line.to)],
      ...filter(line),
    })),
  };
}

/** The corners of a zone; one that ends where it began, as GeoJSON has it, is the same zone. */
export function polygonOf({ polygon }: ZoneJson): readonly (readonly number[])[] {
  const [first, last] = [polygon[0], polygon.at(-1)];
  const isClosed = polygon.length > 3 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
  return isClosed ? polygon.slice(0, -1) : polygon;
}
