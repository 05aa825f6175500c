/**
 * Sums of counts that are looked at now and then, by labels that may change in between: each look adds what a count has
 * grown by. A count that falls, as a receiver's of lost packets may, adds nothing until it is higher than ever.
 */

type Counts<Name extends string> = Readonly<Record<Name, number>>;

/** Sums by labels. */
export class GrowingSums<Label extends string, Name extends string> {
  readonly #names: readonly Name[];
  readonly #sums = new Map<string, { readonly labels: Readonly<Record<Label, string>>; readonly counts: Record<Name, number> }>();
  /** The highest counts so far, by who counts and what of it. */
  readonly #highest = new Map<string, Map<string, Record<Name, number>>>();

  /** @param names of what is counted */
  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** Looks at counts. @param who counts; `forget` ends it @param part what of it: a stream */
  look(who: string, part: string, labels: Readonly<Record<Label, string>>, counts: Counts<Name>): void {
    const parts = this.#highest.get(who) ?? new Map<string, Record<Name, number>>();
    const highest = parts.get(part) ?? this.#none();
    const sum = this.#sumOf(labels);
    for (const name of this.#names) {
      const growth = counts[name] - highest[name];
      if (!(growth > 0)) continue;
      sum[name] += growth;
      highest[name] = counts[name];
    }
    parts.set(part, highest);
    this.#highest.set(who, parts);
  }

  /** It counts no more; what it has counted stays. */
  forget(who: string): void {
    this.#highest.delete(who);
  }

  /** Labels and value of one of the counts. */
  *of(name: Name): Generator<readonly [Readonly<Record<Label, string>>, number]> {
    for (const { labels, counts } of this.#sums.values()) yield [labels, counts[name]];
  }

  #sumOf(labels: Readonly<Record<Label, string>>): Record<Name, number> {
    const key = JSON.stringify(labels);
    const known = this.#sums.get(key);
    if (known) return known.counts;
    const counts = this.#none();
    this.#sums.set(key, { labels, counts });
    return counts;
  }

  #none(): Record<Name, number> {
    return Object.fromEntries(this.#names.map((name) => [name, 0])) as Record<Name, number>;
  }
}
