/** Entity tags of sessions (RFC 9110 §8.8.3): which ICE generation a PATCH is meant for. */

/** What `If-Match` (RFC 9110 §13.1.1) says about a tag. */
export type TagMatch = 'absent' | 'any' | 'same' | 'other';

/** A strong entity tag. */
export function entityTag(tag: string): string {
  return `"${tag}"`;
}

/** Takes `"*"` for `*`, as RFC 9725 writes it, and tags whose quotes were lost; weak ones never match. */
export function matchTag(ifMatch: string | undefined, tag: string): TagMatch {
  if (ifMatch === undefined || ifMatch.trim() === '') return 'absent';
  const tags = ifMatch.split(',').map((part) => part.trim().replace(/^"(.*)"$/, '$1'));
  if (tags.includes('*')) return 'any';
  return tags.includes(tag) ? 'same' : 'other';
}
