/** How many of something there are by their labels, counted for each scrape: a sample for each combination, however many there are of it. */
import type { Sample } from './metric.js';

/** Counts by labels. */
export class LabelCounts<Label extends string> {
  readonly #names: readonly Label[];
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<Label, string>>; count: number }>();

  constructor(...names: readonly Label[]) {
    this.#names = names;
  }

  /** Begins anew. */
  clear(): void {
    this.#counts.clear();
  }

  /** One more. @param values of the labels, in their order */
  add(...values: readonly string[]): void {
    const key = values.join('\0');
    const known = this.#counts.get(key);
    if (known) known.count++;
    else this.#counts.set(key, { labels: this.#labelsOf(values), count: 1 });
  }

  /** Labels and count of each combination. */
  samples(): Sample<Label>[] {
    return [...this.#counts.values()].map(({ labels, count }) => [labels, count]);
  }

  #labelsOf(values: readonly string[]): Readonly<Record<Label, string>> {
    return Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? ''])) as Record<Label, string>;
  }
}
