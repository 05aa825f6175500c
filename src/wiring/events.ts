/** Where events come from, and where they are kept. */
import { configuredPath, VARIABLES } from '../config.js';
import { eventJson, type FrameDetections } from '../media/index.js';
import { EventStore } from '../store/index.js';
import type { Host } from './host.js';

/** Opens the store of STATE_DIR. @throws MediaPeerError CONFIG_INVALID where somebody chose it and it cannot be used */
export async function openEvents({ config, loggers, clock, ledger, closers }: Host): Promise<EventStore> {
  const events = await EventStore.open({
    stateDir: configuredPath(config, 'STATE_DIR'),
    isChosen: config.STATE_DIR !== VARIABLES.STATE_DIR.defaultValue,
    retention: config.EVENT_RETENTION,
    clock,
    logger: loggers.of('events'),
    ledger,
  });
  closers.add(() => events.close());
  return events;
}

/** Keeps what happened at the zones and lines of a frame that was seen just now, and the still of the frame once it is made. */
export function keepSceneEvents(
  events: EventStore,
  { sourceId, frame, mediaTimeMs, inferenceMs, scene }: FrameDetections,
  wallClockMs: number,
  still: Promise<Uint8Array | undefined> | undefined,
): void {
  const atMs = Math.round(wallClockMs - inferenceMs);
  const moment = { frame, media_time_s: Math.round(mediaTimeMs * 1000) / 1e6 };
  const happened = (scene?.events ?? []).map((event) => ({
    type: event.type,
    sourceId,
    atMs,
    data: { ...withoutType(eventJson(event)), ...moment },
  }));
  events.addMoment(happened, still);
}

/** The type has a place of its own. */
function withoutType(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== 'type'));
}
