/** Whether zones make sense in their picture. All faults are told together, each with what to do. */
import { MediaPeerError } from '../base/errors.js';
import { areaOf, distance, edgesOf, segmentsMeet, type Point } from './geometry.js';
import { nearMatches } from './near-matches.js';
import { isZonesJson, shapeFaults, type ZoneFault } from './shape.js';
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
export function faultsIn(json: ZonesJson, facts: PictureFacts | undefined): ZoneFault[] {
  const { zones = [], lines = [] } = json;
  const inFractions = json.units === 'fraction';
  // Fractions are judged in the picture where it is known, else in one of a common size.
  const scale: Point = inFractions ? [facts?.widthPx ?? 1280, facts?.heightPx ?? 720] : [1, 1];
  const scaled = ([x = 0, y = 0]: readonly number[]): Point => [x * scale[0], y * scale[1]];
  const points = [...zones.flatMap(({ polygon }) => polygon), ...lines.flatMap(({ from, to }) => [from, to])];
  if (!inFractions && points.length > 0 && points.every((point) => point.every((value) => value >= 0 && value <= 1))) {
    const text = 'all coordinates lie between 0 and 1, which is one pixel; add "units": "fraction" where they are fractions of the picture';
    return [{ paths: ['/units'], code: 'units', text }];
  }
  const outside = outsideOf(inFractions, facts);
  return [
    ...duplicates(json),
    ...zones.flatMap((zone, i) => {
      const [path, name] = [`/zones/${i}`, `zone '${zone.id}'`];
      return [
        ...zone.polygon.flatMap((point, index) => outside(point, `${path}/polygon/${index}`, `${name}: point ${index + 1}`)),
        ...polygonFaults(path, zone.id, polygonOf(zone).map(scaled)),
        ...unknownLabels(path, name, zone.classes, facts?.labels),
      ];
    }),
    ...lines.flatMap((line, i) => {
      const [path, name] = [`/lines/${i}`, `line '${line.id}'`];
      const isShort = distance(scaled(line.from), scaled(line.to)) < MIN_LENGTH_PX;
      return [
        ...outside(line.from, `${path}/from`, `${name}: from`),
        ...outside(line.to, `${path}/to`, `${name}: to`),
        ...(isShort ? [fault(`${path}/to`, 'no_length', `${name} has no length: from and to must be at least a pixel apart`)] : []),
        ...unknownLabels(path, name, line.classes, facts?.labels),
      ];
    }),
  ];
}

function fault(path: string, code: string, text: string): ZoneFault {
  return { paths: [path], code, text };
}

type PointCheck = (point: readonly number[], path: string, name: string) => ZoneFault[];

function outsideOf(inFractions: boolean, facts: PictureFacts | undefined): PointCheck {
  const size = inFractions ? { widthPx: 1, heightPx: 1 } : facts;
  if (!size) return () => [];
  const picture = inFractions
    ? 'the picture, which reaches from (0, 0) to (1, 1) in fractions'
    : `the picture of ${size.widthPx}x${size.heightPx} pixels`;
  return ([x = 0, y = 0], path, name) =>
    x >= 0 && y >= 0 && x <= size.widthPx && y <= size.heightPx
      ? []
      : [fault(path, 'outside', `${name} (${x}, ${y}) lies outside ${picture}; move it inside`)];
}

function duplicates({ zones = [], lines = [] }: ZonesJson): ZoneFault[] {
  const named = [
    ...zones.map(({ id }, i) => ({ id, path: `/zones/${i}/id` })),
    ...lines.map(({ id }, i) => ({ id, path: `/lines/${i}/id` })),
  ];
  const twice = new Set(named.map(({ id }) => id).filter((id, index, ids) => ids.indexOf(id) !== index));
  return [...twice].map((id) => ({
    paths: named.filter((each) => each.id === id).map(({ path }) => path),
    code: 'duplicate',
    text: `the id '${id}' is used more than once; zones and lines need ids of their own`,
  }));
}

function polygonFaults(path: string, id: string, polygon: readonly Point[]): ZoneFault[] {
  const corners = (indexes: readonly number[]): string[] => indexes.map((index) => `${path}/polygon/${index}`);
  if (polygon.length < 3)
    return [fault(`${path}/polygon`, 'minItems', `zone '${id}' has ${polygon.length} different corners; expected at least 3`)];
  const repeated = polygon.findIndex((corner, index) => distance(corner, polygon[(index + 1) % polygon.length] as Point) === 0);
  if (repeated >= 0) {
    const next = (repeated + 1) % polygon.length;
    const text = `zone '${id}': points ${repeated + 1} and ${next + 1} are the same; leave one out`;
    return [{ paths: corners([repeated, next]), code: 'repeated', text }];
  }
  const crossed = crossedEdges(polygon);
  if (crossed) {
    const [first, second] = crossed.map((index) => `the edge from point ${index + 1} to ${((index + 1) % polygon.length) + 1}`);
    const text = `zone '${id}' crosses itself: ${first} and ${second} meet; list the corners in their order around the zone`;
    return [{ paths: corners(crossed), code: 'crosses', text }];
  }
  if (Math.abs(areaOf(polygon)) < MIN_AREA_PX2)
    return [fault(`${path}/polygon`, 'no_area', `zone '${id}' has no area: its corners lie on one line`)];
  return [];
}

/** The first two edges that meet where they should not. */
function crossedEdges(polygon: readonly Point[]): readonly [number, number] | undefined {
  const edges = edgesOf(polygon);
  for (let first = 0; first < edges.length; first++) {
    for (let second = first + 2; second < edges.length; second++) {
      const areNeighbours = first === 0 && second === edges.length - 1;
      if (!areNeighbours && segmentsMeet(edges[first] as [Point, Point], edges[second] as [Point, Point])) return [first, second];
    }
  }
  return undefined;
}

function unknownLabels(
  path: string,
  name: string,
  classes: readonly string[] = [],
  labels: readonly string[] | undefined = classes,
): ZoneFault[] {
  return classes.flatMap((label, index) => {
    if (labels.includes(label)) return [];
    const near = nearMatches(label, labels);
    const hint =
      near.length > 0
        ? `did you mean ${near.join(' or ')}?`
        : `it knows ${labels.slice(0, 12).join(', ')}${labels.length > 12 ? ' …' : ''}`;
    return [fault(`${path}/classes/${index}`, 'unknown_class', `${name}: the model knows no '${label}'; ${hint}`)];
  });
}

function invalid(faults: readonly ZoneFault[]): MediaPeerError {
  const told = faults.slice(0, MAX_FAULTS);
  const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [];
  return new MediaPeerError('ZONES_INVALID', [...told.map(({ text }) => text), ...more].join('; '), {
    facts: { faults: told.flatMap(({ paths, code }) => paths.map((path) => ({ path, code }))) },
  });
}
