/** Errors in words for a person: by their code where there is a text for it, else as the server says. */
import { RequestError } from '../api/request.js';
import { words } from './index.js';

/** One sentence or two. @param error anything that was thrown */
export function faultText(error: unknown): string {
  if (!(error instanceof RequestError)) return String(error);
  const known = words.value.faults[error.code];
  if (known === undefined) return sentence(error.message);
  // What the server names beyond the code stays of use.
  return error.status === 403 || error.status === 429 ? `${known} ${sentence(error.message)}` : known;
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;
}
