/**
 * What is seen in one source while it is recorded: one row an object, from its first sight to its last, and counts a minute. A
 * row is written soon and again, so that who is still there is found as well, and a server that is killed loses seconds of it.
 */
import type { FrameDetections, SceneEvent, TrackedObject } from '../media/index.js';
import type { SeenEntry } from '../store/index.js';
import { MinuteLog } from './minute-log.js';
import { OpenObject } from './seen-object.js';

/** Longer than zones and lines remember who is out of sight: what they tell last still meets its object. */
const GONE_MS = 20_000;
/** What is seen for a moment alone is written once. */
const FIRST_WRITE_MS = 1000;
const REWRITE_MS = 30_000;
/** The longest unseen goes first. */
const MAX_OPEN = 500;
/** A clock that was set back by more begins everything anew. */
const STEP_BACK_MS = 1000;

/** What one feed of detections shows, from its beginning to its end. */
export interface SeenLog {
  /** Takes in one look at a frame that was captured then, Unix milliseconds. Never waits, never throws. */
  take(wallMs: number, detections: FrameDetections): void;
  /** The feed has ended: object ids begin anew with the next one. Idempotent. */
  close(): void;
}

/** What a log is of, and where it goes. */
export interface SeenLogInit {
  /** The source. */
  readonly sourceId: string;
  /** Never waits. */
  readonly keep: (entry: SeenEntry) => void;
  /** Ids of rows, ascending. */
  readonly nextId: () => number;
}

/** The objects of one feed. */
export class SourceSeenLog implements SeenLog {
  readonly #init: SeenLogInit;
  /** By object id; the longest unseen first. */
  readonly #open = new Map<number, OpenObject>();
  readonly #minutes: MinuteLog;
  #newestMs = -Infinity;

  constructor(init: SeenLogInit) {
    this.#init = init;
    this.#minutes = new MinuteLog(init.sourceId, (minute) => init.keep({ kind: 'seen-minute', minute }));
  }

  take(wallMs: number, detections: FrameDetections): void {
    if (wallMs < this.#newestMs - STEP_BACK_MS) this.#closeAll();
    this.#newestMs = wallMs;
    this.#minutes.take(wallMs, detections);
    for (const object of detections.objects) if (object.isObserved) this.#see(object, wallMs);
    for (const event of detections.scene?.events ?? []) this.#happen(event, wallMs);
    this.writeDue(wallMs);
  }

  /** Writes what is due, and lets go of who was not seen for long. @param nowMs Unix milliseconds */
  writeDue(nowMs: number): void {
    for (const [objectId, object] of this.#open) {
      const isGone = nowMs - object.lastMs >= GONE_MS;
      if (object.isChanged && (isGone || this.#isDue(object, nowMs))) this.#write(object, nowMs);
      if (isGone) this.#open.delete(objectId);
    }
  }

  close(): void {
    this.#closeAll();
  }

  #isDue(object: OpenObject, nowMs: number): boolean {
    return object.writtenMs === undefined
      ? nowMs - object.lastMs >= FIRST_WRITE_MS || object.ageMs >= FIRST_WRITE_MS
      : nowMs - object.writtenMs >= REWRITE_MS;
  }

  #see(object: TrackedObject, wallMs: number): void {
    const { objectId } = object;
    const known = this.#open.get(objectId);
    const open = known ?? new OpenObject({ id: this.#init.nextId(), sourceId: this.#init.sourceId, objectId, firstMs: wallMs });
    open.see(object, wallMs);
    this.#open.delete(objectId);
    this.#open.set(objectId, open);
    const [oldest] = this.#open;
    if (this.#open.size <= MAX_OPEN || !oldest) return;
    this.#write(oldest[1], wallMs);
    this.#open.delete(oldest[0]);
  }

  /** What happens is found at once. */
  #happen(event: SceneEvent, wallMs: number): void {
    const object = this.#open.get(event.objectId);
    if (!object) return;
    object.happen(event, wallMs);
    this.#write(object, wallMs);
  }

  #write(object: OpenObject, nowMs: number): void {
    this.#init.keep({ kind: 'seen-object', object: object.write(nowMs) });
  }

  #closeAll(): void {
    for (const object of this.#open.values()) if (object.isChanged) this.#write(object, this.#newestMs);
    this.#open.clear();
    this.#minutes.flush();
  }
}
