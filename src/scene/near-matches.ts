/** What somebody may have meant by a word that is not in the list. */
import { editDistance } from '../base/near-miss.js';

/** The words of the list that are at most two slips of the pen away, or contain it, nearest first; at most three. */
export function nearMatches(word: string, list: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  return list
    .map((candidate) => ({
      candidate,
      slips: candidate.toLowerCase().includes(wanted) ? 1 : editDistance(wanted, candidate.toLowerCase()),
    }))
    .filter(({ candidate, slips }) => slips <= 2 && slips < candidate.length)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
