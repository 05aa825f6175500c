/** What a command line tool says of an option that it does not know. */
import { messageOf } from '../base/errors.js';
import { nearest } from './nearest.js';

/** Node's message, with the option of the usage text that was perhaps meant instead of its advice on arguments that begin with a dash. */
export function wrongUsage(error: unknown, usage: string): string {
  const message = messageOf(error);
  const unknown = /^Unknown option '--?([^'=]+)/.exec(message)?.[1];
  if (unknown === undefined) return message;
  const known = [...new Set([...usage.matchAll(/--([a-z][a-z-]*)/g)].map(([, name]) => name ?? ''))];
  const meant = nearest(unknown, known);
  return `unknown option '--${unknown}'${meant === undefined ? '' : `: did you mean --${meant}?`}`;
}
