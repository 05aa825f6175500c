/**
 * `${NAME}` in SOURCES_FILE becomes what the environment holds. In the user name, the password and the query of a
 * URL it is percent-encoded, so a password may be anything; elsewhere it is taken as it is.
 */

import { fieldFault, type EntryFault } from './entry-fault.js';

/** Where values come from, and where faults and secrets go. */
export interface Expansion {
  /** The environment. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** What is wrong is added here. */
  readonly faults: EntryFault[];
  /** What may not be shown to anybody: every value that was put in. */
  readonly secrets: Set<string>;
}

const REFERENCE = /\$\{([^}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The text with all its values; undefined, and a fault each, where one is missing. @param field for messages. */
export function expand(template: string, field: string, expansion: Expansion): string | undefined {
  const values = new Map([...template.matchAll(REFERENCE)].map(([, name = '']) => [name, valueOf(name, field, expansion)]));
  if ([...values.values()].includes(undefined)) return undefined;
  return template.replace(REFERENCE, (_reference, name: string, at: number) => {
    const value = values.get(name) ?? '';
    expansion.secrets.add(value);
    return (field === 'url' || field === 'low_url') && isEncodedAt(template, at) ? strictlyEncoded(value) : value;
  });
}

function valueOf(name: string, field: string, { variables, faults }: Expansion): string | undefined {
  if (!NAME.test(name)) {
    faults.push(fieldFault(field, 'variable', '${...} expects the name of an environment variable'));
    return undefined;
  }
  const value = variables[name];
  if (value === undefined || value === '') faults.push(fieldFault(field, 'variable', `the environment variable ${name} is not set`));
  else if (/[\x00-\x1f\x7f]/.test(value))
    faults.push(fieldFault(field, 'variable', `the environment variable ${name} holds control characters`));
  else return value;
  return undefined;
}

/** In front of the `@` of the authority, or behind the `?`. */
function isEncodedAt(template: string, at: number): boolean {
  const userInfoEnds = /^[a-z]+:\/\/[^/?#]*@/i.exec(template)?.[0].length ?? 0;
  const query = template.indexOf('?');
  return at < userInfoEnds || (query >= 0 && at > query);
}

function strictlyEncoded(value: string): string {
  return encodeURIComponent(Buffer.from(value).toString()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
