/**
 * File names as ids: what clients ask for, safe in addresses, logs and file names. An id belongs to a name: zones, models
 * and bookmarks hang on it, so it must be the same after a restart, whatever else is in the folder then. It is
 * therefore made of the name alone where nobody else has it; who had it first keeps it, also over restarts (the
 * library remembers), and a name that loses letters in its id carries a hash of the whole name.
 */
import { createHash } from 'node:crypto';

const MAX_ID_CHARS = 64;
const HASH_CHARS = 8;

/**
 * An id of `[A-Za-z0-9._-]{1,64}` for each name, no two the same. Names in `kept` have their id already, those that are not
 * among `names` too: they may come back. The order of the names has no effect.
 */
export function assignIds(names: readonly string[], kept: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const ids = new Map(names.flatMap((name) => (kept.has(name) ? [[name, kept.get(name) as string] as const] : [])));
  const taken = new Set(kept.values());
  for (const name of names.filter((one) => !ids.has(one)).sort(byClaim)) {
    const id = wishes(name).find((wish) => !taken.has(wish)) ?? hashed(sanitised(name), `${name}\n`);
    taken.add(id);
    ids.set(name, id);
  }
  return ids;
}

/** Ids for a name, the best first. */
function wishes(name: string): string[] {
  const base = stem(name);
  if (losesLetters(base)) return [hashed(sanitised(base), name)];
  return [sanitised(base), sanitised(name), hashed(sanitised(name), name)];
}

/** Of names that want the same id, the one that is written like it comes first, and an MP4 before other files. */
function byClaim(a: string, b: string): number {
  const claim = (name: string): number => (sanitised(stem(name)) === stem(name) ? 0 : 2) + (/\.mp4$/i.test(name) ? 0 : 1);
  return claim(a) - claim(b) || (a < b ? -1 : 1);
}

/** Without its extension. */
function stem(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, '');
}

/** Other characters become `_`; a name that leaves nothing, or only dots, gets an ordinary one. */
function sanitised(name: string): string {
  const id = withoutAccents(name)
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .slice(0, MAX_ID_CHARS);
  return /^\.*$/.test(id) ? 'video' : id;
}

/** True where an id would leave out letters, digits, or symbols that tell names apart: other scripts, emoji, very long names. */
function losesLetters(base: string): boolean {
  const plain = withoutAccents(base);
  return plain.length > MAX_ID_CHARS || /^\.*$/.test(plain) || /[^\p{ASCII}\p{P}\p{Z}\p{C}]/u.test(plain);
}

function withoutAccents(name: string): string {
  return name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
}

/** The same for a name as one system and as another one writes its accents. */
function hashed(base: string, name: string): string {
  const hash = createHash('sha256').update(name.normalize('NFC')).digest('hex').slice(0, HASH_CHARS);
  return `${base.slice(0, MAX_ID_CHARS - HASH_CHARS - 1).replace(/^_+|_+$/g, '') || 'video'}-${hash}`;
}
