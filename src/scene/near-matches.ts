/** What somebody may have meant by a word that is not in the list. */

/** The words of the list that are at most two slips of the pen away, or contain it, nearest first; at most three. */
export function nearMatches(word: string, list: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  return list
    .map((candidate) => ({ candidate, slips: candidate.toLowerCase().includes(wanted) ? 1 : editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, slips }) => slips <= 2 && slips < candidate.length)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Insertions, deletions and replacements that make one word the other (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
