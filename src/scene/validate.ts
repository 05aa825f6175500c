/** Whether zones make sense in their picture. All faults are told together, each with what to do. */
import { MediaPeerError } from '../base/errors.js';
import { areaOf, distance, edgesOf, segmentsMeet, type Point } from './geometry.js';
import { nearMatches } from './near-matches.js';
import { isZonesJson, shapeFaults } from './shape.js';
import { polygonOf } from './resolve.js';
import type { ZonesJson } from './zones-json.js';

/** What is known of a source's picture. */
export interface PictureFacts {
  /** In pixels. */
  readonly widthPx: number;
  /** In pixels. */
  readonly heightPx: number;
  /** Of the model that looks at it; left out where that is not known. */
  readonly labels?: readonly string[];
}

/** More faults than this are counted instead of told. */
const MAX_FAULTS = 20;
/** Polygons of less are mistakes. */
const MIN_AREA_PX2 = 1;
const MIN_LENGTH_PX = 1;

/**
 * Zones from anybody's JSON. Without facts, what depends on the picture is not judged.
 * @throws MediaPeerError ZONES_INVALID with every fault
 */
export function parseZones(value: unknown, facts: PictureFacts | undefined): ZonesJson {
  const shape = shapeFaults(value);
  if (shape.length > 0 || !isZonesJson(value)) throw invalid(shape);
  const faults = faultsIn(value, facts);
  if (faults.length > 0) throw invalid(faults);
  return value;
}

/** What is wrong with zones of the right shape. */
export function faultsIn(json: ZonesJson, facts: PictureFacts | undefined): string[] {
  const { zones = [], lines = [] } = json;
  const inFractions = json.units === 'fraction';
  const size = inFractions ? { widthPx: 1, heightPx: 1 } : facts;
  // Fractions are judged in the picture where it is known, else in one of a common size.
  const scale: Point = inFractions ? [facts?.widthPx ?? 1280, facts?.heightPx ?? 720] : [1, 1];
  const scaled = ([x = 0, y = 0]: readonly number[]): Point => [x * scale[0], y * scale[1]];
  const points = [...zones.flatMap(({ polygon }) => polygon), ...lines.flatMap(({ from, to }) => [from, to])];
  if (!inFractions && points.length > 0 && points.every((point) => point.every((value) => value >= 0 && value <= 1))) {
    return ['all coordinates lie between 0 and 1, which is one pixel; add "units": "fraction" where they are fractions of the picture'];
  }
  const outside = (point: readonly number[], name: string): string[] => {
    const [x = 0, y = 0] = point;
    if (!size || (x >= 0 && y >= 0 && x <= size.widthPx && y <= size.heightPx)) return [];
    const picture = inFractions
      ? 'the picture, which reaches from (0, 0) to (1, 1) in fractions'
      : `the picture of ${size.widthPx}x${size.heightPx} pixels`;
    return [`${name} (${x}, ${y}) lies outside ${picture}; move it inside`];
  };
  return [
    ...duplicates([...zones, ...lines].map(({ id }) => id)),
    ...zones.flatMap((zone) => [
      ...zone.polygon.flatMap((point, index) => outside(point, `zone '${zone.id}': point ${index + 1}`)),
      ...polygonFaults(zone.id, polygonOf(zone).map(scaled)),
      ...unknownLabels(`zone '${zone.id}'`, zone.classes, facts?.labels),
    ]),
    ...lines.flatMap((line) => [
      ...outside(line.from, `line '${line.id}': from`),
      ...outside(line.to, `line '${line.id}': to`),
      ...(distance(scaled(line.from), scaled(line.to)) < MIN_LENGTH_PX
        ? [`line '${line.id}' has no length: from and to must be at least a pixel apart`]
        : []),
      ...unknownLabels(`line '${line.id}'`, line.classes, facts?.labels),
    ]),
  ];
}

function duplicates(ids: readonly string[]): string[] {
  const twice = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
  return [...twice].map((id) => `the id '${id}' is used more than once; zones and lines need ids of their own`);
}

function polygonFaults(id: string, polygon: readonly Point[]): string[] {
  if (polygon.length < 3) return [`zone '${id}' has ${polygon.length} different corners; expected at least 3`];
  const repeated = polygon.findIndex((corner, index) => distance(corner, polygon[(index + 1) % polygon.length] as Point) === 0);
  if (repeated >= 0)
    return [`zone '${id}': points ${repeated + 1} and ${((repeated + 1) % polygon.length) + 1} are the same; leave one out`];
  const crossed = crossedEdges(polygon);
  if (crossed !== undefined) return [`zone '${id}' crosses itself: ${crossed}; list the corners in their order around the zone`];
  if (Math.abs(areaOf(polygon)) < MIN_AREA_PX2) return [`zone '${id}' has no area: its corners lie on one line`];
  return [];
}

/** The first two edges that meet where they should not, in words. */
function crossedEdges(polygon: readonly Point[]): string | undefined {
  const edges = edgesOf(polygon);
  const name = (index: number): string => `the edge from point ${index + 1} to ${((index + 1) % edges.length) + 1}`;
  for (let first = 0; first < edges.length; first++) {
    for (let second = first + 2; second < edges.length; second++) {
      const areNeighbours = first === 0 && second === edges.length - 1;
      if (!areNeighbours && segmentsMeet(edges[first] as [Point, Point], edges[second] as [Point, Point]))
        return `${name(first)} and ${name(second)} meet`;
    }
  }
  return undefined;
}

function unknownLabels(where: string, classes: readonly string[] | undefined, labels: readonly string[] | undefined): string[] {
  if (!classes || !labels) return [];
  return classes
    .filter((label) => !labels.includes(label))
    .map((label) => {
      const near = nearMatches(label, labels);
      const hint =
        near.length > 0
          ? `did you mean ${near.join(' or ')}?`
          : `it knows ${labels.slice(0, 12).join(', ')}${labels.length > 12 ? ' …' : ''}`;
      return `${where}: the model knows no '${label}'; ${hint}`;
    });
}

function invalid(faults: readonly string[]): MediaPeerError {
  const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [];
  return new MediaPeerError('ZONES_INVALID', [...faults.slice(0, MAX_FAULTS), ...more].join('; '), { details: { faults } });
}
