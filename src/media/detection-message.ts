/**
 * A picture's detections as the JSON that clients read: the same words on the data channel, over Server-Sent
 * Events and in webhooks. What is equal for all readers is written once.
 */
import type { FrameDetections, LineState, SceneEvent, TrackedObject, ZoneState } from './detections.js';
import type { Rendition } from './rendition.js';

/**
 * A message belongs to the frame whose RTP timestamp is at most this far from the message's: browsers compute a frame's from
 * microseconds and back. 90 ticks are 1 ms. The client library, which imports nothing of the server, has the same value.
 */
export const PAIRING_TOLERANCE_TICKS = 90;

/** What one reader wants to see. */
export interface DetectionFilter {
  /** Lowest score, [0, 1]. Default: whatever the model's threshold lets through. */
  readonly minScore?: number;
  /** Labels; default all. */
  readonly classes?: readonly string[];
}

/** RTP timestamps of one frame, for each rendition in which a reader gets it with a timestamp of its own. */
export interface FrameTimestamps extends Readonly<Partial<Record<Rendition, number>>> {
  /** Renditions of which the reader has the nearest frame, not the very one that was looked at. Default: none. */
  readonly nearest?: readonly Rendition[];
  /** Of a wall: the same for each m-line that shows the source. Default: not told. */
  readonly mLines?: readonly MLineTimestamp[];
}

/** The RTP timestamp of one frame on one m-line. */
interface MLineTimestamp {
  /** RFC 5888; null where the m-line has none. */
  readonly mid: string | null;
  /** As the reader sees it. */
  readonly rtpTimestamp: number;
  /** The reader has the nearest frame there, not the very one that was looked at. */
  readonly isNearest: boolean;
}

/** What is one reader's own in a message. */
export interface MessageContext {
  /** The picture's RTP timestamp on each of the reader's video m-lines. */
  readonly rtpTimestamps?: FrameTimestamps;
  /** Which detections the reader wants; left out: all. */
  readonly filter?: DetectionFilter;
  /** Messages that this reader lost so far because it was too slow. Default 0. */
  readonly dropped?: number;
  /** Events of messages that this reader lost. */
  readonly missedEvents?: readonly MissedEvent[];
  /** Largest message in bytes of UTF-8; objects of the lowest score are left out to keep it. Default: no limit. */
  readonly maxBytes?: number;
  /** Told with the message. */
  readonly warning?: string | undefined;
}

/** An event that comes with a later picture than its own. */
export interface MissedEvent extends SceneEvent {
  /** Number of the frame that it happened in. */
  readonly frame: number;
}

/** The classes of COCO, and some. */
const MAX_LISTED_LABELS = 100;

/** One JSON object as text; `truncated` says how many objects were left out because of `maxBytes`. */
export function writeDetections(detections: FrameDetections, context: MessageContext = {}): string {
  const { rtpTimestamps = {}, filter, dropped = 0, missedEvents = [], maxBytes = Infinity, warning } = context;
  const { nearest = [], mLines, ...timestamps } = rtpTimestamps;
  const pairing = nearest.length === 0 ? '' : `,"pairing":${JSON.stringify(Object.fromEntries(nearest.map((each) => [each, 'nearest'])))}`;
  const perMLine = mLines ? `,"m_lines":${JSON.stringify(mLines.map(mLineJson))}` : '';
  const common = commonPart(detections);
  const wanted = filter ? detections.objects.filter((object) => passes(object, filter)) : detections.objects;
  const missed = missedEvents.length > 0 ? `,"missed_events":${JSON.stringify(missedEvents.map((event) => eventJson(event)))}` : '';
  const events = warning === undefined ? missed : `${missed},"warning":${JSON.stringify(warning)}`;
  const write = (objects: string, truncated = ''): string =>
    `${common.head},"rtp_timestamp":${JSON.stringify(timestamps)}${pairing}${perMLine},"objects":${objects}${common.scene}${events},"dropped":${dropped}${truncated}}`;
  const whole = write(filter ? JSON.stringify(wanted.map(objectJson)) : common.objects);
  if (isWithin(whole, maxBytes)) return whole;
  const kept = bestWithin(wanted, maxBytes - Buffer.byteLength(write('[]', `,"truncated":${wanted.length}`)));
  return write(`[${kept.join(',')}]`, `,"truncated":${wanted.length - kept.length}`);
}

function mLineJson({ mid, rtpTimestamp, isNearest }: MLineTimestamp) {
  return { mid, rtp_timestamp: rtpTimestamp, ...(isNearest && { pairing: 'nearest' }) };
}

