/** Globs over the names of sources: `*` is any text, `?` any one character, everything else is itself. */

/** Whether a glob fits a name as a whole. Takes at most glob × name steps, whatever they hold. */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let next = 0;
  /** Where to go on after the newest `*` when what follows it does not fit. */
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (glob[next] === '*') {
      star = next++;
      resume = at;
    } else if (next < glob.length && (glob[next] === '?' || glob[next] === name[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++resume;
    } else return false;
  }
  while (glob[next] === '*') next++;
  return next === glob.length;
}
