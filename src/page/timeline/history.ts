/** What happened in the stretch that a timeline shows, asked for as it moves: a little more than is seen, in steps as fine as can be seen. */
import { signal } from '@preact/signals';
import { readEvents, SCENE_TYPES, type ServerEvent } from '../api/events.js';
import { readRecording, readTimeline, type TimeRange, type TimelineStep } from '../api/recordings.js';
import { RequestError } from '../api/request.js';
import { lengthOf, type Span } from './scale.js';

/** What is known of a stretch. */
export interface Known {
  /** The stretch. */
  readonly span: Span;
  /** Length of a step, seconds. */
  readonly stepS: number;
  /** What is recorded. */
  readonly ranges: readonly TimeRange[];
  /** In order. */
  readonly steps: readonly TimelineStep[];
  /** The newest of them. */
  readonly events: readonly ServerEvent[];
}

/** Who moves on meanwhile asks once. */
const SETTLING_MS = 120;
const PERIOD_MS = 10_000;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
/** A bar that can be told from the next one. */
const BAR_PX = 3;
const MAX_STEPS = 2000;
const MAX_EVENTS = 500;

/** How fine the steps of a stretch are. @param width pixels of what is seen */
export function stepFor(seen: Span, width: number): number {
  const wanted = (lengthOf(seen) * BAR_PX) / Math.max(width, 1);
  return STEPS_S.find((step) => step >= wanted && (lengthOf(seen) * 2) / step < MAX_STEPS) ?? 3600;
}

/** Of one source, until `close`. */
export class History {
  /** Undefined before the first answer. */
  readonly known = signal<Known | undefined>(undefined);
  /** All of it, from the first moment to the last; undefined before it is known. */
  readonly recorded = signal<Span | undefined>(undefined);
  /** What stays whatever its age. */
  readonly kept = signal<readonly TimeRange[]>([]);
  /** Why the newest answer is missing; undefined where it is not. */
  readonly trouble = signal<RequestError | undefined>(undefined);
  readonly #source: string;
  readonly #nowS: () => number;
  #asking: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #seen: Span | undefined;
  #width = 0;

  /** @param nowS Unix seconds by the server's clock */
  constructor(source: string, nowS: () => number) {
    this.#source = source;
    this.#nowS = nowS;
  }

  /** This is seen now. @param width pixels */
  show(seen: Span, width: number): void {
    this.#seen = seen;
    this.#width = width;
    const { known } = this;
    const has = known.peek();
    const isThere = has && has.span.fromS <= seen.fromS && has.span.toS >= seen.toS && has.stepS === stepFor(seen, width);
    if (!isThere) this.#later(SETTLING_MS);
  }

  /** Asks now, and from then on. */
  refresh(): void {
    this.#later(0);
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const seen = this.#seen;
    if (!seen) return;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      if (document.visibilityState === 'visible') await this.#read(seen, asking.signal);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof RequestError)) throw error;
      this.trouble.value = error;
    }
    if (!asking.signal.aborted && this.#asking === asking) this.#later(PERIOD_MS);
  }

  async #read(seen: Span, signal: AbortSignal): Promise<void> {
    const half = lengthOf(seen) / 2;
    const stepS = stepFor(seen, this.#width);
    const span = {
      fromS: Math.max(0, Math.floor(seen.fromS - half)),
      toS: Math.ceil(Math.min(seen.toS + half, this.#nowS() + 60 + lengthOf(seen))),
    };
    const range = { from: span.fromS, to: Math.max(span.toS, span.fromS + 1) };
    const [recording, timeline, events] = await Promise.all([
      readRecording(this.#source, signal),
      readTimeline(this.#source, range, stepS, signal),
      this.#readEvents(range, signal),
    ]);
    this.recorded.value = { fromS: recording.from, toS: recording.to };
    this.kept.value = recording.kept;
    this.known.value = { span, stepS, ranges: timeline.ranges, steps: timeline.steps, events };
    this.trouble.value = undefined;
  }

  /** Who may play back need not have the right to events. */
  async #readEvents({ from, to }: TimeRange, signal: AbortSignal): Promise<readonly ServerEvent[]> {
    try {
      const query = { source: this.#source, type: SCENE_TYPES, from, to, order: 'desc', limit: MAX_EVENTS };
      return (await readEvents(query, signal)).events;
    } catch (error) {
      if (error instanceof RequestError && (error.status === 401 || error.status === 403)) return [];
      throw error;
    }
  }
}
