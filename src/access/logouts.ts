/** Logins that were ended before their time. They are kept over restarts until they would have ended by themselves. */
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { JsonFile } from '../base/json-file.js';

const VERSION = 1;
/** Those that end soonest are forgotten first. */
const MAX_LOGOUTS = 50_000;

/** Where they are kept. */
export interface LogoutsInit {
  /** Absolute path of STATE_DIR. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ids of logins that count no more. */
export class Logouts {
  readonly #init: LogoutsInit;
  readonly #file: JsonFile;
  /** When each would have ended by itself, in ms of Unix time. */
  readonly #untilMs = new Map<string, number>();
  /** Logins that began before count no more: what is known of them is lost. */
  #notBeforeMs = -Infinity;
  #isWriting = false;
  #isStale = false;

  /** Reads what is there. A file that cannot be used ends all logins that there were: who had logged out stays so. */
  constructor(init: LogoutsInit) {
    this.#init = init;
    this.#file = new JsonFile({ file: path.join(init.stateDir, 'logouts.json'), version: VERSION, what: 'logouts' });
    try {
      const { not_before: notBefore, logouts = [] } = this.#file.read() ?? {};
      if (typeof notBefore === 'number') this.#notBeforeMs = notBefore * 1000;
      if (!isList(logouts)) throw this.#file.unusable('it is damaged');
      for (const [id, untilS] of logouts) this.#untilMs.set(id, untilS * 1000);
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#notBeforeMs = init.clock.wallClock();
      init.logger.error({ err: error }, 'logouts cannot be read: everybody has to log in again');
    }
  }

  /** Whether a login was ended. @param fromMs when it began, in ms of Unix time */
  has(id: string, fromMs: number): boolean {
    return this.#untilMs.has(id) || fromMs < this.#notBeforeMs;
  }

  /** A login counts no more. @param untilMs when it would have ended by itself, in ms of Unix time */
  add(id: string, untilMs: number): void {
    const nowMs = this.#init.clock.wallClock();
    for (const [other, endMs] of this.#untilMs) if (endMs <= nowMs) this.#untilMs.delete(other);
    this.#untilMs.set(id, untilMs);
    if (this.#untilMs.size > MAX_LOGOUTS) this.#forgetOne();
    void this.#write();
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#file.settled();
  }

  #forgetOne(): void {
    const [soonest] = [...this.#untilMs].reduce((a, b) => (b[1] < a[1] ? b : a));
    this.#untilMs.delete(soonest);
  }

  /** What comes meanwhile is written together. Never rejects. */
  async #write(): Promise<void> {
    this.#isStale = true;
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#isStale) {
      this.#isStale = false;
      const logouts = [...this.#untilMs].map(([id, untilMs]) => [id, untilMs / 1000]);
      const notBefore = Number.isFinite(this.#notBeforeMs) ? { not_before: this.#notBeforeMs / 1000 } : {};
      await this.#file
        .write({ ...notBefore, logouts })
        .catch((error: unknown) => this.#init.logger.error({ err: error }, 'logouts count until this server ends: they cannot be kept'));
    }
    this.#isWriting = false;
  }
}

function isList(value: unknown): value is readonly (readonly [string, number])[] {
  return Array.isArray(value) && value.every((item) => Array.isArray(item) && typeof item[0] === 'string' && typeof item[1] === 'number');
}
