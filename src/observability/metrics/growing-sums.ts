/**
 * Sums of counts that are looked at now and then, by labels that may change in between: each look adds what a count has
 * grown by. A count that falls, as a receiver's of lost packets may, adds nothing until it is higher than ever. Hundreds are
 * looked at in a row: what is known of each is kept, so that a look makes nothing.
 */

type Counts<Name extends string> = Readonly<Partial<Record<Name, number>>>;
type Labels<Label extends string> = Readonly<Record<Label, string>>;

interface Sum<Label extends string, Name extends string> {
  readonly labels: Labels<Label>;
  readonly counts: Record<Name, number>;
}

/** What somebody counts. */
interface Part<Label extends string, Name extends string> {
  /** The highest counts so far. */
  readonly highest: Record<Name, number>;
  /** What it was added to last. */
  sum: Sum<Label, Name>;
}

/** Sums by labels. */
export class GrowingSums<Label extends string, Name extends string> {
  readonly #labelNames: readonly Label[];
  readonly #names: readonly Name[];
  readonly #sums: Sum<Label, Name>[] = [];
  /** By who counts, each by its number. */
  readonly #parts = new Map<string, Part<Label, Name>[]>();

  /** @param names of what is counted */
  constructor(labelNames: readonly Label[], names: readonly Name[]) {
    this.#labelNames = labelNames;
    this.#names = names;
  }

  /** Looks at counts. @param who counts; `forget` ends it @param part which of its streams, from 0 on */
  look(who: string, part: number, labels: Labels<Label>, counts: Counts<Name>): void {
    let parts = this.#parts.get(who);
    if (!parts) this.#parts.set(who, (parts = []));
    const known = (parts[part] ??= { highest: this.#none(), sum: this.#sumOf(labels) });
    if (!this.#areOf(known.sum, labels)) known.sum = this.#sumOf(labels);
    const { highest, sum } = known;
    for (const name of this.#names) {
      const growth = (counts[name] ?? 0) - highest[name];
      if (!(growth > 0)) continue;
      sum.counts[name] += growth;
      highest[name] += growth;
    }
  }

  /** It counts no more; what it has counted stays. */
  forget(who: string): void {
    this.#parts.delete(who);
  }

  /** Labels and value of one of the counts. */
  *of(name: Name): Generator<readonly [Labels<Label>, number]> {
    for (const { labels, counts } of this.#sums) yield [labels, counts[name]];
  }

  #sumOf(labels: Labels<Label>): Sum<Label, Name> {
    const known = this.#sums.find((sum) => this.#areOf(sum, labels));
    if (known) return known;
    const sum = { labels: { ...labels }, counts: this.#none() };
    this.#sums.push(sum);
    return sum;
  }

  #areOf(sum: Sum<Label, Name>, labels: Labels<Label>): boolean {
    return this.#labelNames.every((name) => sum.labels[name] === labels[name]);
  }

  #none(): Record<Name, number> {
    return Object.fromEntries(this.#names.map((name) => [name, 0])) as Record<Name, number>;
  }
}
