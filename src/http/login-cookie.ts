/** The cookie of a login (RFC 6265): read from a request, and written into an answer. Which one it is, and what it holds, `access/` says. */

/** How a cookie is kept. */
export interface CookieInit {
  /** Name of the cookie. */
  readonly name: string;
  /** A-Z a-z 0-9 _ - alone. */
  readonly value: string;
  /** Seconds; 0 takes it away. */
  readonly maxAgeS: number;
  /** Only for https. */
  readonly isSecure: boolean;
}

/**
 * The value of a cookie; undefined where there is none, or more than one: then one of them was set by somebody else, and which
 * one nobody can tell.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

/** `Set-Cookie`: no script reads it, and no page of another site sends it. */
export function setCookie({ name, value, maxAgeS, isSecure }: CookieInit): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
