/** Entity tags (RFC 9110 §8.8.3): which ICE generation a PATCH is meant for, which picture a client has. */

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

/** Whether the client has what that tag names, quotes included, already (RFC 9110 §13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  return (
    ifNoneMatch !== undefined && ifNoneMatch.split(',').some((known) => known.trim() === '*' || known.trim().replace(/^W\//, '') === tag)
  );
}
