/** File names as ids: what clients ask for, safe in addresses, logs and file names. */

const MAX_ID_CHARS = 64;

/**
 * An id of `[A-Za-z0-9._-]{1,64}` for each name: the name without its extension where that is free, then with
 * it, then with a number. The same names get the same ids, in whatever order they come.
 */
export function assignIds(names: readonly string[]): Map<string, string> {
  const sorted = [...names].sort();
  const stems = new Map(sorted.map((name) => [name, sanitised(name.replace(/(?<=.)\.[^.]*$/, ''))]));
  const uses = new Map<string, number>();
  for (const stem of stems.values()) uses.set(stem, (uses.get(stem) ?? 0) + 1);
  const ids = new Map<string, string>();
  // Undisputed names first, so that nobody else's second choice takes them.
  const taken = new Set([...stems.values()].filter((stem) => uses.get(stem) === 1));
  for (const name of sorted) {
    const stem = stems.get(name) as string;
    const id = uses.get(stem) === 1 ? stem : firstFree(sanitised(name), taken);
    taken.add(id);
    ids.set(name, id);
  }
  return ids;
}

function firstFree(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) {
    const suffix = `-${n}`;
    const id = wanted.slice(0, MAX_ID_CHARS - suffix.length) + suffix;
    if (!taken.has(id)) return id;
  }
}

/** Other characters become `_`; a name that leaves nothing, or only dots, gets an ordinary one. */
function sanitised(name: string): string {
  const id = name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, MAX_ID_CHARS);
  return /^\.*$/.test(id) ? 'video' : id;
}