/** A UTF-16 unit becomes three bytes of UTF-8 at most: short texts need no counting. */
function isWithin(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes;
}

/** The objects of the highest scores as JSON, in the order they came in, that fit into so many bytes. */
function bestWithin(objects: readonly TrackedObject[], maxBytes: number): string[] {
  const texts = objects.map((object, at) => ({ at, score: object.score, text: JSON.stringify(objectJson(object)) }));
  let room = maxBytes;
  const kept = texts.sort((a, b) => b.score - a.score).filter(({ text }) => (room -= Buffer.byteLength(text) + 1) >= 0);
  return kept.sort((a, b) => a.at - b.at).map(({ text }) => text);
}

/** What to tell a reader whose filter names labels that the model does not know; undefined where it knows all, or nobody knows. */
export function filterWarning({ classes }: DetectionFilter, known: readonly string[] | undefined): string | undefined {
  const unknown = known && classes?.filter((label) => !known.includes(label));
  if (!known || !unknown || unknown.length === 0) return undefined;
  const listed = known.slice(0, MAX_LISTED_LABELS).join(', ');
  return `the model knows no class ${unknown
    .slice(0, MAX_LISTED_LABELS)
    .map((label) => `'${label}'`)
    .join(', ')}; it knows ${listed}${known.length > MAX_LISTED_LABELS ? ` and ${known.length - MAX_LISTED_LABELS} more` : ''}`;
}

/** True for an object that a reader wants. */
export function passes(object: TrackedObject, { minScore, classes }: DetectionFilter): boolean {
  return (minScore === undefined || object.score >= minScore) && (classes === undefined || classes.includes(object.label));
}

/** An event in the words of the public contract. */
export function eventJson(event: SceneEvent & { readonly frame?: number }): Record<string, unknown> {
  return {
    type: event.type,
    [event.type === 'cross' ? 'line' : 'zone']: event.id,
    ...(event.direction !== undefined && { direction: event.direction }),
    object_id: event.objectId,
    label: event.label,
    class_id: event.classId,
    score: round(event.score, 4),
    position: event.position.map((value) => round(value, 2)),
    ...(event.dwellMs !== undefined && { dwell_s: round(event.dwellMs / 1000, 3) }),
    ...(event.frame !== undefined && { frame: event.frame }),
  };
}

/** A zone in the words of the public contract. */
export function zoneJson({ id, objectIds, byLabel }: ZoneState) {
  return { zone: id, count: objectIds.length, object_ids: [...objectIds], by_label: byLabel };
}

/** A line in the words of the public contract. */
export function lineJson(line: LineState) {
  return { line: line.id, in: line.in, out: line.out, in_by_label: line.inByLabel, out_by_label: line.outByLabel };
}

/** What all readers of a picture get. */
interface CommonPart {
  /** Without its closing brace. */
  readonly head: string;
  readonly objects: string;
  /** Begins with a comma; empty where the source has no zones. */
  readonly scene: string;
}

const written = new WeakMap<FrameDetections, CommonPart>();

function commonPart(detections: FrameDetections): CommonPart {
  const known = written.get(detections);
  if (known) return known;
  const { sourceId, frame, mediaTimeMs, wallMs, widthPx, heightPx, inferenceMs, objects, scene } = detections;
  const head = JSON.stringify({
    source: sourceId,
    frame,
    media_time_s: round(mediaTimeMs / 1000, 6),
    ...(wallMs !== undefined && { wall_time: round(wallMs / 1000, 6) }),
    width: widthPx,
    height: heightPx,
    inference_ms: round(inferenceMs, 2),
  });
  const part: CommonPart = {
    head: head.slice(0, -1),
    objects: JSON.stringify(objects.map(objectJson)),
    scene:
      scene === undefined
        ? ''
        : `,"zones":${JSON.stringify(scene.zones.map(zoneJson))}` +
          `,"lines":${JSON.stringify(scene.lines.map(lineJson))}` +
          `,"events":${JSON.stringify(scene.events.map((event) => eventJson(event)))}`,
  };
  written.set(detections, part);
  return part;
}

function objectJson(object: TrackedObject): Record<string, unknown> {
  return {
    object_id: object.objectId,
    label: object.label,
    class_id: object.classId,
    score: round(object.score, 4),
    box: object.box.map((value) => round(value, 2)),
    velocity: object.velocity.map((value) => round(value, 1)),
    observed: object.isObserved,
  };
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
