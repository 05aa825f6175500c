/** Detections messages for tests of the client library and of the page. */
import type { DetectedObject, DetectionsMessage } from '../../src/client/index.js';

/** One person at `x`, moving by 100 pixels a second to the right. */
export function person(x: number, members: Partial<DetectedObject> = {}): DetectedObject {
  return { object_id: 1, label: 'person', class_id: 0, score: 0.9, box: [x, 10, 20, 40], velocity: [100, 0], ...members };
}

/** A message for the frame of that RTP timestamp on the raw track. */
export function messageAt(
  raw: number | undefined,
  objects: readonly DetectedObject[] = [person(0)],
  members: Partial<DetectionsMessage> = {},
): DetectionsMessage {
  const rtpTimestamp = raw === undefined ? {} : { raw: raw >>> 0 };
  const frame = { source: 'demo', frame: 0, media_time_s: 0, width: 1280, height: 720, inference_ms: 4, dropped: 0 };
  return { ...frame, rtp_timestamp: rtpTimestamp, objects, ...members };
}
