/**
 * AUTH_FILE, read again while the server runs. Its text is compared once a second: bind mounts and editors that rename miss the
 * events of watching. A text counts when a second look finds the same one: half of a file, which an editor is still writing, may
 * give more rights than the whole. A file with a fault changes nothing; the fault is said once.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Users } from './users.js';

const PERIOD_MS = 1000;
/** Between the two looks at a new text. */
const SETTLE_MS = 400;
const MAX_BYTES = 4 * 1024 * 1024;

/** Where the users are. */
export interface AuthFileInit {
  /** Absolute path. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each change that counts. */
  readonly onChanged: () => void;
}

/** The users of a file, as it is now. */
export class AuthFile {
  readonly #init: AuthFileInit;
  readonly #timer: Timer;
  #text: string;
  #users: Users;
  /** A new text that was seen once. */
  #unsettled: string | undefined;
  #settling: Timer | undefined;
  #saidFault: string | undefined;
  #isReading = false;
  #isClosed = false;

  /** @throws MediaPeerError CONFIG_INVALID */
  constructor(init: AuthFileInit) {
    const { file, clock } = init;
    this.#init = init;
    try {
      this.#text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new MediaPeerError('CONFIG_INVALID', `AUTH_FILE ${file} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    this.#users = Users.parse(this.#text, file);
    this.#timer = clock.every(PERIOD_MS, () => {
      if (!this.#settling) void this.#look();
    });
  }

  /** Those of the newest text without a fault. */
  get users(): Users {
    return this.#users;
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#settling?.cancel();
  }

  async #look(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { file, logger, onChanged } = this.#init;
    try {
      const text = await readFile(file, 'utf8');
      if (text.length > MAX_BYTES) throw new MediaPeerError('CONFIG_INVALID', `AUTH_FILE ${file} is larger than ${MAX_BYTES} bytes`);
      if (text !== this.#text && text !== this.#unsettled) return this.#settle(text);
      this.#unsettled = undefined;
      if (text !== this.#text) {
        this.#users = Users.parse(text, file);
        this.#text = text;
        logger.info({ file, users: this.#users.size }, 'AUTH_FILE was read again');
        onChanged();
      }
      this.#saidFault = undefined;
    } catch (error) {
      const fault = messageOf(error);
      if (fault !== this.#saidFault) logger.error({ file, fault }, 'AUTH_FILE has a fault: what it held before goes on');
      this.#saidFault = fault;
    } finally {
      this.#isReading = false;
    }
  }

  #settle(text: string): void {
    if (this.#isClosed) return;
    this.#unsettled = text;
    this.#settling = this.#init.clock.after(SETTLE_MS, () => {
      this.#settling = undefined;
      void this.#look();
    });
  }
}
