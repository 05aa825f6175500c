/** Changes of the users that the API manages: what may be changed, and that somebody is left who may change it back. */
import { createHash, randomBytes } from 'node:crypto';
import { MediaPeerError } from '../base/errors.js';
import { Turns } from '../base/turns.js';
import type { Accounts, UserOrigin } from './accounts.js';
import type { Passwords } from './passwords.js';
import { may } from './principal.js';
import type { UserEntry } from './user-entry.js';
import type { UserStore } from './user-store.js';
import { hashToken, Users, type User } from './users.js';

const MAX_USERS = 10_000;
const TOKEN_BYTES = 32;

/** A user as it is shown: without anything by which somebody could become it. */
export interface ShownUser {
  /** 1 to 64 of `A-Z a-z 0-9 . _ @ -`. */
  readonly name: string;
  /** `file`: of AUTH_FILE, which is changed there. */
  readonly origin: UserOrigin;
  /** Rights; `all`: every one. */
  readonly actions: UserEntry['actions'];
  /** Names and globs. */
  readonly sources: readonly string[];
  /** Empty: from anywhere. */
  readonly addresses: readonly string[];
  /** True for one who may log in by a password. */
  readonly hasPassword: boolean;
  /** True for one who has a token. */
  readonly hasToken: boolean;
  /** Another one with each change. */
  readonly version: string;
}

/** What a user is to be. */
export interface UserChange {
  /** Rights; `all`: every one. */
  readonly actions: UserEntry['actions'];
  /** Default: all. */
  readonly sources?: readonly string[];
  /** Default: from anywhere. */
  readonly addresses?: readonly string[];
  /** Null: none any more. Default: as before. */
  readonly password?: string | null;
  /** `new`: another one. Null: none any more. Default: as before. */
  readonly token?: 'new' | null;
}

/** What must hold of the user as it is, for a change to be made. @throws MediaPeerError PRECONDITION_FAILED */
export type Precondition = (before: ShownUser | undefined) => void;

/** What a change has made. */
export interface ChangedUser {
  /** As it is now. */
  readonly user: ShownUser;
  /** The new token, which is shown this once. */
  readonly token: string | undefined;
  /** False for one that was there before. */
  readonly isNew: boolean;
}

/** What a manager needs. */
export interface UserManagerInit {
  /** Those that are managed. */
  readonly store: UserStore;
  /** Those of AUTH_FILE with them. */
  readonly accounts: Accounts;
  /** Hashes new ones. */
  readonly passwords: Passwords;
  /** Whether somebody else than a user may administer everything, by the configuration. */
  readonly hasOtherAdmin: () => boolean;
  /** Called after each change. */
  readonly onChanged: () => void;
}

/** Reads and changes users. */
export class UserManager {
  readonly #init: UserManagerInit;
  readonly #turns = new Turns({ atOnce: 1, what: 'changes of users' });

  constructor(init: UserManagerInit) {
    this.#init = init;
  }

  /** All users, by name. */
  list(): ShownUser[] {
    return this.#init.accounts.all().map(({ user, origin }) => shown(user, origin));
  }

  /** @throws MediaPeerError USER_NOT_FOUND */
  get(name: string): ShownUser {
    const user = this.#find(name);
    if (!user) throw notFound(name);
    return user;
  }

  /**
   * Makes a user, or changes one.
   * @throws MediaPeerError USER_READ_ONLY, USER_INVALID where neither password nor token would be left, LAST_ADMIN, what `precondition` throws,
   *   CAPACITY_REACHED, STATE_NOT_KEPT; then nothing has changed
   */
  async put(name: string, change: UserChange, precondition: Precondition): Promise<ChangedUser> {
    this.#refuseFile(name);
    const password = typeof change.password === 'string' ? await this.#init.passwords.hash(change.password) : change.password;
    return this.#turns.run(async () => {
      this.#refuseFile(name);
      precondition(this.#find(name));
      const before = this.#init.store.users.named(name)?.entry;
      const token = change.token === 'new' ? randomBytes(TOKEN_BYTES).toString('base64url') : undefined;
      const entry = entryOf(name, change, {
        password: password === undefined ? before?.password : (password ?? undefined),
        token: token === undefined ? (change.token === null ? undefined : before?.token) : hashToken(token),
      });
      await this.#replace([...this.#others(name), entry]);
      return { user: this.get(name), token, isNew: before === undefined };
    });
  }

  /** Removes a user; what goes on by its rights ends. @throws MediaPeerError USER_NOT_FOUND, USER_READ_ONLY, LAST_ADMIN, STATE_NOT_KEPT, what `precondition` throws */
  remove(name: string, precondition: Precondition): Promise<void> {
    return this.#turns.run(async () => {
      this.#refuseFile(name);
      const before = this.get(name);
      precondition(before);
      await this.#replace(this.#others(name));
    });
  }

  #find(name: string): ShownUser | undefined {
    const { accounts } = this.#init;
    const user = accounts.named(name);
    return user && shown(user, accounts.isOfFile(name) ? 'file' : 'api');
  }

  #others(name: string): UserEntry[] {
    return this.#init.store.users
      .all()
      .map(({ entry }) => entry)
      .filter((entry) => entry.name !== name);
  }

  #refuseFile(name: string): void {
    if (this.#init.accounts.isOfFile(name))
      throw new MediaPeerError('USER_READ_ONLY', `user '${name}' is one of AUTH_FILE: change it there; it counts within 2 s`);
  }

  async #replace(entries: readonly UserEntry[]): Promise<void> {
    const { store, accounts, hasOtherAdmin, onChanged } = this.#init;
    if (entries.length > MAX_USERS) throw new MediaPeerError('USER_INVALID', `there are ${MAX_USERS} users already, which is the most`);
    const ofFile = accounts.all().filter(({ origin }) => origin === 'file');
    const left = [...ofFile.map(({ user }) => user), ...new Users(entries).all()];
    if (!hasOtherAdmin() && !left.some(({ principal }) => may(principal, 'admin', 'every')))
      throw new MediaPeerError(
        'LAST_ADMIN',
        'nobody would be left who may administer this server: give another user all or admin for every source before, or set ADMIN_TOKEN',
      );
    await store.replace(entries);
    onChanged();
  }
}

function entryOf(
  name: string,
  { actions, sources, addresses }: UserChange,
  { password, token }: { readonly [Field in 'password' | 'token']: UserEntry[Field] | undefined },
): UserEntry {
  if (password === undefined && token === undefined)
    throw new MediaPeerError('USER_INVALID', `user '${name}' would have neither password nor token: send "password", or "token": "new"`, {
      facts: { faults: [{ path: '/password', code: 'required' }] },
    });
  return {
    name,
    ...(token !== undefined && { token }),
    ...(password !== undefined && { password }),
    actions,
    ...(sources && { sources: [...sources] }),
    ...(addresses && addresses.length > 0 && { addresses: [...addresses] }),
  };
}

function shown({ entry }: User, origin: UserOrigin): ShownUser {
  const { name, actions, sources = ['*'], addresses = [], password, token } = entry;
  return {
    name,
    origin,
    actions,
    sources,
    addresses,
    hasPassword: password !== undefined,
    hasToken: token !== undefined,
    version: createHash('sha256').update(JSON.stringify(entry)).digest('base64url').slice(0, 16),
  };
}

function notFound(name: string): MediaPeerError {
  return new MediaPeerError('USER_NOT_FOUND', `no user '${name.slice(0, 80)}'; GET /users lists them`);
}
