/** Logins as browsers keep them: what is sealed in a cookie or an address, and read again. Shapes only. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';

/** How somebody has shown who they are: by a token, or by a password, of which a stamp is enough. */
const Credential = Type.Union([Type.Object({ token: Type.String() }), Type.Object({ user: Type.String(), stamp: Type.String() })]);
/** How somebody has shown who they are. */
export type Credential = Static<typeof Credential>;

const Login = Type.Object({
  id: Type.String(),
  from_s: Type.Number(),
  until_s: Type.Number(),
  credential: Credential,
});
/** Somebody who has logged in. Times in seconds of Unix time. */
export type Login = Static<typeof Login>;

const Signed = Type.Object({
  path: Type.String(),
  until_s: Type.Number(),
  credential: Credential,
  login: Type.Optional(Type.Pick(Login, ['id', 'from_s', 'until_s'])),
});
/** An address that somebody may pass on for a minute; it ends with the login by which it was signed. */
export type Signed = Static<typeof Signed>;

/** What was opened, as a login; undefined for what is none. */
export function asLogin(value: unknown): Login | undefined {
  return Check(Login, value) ? value : undefined;
}

/** What was opened, as a signed address; undefined for what is none. */
export function asSigned(value: unknown): Signed | undefined {
  return Check(Signed, value) ? value : undefined;
}
