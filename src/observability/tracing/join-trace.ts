/**
 * From what happens to a session to the spans of its join: door, source, negotiation, ICE, DTLS, first frame. A join is over
 * with its first frame, or with the end of its session where none came. Pure: it knows no OpenTelemetry.
 */
import type { SessionEvent } from '../../webrtc/index.js';

/** A part of a join. Times are Unix milliseconds. */
export interface JoinSpan {
  /** What it is: `ICE`. */
  readonly name: string;
  /** When it began. */
  readonly startMs: number;
  /** Not before its start. */
  readonly endMs: number;
  /** Why it failed; left out where it did not. */
  readonly failure?: string;
}

/** A join, and its parts in order. */
export interface JoinTrace extends JoinSpan {
  /** Whose join it is, by OpenTelemetry's rules for names: `sightline.source`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** One after the other, without gaps. */
  readonly parts: readonly JoinSpan[];
}

/** What joins are told with. */
export interface JoinTracesInit {
  /** Unix milliseconds. */
  readonly wallClock: () => number;
  /** When the HTTP request came that is being answered, in Unix milliseconds; undefined where it is none. */
  readonly requestedAtMs: () => number | undefined;
  /** Takes a join that is over. */
  readonly onJoin: (join: JoinTrace) => void;
}

/** A part, and the step with which it ends. */
const PARTS = [
  ['negotiation', 'described'],
  ['ICE', 'ice connected'],
  ['DTLS', 'dtls connected'],
  ['first frame', 'first keyframe'],
] as const;
const LAST_STEP = 'first keyframe';
const STEPS: ReadonlySet<string> = new Set(PARTS.map(([, step]) => step));

interface Pending {
  readonly requestedMs: number | undefined;
  readonly askedMs: number;
  readonly begunMs: number;
  /** When each step came, the first time. */
  readonly steps: Map<string, number>;
}

/** Follows the joins that are under way. */
export class JoinTraces {
  readonly #init: JoinTracesInit;
  readonly #pending = new Map<string, Pending>();

  constructor(init: JoinTracesInit) {
    this.#init = init;
  }

  /** Takes what happens to sessions; a join's first event has to come while its request is answered. */
  take(event: SessionEvent): void {
    const { sessionId, waitedMs } = event.session;
    if (event.type === 'started') {
      const begunMs = this.#init.wallClock();
      this.#pending.set(sessionId, { requestedMs: this.#init.requestedAtMs(), askedMs: begunMs - waitedMs, begunMs, steps: new Map() });
      return;
    }
    const pending = this.#pending.get(sessionId);
    if (!pending) return;
    if (event.type === 'step' && STEPS.has(event.step.step) && !pending.steps.has(event.step.step))
      pending.steps.set(event.step.step, pending.begunMs + event.step.atMs);
    if (event.type === 'ended' || pending.steps.has(LAST_STEP)) this.#finish(event, pending);
  }

  #finish(event: SessionEvent, pending: Pending): void {
    const { role, door, sourceId, clientId, sessionId } = event.session;
    this.#pending.delete(sessionId);
    const failure = event.type === 'ended' && !pending.steps.has('dtls connected') ? event.reason : undefined;
    const parts = partsOf(pending, failure, this.#init.wallClock());
    this.#init.onJoin({
      name: `join ${role}`,
      startMs: parts[0]?.startMs ?? pending.askedMs,
      endMs: parts.at(-1)?.endMs ?? pending.begunMs,
      ...(failure !== undefined && { failure }),
      attributes: {
        'sightline.role': role,
        'sightline.door': door,
        'sightline.source': sourceId,
        'sightline.client_id': clientId,
        ...(failure !== undefined && { 'sightline.end_reason': failure }),
      },
      parts,
    });
  }
}

/** @param failure of the part that had begun and did not end */
function partsOf({ requestedMs, askedMs, begunMs, steps }: Pending, failure: string | undefined, nowMs: number): JoinSpan[] {
  const parts: JoinSpan[] = [];
  const add = (name: string, startMs: number, endMs: number): void => void parts.push({ name, startMs, endMs: Math.max(startMs, endMs) });
  if (requestedMs !== undefined) add('door', Math.min(requestedMs, askedMs), askedMs);
  add('source', askedMs, begunMs);
  let atMs = begunMs;
  for (const [name, step] of PARTS) {
    const endMs = steps.get(step);
    if (endMs === undefined) {
      if (failure !== undefined) parts.push({ name, startMs: atMs, endMs: Math.max(atMs, nowMs), failure });
      break;
    }
    add(name, atMs, endMs);
    atMs = Math.max(atMs, endMs);
  }
  return parts;
}
