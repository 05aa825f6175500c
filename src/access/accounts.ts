/** All users that there are: those of AUTH_FILE, and those that the API manages. Where both have one of a name, AUTH_FILE's counts. */
import { createHmac, randomBytes } from 'node:crypto';
import type { AuthFile } from './auth-file.js';
import type { UserStore } from './user-store.js';
import type { User } from './users.js';

/** Where a user is written down. */
export type UserOrigin = 'file' | 'api';

/** Users of both kinds. */
export class Accounts {
  readonly #file: AuthFile | undefined;
  readonly #store: Pick<UserStore, 'users'>;
  readonly #decoyKey = randomBytes(32);

  constructor(file: AuthFile | undefined, store: Pick<UserStore, 'users'>) {
    this.#file = file;
    this.#store = store;
  }

  /** False where nobody is named. A file counts without users, too: whoever names one wants to be closed. */
  get isConfigured(): boolean {
    return this.#file !== undefined || this.#store.users.size > 0;
  }

  /** All of them, by name. */
  all(): { readonly user: User; readonly origin: UserOrigin }[] {
    const ofFile = (this.#file?.users.all() ?? []).map((user) => ({ user, origin: 'file' as const }));
    const own = this.#store.users.all().filter(({ entry: { name } }) => !this.isOfFile(name));
    return [...ofFile, ...own.map((user) => ({ user, origin: 'api' as const }))].sort((a, b) =>
      a.user.entry.name < b.user.entry.name ? -1 : 1,
    );
  }

  /** Whether AUTH_FILE names one so. */
  isOfFile(name: string): boolean {
    return this.#file?.users.named(name) !== undefined;
  }

  /** The user of that name. */
  named(name: string): User | undefined {
    return this.#file?.users.named(name) ?? this.#store.users.named(name);
  }

  /**
   * Hash of a password whose costs one takes that does not exist: that of some user, always the same one for a name, so that how
   * long it takes tells nothing of who there is. Undefined where nobody has a password.
   */
  decoyFor(name: string): string | undefined {
    const hashes = this.all().flatMap(({ user }) => user.entry.password ?? []);
    return hashes[createHmac('sha256', this.#decoyKey).update(name).digest().readUInt32BE() % hashes.length];
  }

  /** Whose token that is. */
  withToken(token: string): User | undefined {
    const own = this.#store.users.withToken(token);
    return this.#file?.users.withToken(token) ?? (own && !this.isOfFile(own.entry.name) ? own : undefined);
  }
}
