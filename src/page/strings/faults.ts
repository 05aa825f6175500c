/** Errors in words for a person: by their code where there is a text for it, else as the server says. */
import type { RequestError } from '../api/request.js';
import { words } from './index.js';

/** One sentence or two. @param error anything that was thrown */
export function faultText(error: unknown): string {
  if (!isCoded(error)) return String(error);
  const known = words.value.faults[error.code];
  if (known === undefined) return sentence(error.message);
  // What the server names beyond the code stays of use.
  const { status } = error as Partial<RequestError>;
  return status === 403 || status === 429 ? `${known} ${sentence(error.message)}` : known;
}

/** Requests of the page and commands of the client library are refused with the same codes. */
function isCoded(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;
}
