/**
 * AUTH_FILE, read again while the server runs. Half of a file, which an editor is still writing, may give more rights than the whole:
 * a text counts when a second look finds the same one. A file with a fault changes nothing; the fault is said once.
 */
import { readBoundedTextSync } from '../base/bounded-text.js';
import type { Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { PolledText } from '../base/polled-text.js';
import { Users } from './users.js';

/** What is changed there counts within 2 s. */
const PERIOD_MS = 1000;
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
  readonly #polled: PolledText;
  #users: Users;

  /** @throws MediaPeerError CONFIG_INVALID */
  constructor({ file, clock, logger, onChanged }: AuthFileInit) {
    const text = readAuthFile(file);
    this.#users = Users.parse(text, file);
    const onText = (next: string): Promise<void> => {
      this.#users = Users.parse(next, file);
      logger.info({ file, users: this.#users.size }, 'AUTH_FILE was read again');
      onChanged();
      return Promise.resolve();
    };
    const onFault = (fault: string | undefined): void => {
      if (fault !== undefined) logger.error({ file, fault }, 'AUTH_FILE has a fault: what it held before goes on');
    };
    this.#polled = new PolledText({ file, maxBytes: MAX_BYTES, text, clock, onText, onFault, periodMs: PERIOD_MS });
  }

  /** Those of the newest text without a fault. */
  get users(): Users {
    return this.#users;
  }

  /** Looks no more; resolves when nothing is being read. Idempotent. */
  close(): Promise<void> {
    return this.#polled.close();
  }
}

function readAuthFile(file: string): string {
  try {
    return readBoundedTextSync(file, MAX_BYTES);
  } catch (error) {
    throw new MediaPeerError('CONFIG_INVALID', `AUTH_FILE ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
