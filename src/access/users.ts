/**
 * AUTH_FILE: users with hashed tokens, their rights, sources and addresses. What is secret in it is never repeated: messages say
 * what was expected, and where.
 */
import { createHash } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';
import { LineCounter, parseDocument } from 'yaml';
import { compileRanges, isAddressRange } from '../base/address-ranges.js';
import { MediaPeerError } from '../base/errors.js';
import { nearMiss } from '../base/near-miss.js';
import { GRANTABLE } from './action.js';
import { grantsOf, type Principal } from './principal.js';

const MAX_USERS = 10_000;
const OF_NOTHING = createHash('sha256').digest('hex');
const TokenHash = Type.String({ pattern: '^sha256:[0-9a-fA-F]{64}$' });
const UserSchema = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' }),
  token: Type.Union([TokenHash, Type.Array(TokenHash, { minItems: 1, maxItems: 16 })]),
  actions: Type.Array(Type.Enum([...GRANTABLE, 'all']), { minItems: 1 }),
  sources: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 1000 })),
  addresses: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000 })),
});
type UserEntry = Static<typeof UserSchema>;

/** What each field must be, in words. */
const EXPECTED: Readonly<Record<keyof UserEntry, string>> = {
  name: '1 to 64 of A-Z a-z 0-9 . _ @ -',
  token: 'sha256: and the 64 hex digits that `printf %s TOKEN | sha256sum` prints, or a list of those; never the token itself',
  actions: `a list of ${GRANTABLE.join(', ')}, or all`,
  sources: "a list of names or globs in quotes, such as ['gate-*', yard]",
  addresses: 'a list of IP addresses and CIDRs, such as [10.0.0.0/8]',
};

interface User {
  readonly principal: Principal;
  readonly isAllowedFrom: (ip: string) => boolean;
}

/** The users of one reading of the file. */
export class Users {
  readonly #byDigest: ReadonlyMap<string, User>;

  private constructor(byDigest: ReadonlyMap<string, User>) {
    this.#byDigest = byDigest;
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#byDigest.size;
  }

  /** Whose token that is, if it may come from that address. */
  find(token: string, ip: string): Principal | undefined {
    const user = this.#byDigest.get(createHash('sha256').update(token).digest('hex'));
    return user?.isAllowedFrom(ip) === true ? user.principal : undefined;
  }

  /** @param file its name, for messages @throws MediaPeerError CONFIG_INVALID naming every fault */
  static parse(text: string, file: string): Users {
    const { value, faults } = readYaml(text);
    const entries = faults.length > 0 ? [] : entriesOf(value, faults);
    const byDigest = new Map<string, User>();
    const names = new Set<string>();
    entries.forEach((entry, i) => {
      const own = faultsOf(entry, `users[${i}]`);
      faults.push(...own);
      if (own.length > 0) return;
      const { name, token, actions, sources = ['*'], addresses = [] } = entry as UserEntry;
      if (names.has(name)) faults.push(`users[${i}]: there are two users '${name}'`);
      names.add(name);
      const rights = actions.includes('all') ? GRANTABLE : GRANTABLE.filter((right) => actions.includes(right));
      const isAllowedFrom = addresses.length === 0 ? () => true : compileRanges(addresses);
      const user = { principal: { name, kind: 'user' as const, grants: grantsOf(rights, sources) }, isAllowedFrom };
      for (const digest of [token].flat().map((hash) => hash.slice('sha256:'.length).toLowerCase())) {
        if (digest === OF_NOTHING) faults.push(`users[${i}].token is the hash of an empty text: was the variable set that was hashed?`);
        if (byDigest.has(digest)) faults.push(`users[${i}].token: another user has the same token`);
        byDigest.set(digest, user);
      }
    });
    if (faults.length > 0) throw new MediaPeerError('CONFIG_INVALID', faults.map((fault) => `AUTH_FILE ${file}: ${fault}`).join('\n'));
    return new Users(byDigest);
  }
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

function faultsOf(entry: unknown, where: string): string[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [`${where} is no user: expected name, token and actions`];
  const fields = Object.keys(EXPECTED) as (keyof UserEntry)[];
  const unknown = Object.keys(entry)
    .filter((name) => !(name in EXPECTED))
    .map((name) => {
      const meant = nearMiss(name, fields);
      return `${where} has an unknown field: ${meant === undefined ? `known are ${fields.join(', ')}` : `did you mean ${meant}?`}`;
    });
  const wrong = fields.filter((name) => {
    const value = (entry as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) return name !== 'sources' && name !== 'addresses';
    return !Check(UserSchema.properties[name], value) || (name === 'addresses' && !(value as string[]).every(isAddressRange));
  });
  return [...unknown, ...wrong.map((name) => `${where}.${name} is not ${EXPECTED[name]}`)];
}
