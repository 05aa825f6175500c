/**
 * Who was refused, and who changed something: a line each in the log. Whoever is refused again and again for the same is told of
 * once in 10 s, with how often; and there are at most so many lines a minute, whoever asks: a log must not be something to fill.
 * Strangers use up nothing of those who have shown who they are, and what is left out is said.
 */
import type { Clock } from '../base/clock.js';
import { Listeners, type StopListening } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import { NOBODY } from './ambient.js';

const REPEAT_MS = 10_000;
const WINDOW_MS = 60_000;
/** Of strangers, and of all others. */
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

/** Lines of a minute. */
interface Budget {
  sinceMs: number;
  lines: number;
}

/** What was written down. */
export interface AuditRecord extends AuditEntry {
  /** `noted`: somebody logged in or out, as `action` says. */
  readonly kind: 'refused' | 'noted' | 'changed';
  /** Of the error that somebody was refused with. */
  readonly code?: string;
  /** How often somebody was refused for the same since the last record of it. */
  readonly times?: number;
  /** What was asked for to change something: `PUT /sources/:id/zones`. */
  readonly route?: string;
}

/** Writes down what is refused and changed. */
export class Audit {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refused = new Map<string, { atMs: number; times: number }>();
  readonly #budgets = {
    strangers: { sinceMs: -Infinity, lines: 0 },
    known: { sinceMs: -Infinity, lines: 0 },
  };

  readonly #records: Listeners<AuditRecord>;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
    this.#records = new Listeners(logger, 'audit');
  }

  /** Calls `listener` with everything that is written down. Call the returned function to stop listening. */
  onRecord(listener: (record: AuditRecord) => void): StopListening {
    return this.#records.add(listener);
  }

  /** Somebody did not get what they asked for. @param code of the error that they got */
  refused(entry: AuditEntry, code: string): void {
    const { who, address, action } = entry;
    const nowMs = this.#clock.now();
    const key = JSON.stringify([who, address, action, code]);
    const before = this.#refused.get(key) ?? { atMs: -Infinity, times: 0 };
    const times = before.times + 1;
    const isTold =
      nowMs - before.atMs >= REPEAT_MS && this.#mayTell(nowMs, who === undefined || who === NOBODY.name ? 'strangers' : 'known');
    this.#refused.delete(key);
    this.#refused.set(key, isTold ? { atMs: nowMs, times: 0 } : { ...before, times });
    for (const [oldest] of this.#refused) {
      if (this.#refused.size <= MAX_REMEMBERED) break;
      this.#refused.delete(oldest);
    }
    if (!isTold) return;
    this.#logger.warn({ ...shown(entry), code, times }, 'refused');
    this.#records.tell({ ...entry, kind: 'refused', code, times });
  }

  /** Somebody logged in or out. */
  noted(entry: AuditEntry): void {
    this.#logger.info(shown(entry), entry.action);
    this.#records.tell({ ...entry, kind: 'noted' });
  }

  /** Somebody changed something. @param route what was asked for: `PUT /sources/:id/zones` */
  changed(entry: AuditEntry, route: string): void {
    this.#logger.info({ ...shown(entry), route }, 'changed');
    this.#records.tell({ ...entry, kind: 'changed', route });
  }

  #mayTell(nowMs: number, of: 'strangers' | 'known'): boolean {
    const budget: Budget = this.#budgets[of];
    if (nowMs - budget.sinceMs >= WINDOW_MS) {
      const leftOut = budget.lines - MAX_LINES;
      if (leftOut > 0) this.#logger.warn({ of, leftOut }, 'refusals were left out');
      this.#budgets[of] = { sinceMs: nowMs, lines: 1 };
      return true;
    }
    if (++budget.lines === MAX_LINES + 1) this.#logger.warn({ of, perMinute: MAX_LINES }, 'more refusals in this minute are left out');
    return budget.lines <= MAX_LINES;
  }
}

function shown({ who = 'unknown', address, action, source }: AuditEntry): object {
  return { who, address, action, ...(source !== undefined && { sourceId: source.slice(0, MAX_CHARS) }) };
}
