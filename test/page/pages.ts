/** The page's modules are plain browser JavaScript; those without a DOM run in tests as well. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../helpers/assets.js';

/** A module of the page by its file name; the caller says what it exports. */
export async function pageModule(name: string): Promise<unknown> {
  return import(pathToFileURL(path.join(projectRoot, 'src/page/public', name)).href);
}

/** An object of a detections message. */
export interface DetectedObject {
  readonly object_id: number;
  readonly label: string;
  readonly class_id: number;
  readonly score: number;
  readonly box: readonly number[];
  readonly velocity: readonly number[];
}

/** A detections message as the page holds it. */
export interface DetectionsMessage {
  readonly rtp_timestamp: { readonly raw?: number };
  readonly width: number;
  readonly height: number;
  readonly inference_ms: number;
  readonly dropped: number;
  readonly objects: readonly DetectedObject[];
}

/** One person at `x`, moving by 100 pixels a second to the right. */
export function person(x: number, members: Partial<DetectedObject> = {}): DetectedObject {
  return { object_id: 1, label: 'person', class_id: 0, score: 0.9, box: [x, 10, 20, 40], velocity: [100, 0], ...members };
}

/** A message for the frame of that RTP timestamp on the raw track. */
export function messageAt(raw: number | undefined, objects: readonly DetectedObject[] = [person(0)], members: Partial<DetectionsMessage> = {}): DetectionsMessage {
  return { rtp_timestamp: raw === undefined ? {} : { raw: raw >>> 0 }, width: 1280, height: 720, inference_ms: 4, dropped: 0, objects, ...members };
}
