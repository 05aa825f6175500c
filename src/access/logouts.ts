/** Logins that were ended before their time. They are kept over restarts until they would have ended by themselves. */
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { JsonFile } from '../base/json-file.js';

const VERSION = 1;
/** Beyond, those of the oldest logins are not told apart any more: all logins that are as old have ended. */
const MAX_LOGOUTS = 50_000;

/** Where they are kept. */
export interface LogoutsInit {
  /** Absolute path of STATE_DIR. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of a login that was ended, in ms of Unix time. */
interface Ended {
  /** When it began. */
  readonly fromMs: number;
  /** When it would have ended by itself. */
  readonly untilMs: number;
}

/** Ids of logins that count no more. */
export class Logouts {
  readonly #init: LogoutsInit;
  readonly #file: JsonFile;
  readonly #ended = new Map<string, Ended>();
  /** Logins that began before count no more: what is known of them is lost. */
  #notBeforeMs = -Infinity;
  #writing: Promise<void> | undefined;
  #isStale = false;

  /** Reads what is there. A file that cannot be used ends all logins that there were: who had logged out stays so. */
  constructor(init: LogoutsInit) {
    this.#init = init;
    this.#file = new JsonFile({ file: path.join(init.stateDir, 'logouts.json'), version: VERSION, what: 'logouts' });
    try {
      const { not_before: notBefore, logouts = [] } = this.#file.read() ?? {};
      if (typeof notBefore === 'number') this.#notBeforeMs = notBefore * 1000;
      if (!isList(logouts)) throw this.#file.unusable('it is damaged');
      for (const [id, untilS, fromS = 0] of logouts) this.#ended.set(id, { fromMs: fromS * 1000, untilMs: untilS * 1000 });
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#notBeforeMs = init.clock.wallClock();
      init.logger.error({ err: error }, 'logouts cannot be read: everybody has to log in again');
    }
  }

  /** Whether a login was ended. @param fromMs when it began, in ms of Unix time */
  has(id: string, fromMs: number): boolean {
    return this.#ended.has(id) || fromMs < this.#notBeforeMs;
  }

  /** A login counts no more. */
  add(id: string, ended: Ended): void {
    this.#ended.set(id, ended);
    if (this.#ended.size > MAX_LOGOUTS) this.#forgetOver();
    if (this.#ended.size > MAX_LOGOUTS) this.#joinOldest();
    this.#isStale = true;
    this.#writing ??= this.#write();
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #forgetOver(): void {
    const nowMs = this.#init.clock.wallClock();
    for (const [id, { untilMs }] of this.#ended) if (untilMs <= nowMs) this.#ended.delete(id);
  }

  /** Whoever fills the list brings no login back to life: what is forgotten of it stays ended. */
  #joinOldest(): void {
    const oldestMs = [...this.#ended.values()].reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity);
    // Logins know the second in which they began.
    this.#notBeforeMs = Math.max(this.#notBeforeMs, oldestMs + 1000);
    for (const [id, { fromMs }] of this.#ended) if (fromMs < this.#notBeforeMs) this.#ended.delete(id);
    this.#init.logger.warn({ max: MAX_LOGOUTS, before: this.#notBeforeMs / 1000 }, 'too many logouts: older logins have ended with them');
  }

  /** What comes meanwhile is written together. Never rejects. */
  async #write(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      this.#forgetOver();
      const logouts = [...this.#ended].map(([id, { untilMs, fromMs }]) => [id, untilMs / 1000, fromMs / 1000]);
      const notBefore = Number.isFinite(this.#notBeforeMs) ? { not_before: this.#notBeforeMs / 1000 } : {};
      await this.#file
        .write({ ...notBefore, logouts })
        .catch((error: unknown) => this.#init.logger.error({ err: error }, 'logouts count until this server ends: they cannot be kept'));
    }
    this.#writing = undefined;
  }
}

function isList(value: unknown): value is readonly (readonly [id: string, untilS: number, fromS?: number])[] {
  return (
    Array.isArray(value) &&
    value.every(
      (item) => Array.isArray(item) && typeof item[0] === 'string' && [item[1], item[2] ?? 0].every((time) => typeof time === 'number'),
    )
  );
}
