/** Why an HTTP request has failed, in words. */
import { messageOf } from './errors.js';

/** `fetch failed` says nothing; its cause does. */
export function fetchFailure(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (!(cause instanceof Error)) return messageOf(error);
  return cause.message !== '' ? cause.message : 'code' in cause ? String(cause.code) : cause.name;
}
