/**
 * Who was refused, and who changed something: a line each in the log. Whoever is refused again and again for the same is told of
 * once in 10 s, with how often; and there are at most so many lines a minute, whoever asks: a log must not be something to fill.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

const REPEAT_MS = 10_000;
const WINDOW_MS = 60_000;
const MAX_LINES = 120;
const MAX_REMEMBERED = 1000;
/** Of what strangers name. */
const MAX_CHARS = 80;

/** Who asked for what. */
export interface AuditEntry {
  /** `user:alice`; undefined where a token was nobody's. */
  readonly who: string | undefined;
  /** By which its client is counted. */
  readonly address: string;
  /** The right that was asked for. */
  readonly action: string;
  /** Left out: it is about no single source. */
  readonly source?: string | undefined;
}

/** Writes down what is refused and changed. */
export class Audit {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refused = new Map<string, { atMs: number; times: number }>();
  #windowMs = -Infinity;
  #lines = 0;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Somebody did not get what they asked for. @param code of the error that they got */
  refused(entry: AuditEntry, code: string): void {
    const { who, address, action } = entry;
    const nowMs = this.#clock.now();
    const key = JSON.stringify([who, address, action, code]);
    const before = this.#refused.get(key) ?? { atMs: -Infinity, times: 0 };
    const times = before.times + 1;
    const isTold = nowMs - before.atMs >= REPEAT_MS && this.#mayTell(nowMs);
    this.#refused.delete(key);
    this.#refused.set(key, isTold ? { atMs: nowMs, times: 0 } : { ...before, times });
    for (const [oldest] of this.#refused) {
      if (this.#refused.size <= MAX_REMEMBERED) break;
      this.#refused.delete(oldest);
    }
    if (isTold) this.#logger.warn({ ...shown(entry), code, times }, 'refused');
  }

  /** Somebody logged in or out. */
  noted(entry: AuditEntry): void {
    this.#logger.info(shown(entry), entry.action);
  }

  /** Somebody changed something. @param route what was asked for: `PUT /sources/:id/zones` */
  changed(entry: AuditEntry, route: string): void {
    this.#logger.info({ ...shown(entry), route }, 'changed');
  }

  #mayTell(nowMs: number): boolean {
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#lines = 0;
    }
    return ++this.#lines <= MAX_LINES;
  }
}

function shown({ who = 'unknown', address, action, source }: AuditEntry): object {
  return { who, address, action, ...(source !== undefined && { sourceId: source.slice(0, MAX_CHARS) }) };
}
