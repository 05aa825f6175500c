/** Users that are managed by API, in `users.json` of STATE_DIR. Hashes of tokens and passwords are kept, never those themselves. */
import path from 'node:path';
import { JsonFile } from '../base/json-file.js';
import { faultsOf, type UserEntry } from './user-entry.js';
import { Users } from './users.js';

const VERSION = 1;

/** The users of one server, as they are now. */
export class UserStore {
  readonly #file: JsonFile;
  #users: Users;

  /** @param stateDir absolute path @throws MediaPeerError CONFIG_INVALID where the file is damaged: without it nobody knows whom it let in */
  constructor(stateDir: string) {
    this.#file = new JsonFile({ file: path.join(stateDir, 'users.json'), version: VERSION, what: 'users' });
    const { users = [] } = this.#file.read() ?? {};
    if (!Array.isArray(users)) throw this.#file.unusable('it is damaged');
    const faults = users.flatMap((entry: unknown, i) => faultsOf(entry, `users[${i}]`));
    if (faults.length > 0) throw this.#file.unusable(faults.join('; '));
    this.#users = new Users(users as readonly UserEntry[]);
  }

  /** Those that are there now. */
  get users(): Users {
    return this.#users;
  }

  /** Puts others in their place, once they are written. @throws MediaPeerError STATE_NOT_KEPT; then nothing has changed */
  async replace(entries: readonly UserEntry[]): Promise<void> {
    await this.#file.write({ users: entries });
    this.#users = new Users(entries);
  }
}
