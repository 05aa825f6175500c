/** What a `detections` message says, and how it is read: with care, because anything may arrive on a channel. */
import type { Rendition } from './viewing.js';

/** Something that was detected. Fields beside these may be there. */
export interface DetectedObject {
  /** The same object has the same id from frame to frame. A whole number. */
  readonly object_id: number;
  /** Name of its class, such as `car`. */
  readonly label: string;
  /** Number of its class in the model, from 0 on. */
  readonly class_id: number;
  /** How sure the model is, [0, 1]. */
  readonly score: number;
  /** Left, top, width, height in pixels of the message's frame (`width` × `height`). */
  readonly box: readonly [number, number, number, number];
  /** To the right and down, in pixels a second. Default: unknown. */
  readonly velocity?: readonly [number, number];
  /** False where it was not seen in this frame, only expected there. Default true. */
  readonly observed?: boolean;
}

/** How many objects are in a zone. Fields beside these may be there. */
export interface ZoneCount {
  /** Id of the zone. */
  readonly zone: string;
  /** Objects in it now. */
  readonly count: number;
}

/** How many objects have crossed a line. Fields beside these may be there. */
export interface LineCount {
  /** Id of the line. */
  readonly line: string;
  /** Crossings in one direction so far. */
  readonly in: number;
  /** Crossings in the other direction so far. */
  readonly out: number;
}

/** A frame on an m-line of a wall. Fields beside these may be there. */
export interface MLineTimestamp {
  /** Of the m-line. */
  readonly mid: string;
  /** 90 kHz, 32 bits. */
  readonly rtp_timestamp: number;
}

/** What was detected in one frame. Fields beside these may be there. */
export interface DetectionsMessage {
  /** Name of the source. */
  readonly source: string;
  /** Number of the frame in its source. */
  readonly frame: number;
  /** RTP timestamp of that frame on each of this viewer's video tracks; 90 kHz, 32 bits. */
  readonly rtp_timestamp: Readonly<Partial<Record<Rendition, number>>>;
  /** Of a wall: each m-line that shows the source and has that frame, with its timestamp there. */
  readonly m_lines?: readonly MLineTimestamp[];
  /** `nearest` for a track whose frames are the nearest ones to what was looked at: a camera's second stream. */
  readonly pairing?: Readonly<Partial<Record<Rendition, 'nearest'>>>;
  /** Time of the frame on the source's timeline, in seconds. */
  readonly media_time_s: number;
  /** When the frame was captured, Unix seconds, where the server knows. */
  readonly wall_time?: number;
  /** Width of the frame that boxes refer to, in pixels. */
  readonly width: number;
  /** Height of that frame, in pixels. */
  readonly height: number;
  /** Time that the model took, in ms. */
  readonly inference_ms: number;
  /** Everything that was detected; empty where nothing was. */
  readonly objects: readonly DetectedObject[];
  /** Messages that this viewer has lost so far because it was too slow. */
  readonly dropped: number;
  /** Present where the source has zones. */
  readonly zones?: readonly ZoneCount[];
  /** Present where the source has lines. */
  readonly lines?: readonly LineCount[];
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a parsed message. Objects that cannot be read are left out, and so are timestamps, velocities, zones and lines;
 * unknown fields stay. Undefined where it is no such message.
 */
export function readDetections(message: unknown): DetectionsMessage | undefined {
  if (!isMembers(message)) return undefined;
  const {
    objects,
    width,
    height,
    rtp_timestamp: timestamps,
    inference_ms: inferenceMs,
    dropped,
    zones,
    lines,
    m_lines: mLines,
    ...others
  } = message;
  if (!Array.isArray(objects) || !isPositive(width) || !isPositive(height)) return undefined;
  return {
    ...(others as Pick<DetectionsMessage, 'source' | 'frame' | 'media_time_s'>),
    width,
    height,
    rtp_timestamp: timestampsOf(timestamps),
    inference_ms: isNumber(inferenceMs) ? inferenceMs : 0,
    objects: objects.filter(isDetectedObject).map(withoutOddVelocity),
    dropped: isNumber(dropped) ? dropped : 0,
    ...(Array.isArray(zones) && { zones: zones.filter(isZoneCount) }),
    ...(Array.isArray(mLines) && { m_lines: mLines.filter(isMLineTimestamp) }),
    ...(Array.isArray(lines) && { lines: lines.filter(isLineCount) }),
  };
}

function timestampsOf(value: unknown): DetectionsMessage['rtp_timestamp'] {
  const { raw, processed } = isMembers(value) ? value : {};
  return { ...(isTimestamp(raw) && { raw }), ...(isTimestamp(processed) && { processed }) };
}

function withoutOddVelocity(object: DetectedObject): DetectedObject {
  if (object.velocity === undefined || isNumbers(object.velocity, 2)) return object;
  const others: { -readonly [Name in keyof DetectedObject]: DetectedObject[Name] } = { ...object };
  delete others.velocity;
  return others;
}

function isDetectedObject(value: unknown): value is DetectedObject {
  if (!isMembers(value)) return false;
  return (
    isNumbers(value['box'], 4) && typeof value['label'] === 'string' && isNumber(value['score']) && Number.isInteger(value['class_id'])
  );
}

function isMLineTimestamp(value: unknown): value is MLineTimestamp {
  return isMembers(value) && typeof value['mid'] === 'string' && isTimestamp(value['rtp_timestamp']);
}

function isZoneCount(value: unknown): value is ZoneCount {
  return isMembers(value) && typeof value['zone'] === 'string' && isNumber(value['count']);
}

function isLineCount(value: unknown): value is LineCount {
  return isMembers(value) && typeof value['line'] === 'string' && isNumber(value['in']) && isNumber(value['out']);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isPositive(value: unknown): value is number {
  return isNumber(value) && value > 0;
}

function isTimestamp(value: unknown): value is number {
  return Number.isInteger(value);
}

function isNumbers(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(isNumber);
}
