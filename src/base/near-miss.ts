/** Which known name was meant by one that is not known: slips of the pen, not other words. */

/**
 * The nearest of `known`, or undefined where none is near. Case, `_`, `-` and blanks do not count. Two slips at most (a letter
 * too many, too few, wrong, or two swapped), one where either name has five or six letters; names of up to four letters may only have
 * two letters swapped, because PORTS, POST and HOSTS are words of their own. Seven letters or more that only one known name
 * begins with mean that one.
 */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const bare = plain(name);
  const near = known
    .map((candidate) => ({ candidate, slips: slips(bare, plain(candidate)) }))
    .filter(({ slips: count }) => count !== undefined)
    .sort((left, right) => (left.slips ?? 0) - (right.slips ?? 0));
  if (near[0]) return near[0].candidate;
  const longer = bare.length >= 7 ? known.filter((candidate) => plain(candidate).startsWith(bare)) : [];
  return longer.length === 1 ? longer[0] : undefined;
}

function plain(name: string): string {
  return name.toUpperCase().replace(/[_\-\s.]/g, '');
}

/** Undefined where they are too many to be slips. */
function slips(left: string, right: string): number | undefined {
  const shorter = Math.min(left.length, right.length);
  if (shorter <= 4) return left === right ? 0 : isSwap(left, right) ? 1 : undefined;
  const count = editDistance(left, right);
  return count <= (shorter <= 6 ? 1 : 2) ? count : undefined;
}

function isSwap(left: string, right: string): boolean {
  const sorted = (text: string): string => Array.from(text).sort().join('');
  return sorted(left) === sorted(right) && editDistance(left, right) === 1;
}

/** Letters to insert, delete or replace, or neighbours to swap, that make one word the other (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, j) => j);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const swapped = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1] ? (beforeLast[j - 2] ?? Infinity) + 1 : Infinity;
      row[j] = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, swapped);
    }
    [beforeLast, last] = [last, row];
  }
  return last[right.length] ?? 0;
}

/** Members and their names that are looked at: what a stranger sends may have any number of any length. */
const [MAX_MEMBERS, MAX_MEMBER_CHARS] = [64, 64];

/** The first member of an object that is not known but nearly is, with the one that was meant; undefined where there is none. */
export function misspeltMember(object: object, known: readonly string[]): { readonly name: string; readonly meant: string } | undefined {
  for (const name of Object.keys(object).slice(0, MAX_MEMBERS)) {
    const meant = known.includes(name) || name.length > MAX_MEMBER_CHARS ? undefined : nearMiss(name, known);
    if (meant !== undefined && !(meant in object)) return { name, meant };
  }
  return undefined;
}
