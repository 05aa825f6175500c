/** File names as ids: what clients ask for, safe in addresses, logs and file names. */

const MAX_ID_CHARS = 64;

/**
 * An id of `[A-Za-z0-9._-]{1,64}` for each name: the name without its extension where nobody else wants that,
 * then with it, then with a number. Names in `kept` have their id already. The order of the names has no effect.
 */
export function assignIds(names: readonly string[], kept: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const stem = (name: string): string => sanitised(name.replace(/(?<=.)\.[^.]*$/, ''));
  const wishes = new Map<string, number>();
  for (const name of names) wishes.set(stem(name), (wishes.get(stem(name)) ?? 0) + 1);
  const isUndisputed = (name: string): boolean => wishes.get(stem(name)) === 1;
  const ids = new Map(names.flatMap((name) => (kept.has(name) ? [[name, kept.get(name) as string] as const] : [])));
  const taken = new Set(ids.values());
  const assign = (name: string, wish: string): void => {
    const id = firstFree(wish, taken);
    taken.add(id);
    ids.set(name, id);
  };
  const open = [...names].filter((name) => !ids.has(name)).sort();
  // Undisputed names first, so that nobody else's second choice takes theirs.
  for (const name of open.filter(isUndisputed)) assign(name, stem(name));
  for (const name of open.filter((other) => !isUndisputed(other))) assign(name, sanitised(name));
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
