/**
 * What was seen in a frame as one line beside a segment: the words of the public message, every number as it is, so that the same
 * boxes are drawn again. Times are in milliseconds, which thousandths of them do not always give back.
 */
import type { FrameDetections, LabelCounts, LineState, Scene, SceneEvent, TrackedObject, ZoneState } from '../media/index.js';
import type { RecordedDetections } from './recorded.js';

type Json = Readonly<Record<string, unknown>>;

/** One line, without its end. */
export function writeDetectionsLine({ wallMs, detections }: RecordedDetections): string {
  const { sourceId, frame, mediaTimeMs, widthPx, heightPx, inferenceMs, objects, scene } = detections;
  return JSON.stringify({
    wall_time_ms: wallMs,
    source: sourceId,
    frame,
    media_time_ms: mediaTimeMs,
    width: widthPx,
    height: heightPx,
    inference_ms: inferenceMs,
    objects: objects.map(objectJson),
    ...(scene && { zones: scene.zones.map(zoneJson), lines: scene.lines.map(lineJson), events: scene.events.map(eventJson) }),
  });
}

/** When the frame of a line was captured, without reading the rest; undefined where that is not told at its beginning. */
export function wallMsOfLine(line: string): number | undefined {
  const digits = /^\{"wall_time_ms":(\d{1,16}(?:\.\d{1,20})?),/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Undefined where a line is none of these: torn, or somebody else's. */
export function readDetectionsLine(line: string): RecordedDetections | undefined {
  try {
    const json = record(JSON.parse(line));
    return { wallMs: number(json['wall_time_ms']), detections: readDetections(json) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WrongShape) return undefined;
    throw error;
  }
}

/** A line has not the shape that is written here. */
class WrongShape extends Error {}

function objectJson({ objectId, label, classId, score, box, velocity, isObserved }: TrackedObject): Json {
  return { object_id: objectId, label, class_id: classId, score, box, velocity, observed: isObserved };
}

function zoneJson({ id, objectIds, byLabel }: ZoneState): Json {
  return { zone: id, object_ids: objectIds, by_label: byLabel };
}

function lineJson({ id, inByLabel, outByLabel, ...counts }: LineState): Json {
  return { line: id, in: counts.in, out: counts.out, in_by_label: inByLabel, out_by_label: outByLabel };
}

function eventJson({ type, id, direction, objectId, label, classId, score, position, dwellMs }: SceneEvent): Json {
  return {
    ...{ type, [type === 'cross' ? 'line' : 'zone']: id, object_id: objectId, label, class_id: classId, score, position },
    ...(direction !== undefined && { direction }),
    ...(dwellMs !== undefined && { dwell_ms: dwellMs }),
  };
}

function readDetections(json: Json): FrameDetections {
  return {
    sourceId: text(json['source']),
    frame: number(json['frame']),
    mediaTimeMs: number(json['media_time_ms']),
    widthPx: number(json['width']),
    heightPx: number(json['height']),
    inferenceMs: number(json['inference_ms']),
    objects: list(json['objects']).map(readObject),
    scene: json['zones'] === undefined ? undefined : readScene(json),
  };
}

function readObject(value: unknown): TrackedObject {
  const json = record(value);
  const [x, y, width, height] = numbers(json['box'], 4) as [number, number, number, number];
  return {
    box: [x, y, width, height],
    classId: number(json['class_id']),
    label: text(json['label']),
    score: number(json['score']),
    objectId: number(json['object_id']),
    velocity: numbers(json['velocity'], 2) as [number, number],
    isObserved: json['observed'] === true,
  };
}

function readScene(json: Json): Scene {
  return {
    zones: list(json['zones']).map((value) => {
      const zone = record(value);
      return { id: text(zone['zone']), objectIds: list(zone['object_ids']).map(number), byLabel: counts(zone['by_label']) };
    }),
    lines: list(json['lines']).map((value) => {
      const line = record(value);
      return {
        ...{ id: text(line['line']), in: number(line['in']), out: number(line['out']) },
        ...{ inByLabel: counts(line['in_by_label']), outByLabel: counts(line['out_by_label']) },
      };
    }),
    events: list(json['events']).map(readEvent),
  };
}

function readEvent(value: unknown): SceneEvent {
  const json = record(value);
  const { type, direction } = json;
  if (type !== 'enter' && type !== 'leave' && type !== 'cross') throw new WrongShape();
  return {
    type,
    id: text(json[type === 'cross' ? 'line' : 'zone']),
    ...((direction === 'in' || direction === 'out') && { direction }),
    objectId: number(json['object_id']),
    label: text(json['label']),
    classId: number(json['class_id']),
    score: number(json['score']),
    position: numbers(json['position'], 2) as [number, number],
    ...(json['dwell_ms'] !== undefined && { dwellMs: number(json['dwell_ms']) }),
  };
}

function record(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongShape();
  return value as Json;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new WrongShape();
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new WrongShape();
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new WrongShape();
  return value;
}

function numbers(value: unknown, count: number): number[] {
  const found = list(value).map(number);
  if (found.length !== count) throw new WrongShape();
  return found;
}

function counts(value: unknown): LabelCounts {
  return Object.fromEntries(Object.entries(record(value)).map(([label, count]) => [label, number(count)]));
}
