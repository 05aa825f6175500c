/** Which name of a short list was meant: of commands and options, where no other word is right. */
import { editDistance, nearMiss } from '../base/near-miss.js';

/** As `nearMiss`, and one slip also in short names: `chek` is check. Undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  return nearMiss(name, known) ?? (name.length < 3 ? undefined : known.find((candidate) => editDistance(name, candidate) === 1));
}
