/** What is written down of one user, in AUTH_FILE and in the file of those that the API manages. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';
import { isAddressRange } from '../base/address-ranges.js';
import { nearMiss } from '../base/near-miss.js';
import { GRANTABLE } from './action.js';
import { isPasswordHash } from './passwords.js';

/** What a user may be called, as a pattern. */
export const USER_NAME = '^[A-Za-z0-9._@-]{1,64}$';
const TokenHash = Type.String({ pattern: '^sha256:[0-9a-fA-F]{64}$' });

/** Rights, as they are written. */
export const UserActions = Type.Array(Type.Enum([...GRANTABLE, 'all']), { minItems: 1, maxItems: 16 });
/** Names and globs of sources. */
export const UserSources = Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 1000 });
const UserAddresses = Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 1000 });

const UserSchema = Type.Object({
  name: Type.String({ pattern: USER_NAME }),
  token: Type.Optional(Type.Union([TokenHash, Type.Array(TokenHash, { minItems: 1, maxItems: 16 })])),
  password: Type.Optional(Type.String({ maxLength: 256 })),
  actions: UserActions,
  sources: Type.Optional(UserSources),
  addresses: Type.Optional(UserAddresses),
});

/** A user as it is written down. */
export type UserEntry = Static<typeof UserSchema>;

/** What each field must be, in words. */
const EXPECTED: Readonly<Record<keyof UserEntry, string>> = {
  name: '1 to 64 of A-Z a-z 0-9 . _ @ -',
  token: 'sha256: and the 64 hex digits that `printf %s TOKEN | sha256sum` prints, or a list of those; never the token itself',
  password: 'scrypt$N$r$p$salt$hash as `sightline hash-password` prints it; never the password itself',
  actions: `a list of ${GRANTABLE.join(', ')}, or all`,
  sources: "a list of names or globs in quotes, such as ['gate-*', yard]",
  addresses: 'a list of IP addresses and CIDRs, such as [10.0.0.0/8]',
};
const NEEDED: readonly string[] = ['name', 'actions'];

/** What is wrong with an entry; nothing where it is a `UserEntry`. What it holds is not repeated. @param where it stands, for messages */
export function faultsOf(entry: unknown, where: string): string[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return [`${where} is no user: expected name, actions, and token or password`];
  const given = entry as Readonly<Record<string, unknown>>;
  const fields = Object.keys(EXPECTED) as (keyof UserEntry)[];
  const unknown = Object.keys(given)
    .filter((name) => !(name in EXPECTED))
    .map((name) => {
      const meant = nearMiss(name, fields);
      return `${where} has an unknown field: ${meant === undefined ? `known are ${fields.join(', ')}` : `did you mean ${meant}?`}`;
    });
  const wrong = fields.filter((name) => (given[name] === undefined ? NEEDED.includes(name) : !isSound(name, given[name])));
  const lacks = given['token'] === undefined && given['password'] === undefined;
  return [
    ...unknown,
    ...wrong.map((name) => `${where}.${name} is not ${EXPECTED[name]}`),
    ...(lacks ? [`${where}.token is not there, and neither is password; one is needed: ${EXPECTED.token}`] : []),
  ];
}

function isSound(name: keyof UserEntry, value: unknown): boolean {
  if (!Check(UserSchema.properties[name], value)) return false;
  if (name === 'password') return isPasswordHash(value as string);
  return name !== 'addresses' || (value as string[]).every(isAddressRange);
}
