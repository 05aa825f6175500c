/**
 * Users with their rights, sources and addresses, and how they show who they are: by a token or a password, of which hashes are
 * kept. What is secret is never repeated: messages say what was expected, and where.
 */
import { createHash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import { compileRanges } from '../base/address-ranges.js';
import { MediaPeerError } from '../base/errors.js';
import { fingerprint } from '../base/secret.js';
import { GRANTABLE } from './action.js';
import { grantsOf, type Principal } from './principal.js';
import { faultsOf, type UserEntry } from './user-entry.js';

const MAX_USERS = 10_000;
const OF_NOTHING = createHash('sha256').digest('hex');

/** One user. */
export interface User {
  /** As it is written down. */
  readonly entry: UserEntry;
  /** Who that is, and what they may do. */
  readonly principal: Principal;
  /** Whether they may come from that IP address. */
  readonly isAllowedFrom: (ip: string) => boolean;
  /** Another one as soon as the password is; undefined where there is none. */
  readonly passwordStamp: string | undefined;
}

/** Users, as they were written down at one time. */
export class Users {
  readonly #byDigest = new Map<string, User>();
  readonly #byName = new Map<string, User>();

  /** @param entries without faults; of two with one name or token the first counts */
  constructor(entries: readonly UserEntry[]) {
    for (const entry of entries) {
      const user = userOf(entry);
      if (this.#byName.has(entry.name)) continue;
      this.#byName.set(entry.name, user);
      for (const digest of digestsOf(entry)) if (!this.#byDigest.has(digest)) this.#byDigest.set(digest, user);
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#byName.size;
  }

  /** All of them, in the order in which they are written down. */
  all(): User[] {
    return [...this.#byName.values()];
  }

  /** The user of that name. */
  named(name: string): User | undefined {
    return this.#byName.get(name);
  }

  /** Whose token that is, wherever it comes from. */
  withToken(token: string): User | undefined {
    return this.#byDigest.get(digest(token));
  }

  /** @param file its name, for messages @throws MediaPeerError CONFIG_INVALID naming every fault */
  static parse(text: string, file: string): Users {
    const { value, faults } = readYaml(text);
    const entries = faults.length > 0 ? [] : entriesOf(value, faults);
    const digests = new Set<string>();
    const names = new Set<string>();
    entries.forEach((entry, i) => {
      const own = faultsOf(entry, `users[${i}]`);
      faults.push(...own);
      if (own.length > 0) return;
      const { name } = entry as UserEntry;
      if (names.has(name)) faults.push(`users[${i}]: there are two users '${name}'`);
      names.add(name);
      for (const digest of digestsOf(entry as UserEntry)) {
        if (digest === OF_NOTHING) faults.push(`users[${i}].token is the hash of an empty text: was the variable set that was hashed?`);
        if (digests.has(digest)) faults.push(`users[${i}].token: another user has the same token`);
        digests.add(digest);
      }
    });
    if (faults.length > 0) throw new MediaPeerError('CONFIG_INVALID', faults.map((fault) => `AUTH_FILE ${file}: ${fault}`).join('\n'));
    return new Users(entries as readonly UserEntry[]);
  }
}

function userOf(entry: UserEntry): User {
  const { name, actions, sources = ['*'], addresses = [], password } = entry;
  const rights = actions.includes('all') ? GRANTABLE : GRANTABLE.filter((right) => actions.includes(right));
  return {
    entry,
    principal: { name, kind: 'user', grants: grantsOf(rights, sources) },
    isAllowedFrom: addresses.length === 0 ? () => true : compileRanges(addresses),
    passwordStamp: password === undefined ? undefined : fingerprint(password),
  };
}

/** What is kept of a token: `sha256:` and 64 hex digits. */
export function hashToken(token: string): string {
  return `sha256:${digest(token)}`;
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Hashes of the tokens, in lower-case hex digits. */
function digestsOf({ token = [] }: UserEntry): string[] {
  return [token].flat().map((hash) => hash.slice('sha256:'.length).toLowerCase());
}

function readYaml(text: string): { readonly value: unknown; readonly faults: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  // The text around a fault may be a secret.
  const faults = document.errors.map(({ code, pos }) => `line ${lines.linePos(pos[0]).line} is no YAML (${code})`);
  if (faults.length > 0) return { value: undefined, faults };
  try {
    return { value: document.toJS({ maxAliasCount: 0 }), faults };
  } catch {
    return { value: undefined, faults: ['aliases (*name) are not taken'] };
  }
}

function entriesOf(value: unknown, faults: string[]): readonly unknown[] {
  const { users, ...others } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (Array.isArray(users) && users.length <= MAX_USERS && Object.keys(others).length === 0) return users;
  faults.push(`expected \`users:\` alone, with a list of at most ${MAX_USERS} users`);
  return [];
}
